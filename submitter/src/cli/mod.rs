//! The command line as typed. The only modules of this program that read the environment.

pub mod colour;
pub mod farm;
pub mod files;
pub mod place;
pub mod requests;
pub mod scale;
#[cfg(test)]
mod tests;
pub mod values;
pub mod world;
pub mod zoom;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use farm_queue::protocol::lines;
use farm_worker::usage::LogFormat;
use fractal::Decimal;

use ::requests::Size;
use colour::{ColourArgs, RecolourArgs};
use farm::{JobsCommand, WorkersCommand};
use files::{BatchArgs, ChannelArgs, InfoArgs};
use place::{AccessArgs, CrewArgs, DeviceArgs, LogArgs, SayArgs, ThreadsArgs, TurnArgs};
use scale::ScaleArgs;
use values::{ArithmeticArg, CompressionArg, GridArg, MeasureArg};
use world::{StageArgs, WorldCommand};
use zoom::ZoomArgs;

/// Renders pictures of the Mandelbrot set, on this machine or on a farm.
#[derive(Debug, Parser)]
#[command(
    name = "submitter",
    version,
    after_help = "Examples:\n  submitter render --density 4096\n  submitter render --re -0.7436 --im 0.1318 --zoom 2000 --size 1920x1080 -o seahorse.png\n  submitter render --redis rediss://farm.example --density 8192 -o big.png -o big.npy\n\nExit status: 0 done, 1 failed, 2 usage, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Render one picture.
    Render(Box<RenderArgs>),
    /// Make a video of a zoom into a place, or numbered pictures of it.
    Zoom(Box<ZoomArgs>),
    /// Show what a render would do: view, digits, arithmetic, strips, memory and work; computes nothing.
    #[command(
        after_help = "Takes the options of `render`.\n\nExamples:\n  submitter plan --re -0.75 --im 0.1 --zoom 1e50 --iterations 100000\n  submitter plan --density 4096 --json"
    )]
    Plan(Box<RenderArgs>),
    /// Find the minibrot in or near a view: its period, nucleus and size, and a view of it, as a location file.
    Locate(Box<LocateArgs>),
    /// Paint data that were computed before, in other colours; computes nothing.
    Colour(Box<RecolourArgs>),
    /// Show what a picture, a location or an array holds.
    Info(InfoArgs),
    /// Render a list of pictures, and go on when one fails.
    Batch(Box<BatchArgs>),
    /// Continue a render that was interrupted, failed or killed.
    Resume(Box<ResumeArgs>),
    /// Render a picture with 1, 2, 3 … workers, and show what more of them gain.
    Scale(Box<ScaleArgs>),
    /// See and steer the jobs of a farm.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// See and drain the workers of a farm.
    #[command(subcommand)]
    Workers(WorkersCommand),
    /// Check, boot, look at and shut down networks of machines, as a world file describes them.
    #[command(subcommand)]
    World(WorldCommand),
    /// Print the Redis users of a farm, with no more rights than workers and submitters need.
    RedisAcl(RedisAclArgs),
    /// Print the key of one worker, made from the farm's: with it that worker speaks for itself alone.
    WorkerKey(WorkerKeyArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
}

impl Command {
    /// How many threads it was given, where it says so.
    #[must_use]
    pub fn threads(&self) -> Option<u16> {
        let args = match self {
            Self::Render(args) | Self::Plan(args) => args.threads,
            Self::Zoom(args) => args.place.threads,
            Self::Locate(args) => args.threads,
            Self::Colour(args) => args.threads,
            Self::Batch(args) => args.threads,
            Self::Resume(args) => args.threads,
            _ => return None,
        };
        args.threads
    }
}

/// Options of `render`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "The view is given by bounds and density, or by centre, zoom and size; numbers may have any number of digits.\n\nExamples:\n  submitter render --density 4096                       the whole set, 10240 x 12288, to mandelbrot.png\n  submitter render --re -0.75 --im 0.1 --zoom 20        a centre and a magnification\n  submitter render --grid linspace --measure stability --density 256 --iterations 100 -o x.npy\n                                                        what numpy computes on numpy.linspace\n  submitter render -o a.png -o a.npy -o a.exr           several files from one computation\n  submitter render --world worlds/4-local.penvm -o a.png     on workers that are booted for it"
)]
pub struct RenderArgs {
    /// Where in the plane.
    #[command(flatten)]
    pub view: ViewArgs,
    /// How many iterations before a pixel counts as inside
    #[arg(
        long,
        value_name = "N",
        help = "How many iterations before a pixel counts as inside [default: 1000, or the location's]",
        value_parser = fractal::count::count
    )]
    pub iterations: Option<u64>,
    /// Radius beyond which a pixel has escaped [default: 256, or the location's]
    #[arg(long, value_name = "R")]
    pub escape_radius: Option<f64>,
    /// Start value of the iteration [default: 0 0]
    #[arg(long, num_args = 2, value_names = ["RE", "IM"], allow_hyphen_values = true)]
    pub z0: Option<Vec<f64>>,
    /// log2 of the relative error that one skipped step of a deep view may have [default: -40]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub skip_error_log2: Option<i32>,
    /// Layout of the samples [default: pixels, or the location's]
    #[arg(long, value_enum)]
    pub grid: Option<GridArg>,
    /// Where to write: .png, .jpg, .webp, .tiff, .avif, .npy, .exr, .kfr or .toml by extension; may be given several times
    /// [default: mandelbrot.png]
    #[arg(short, long = "output", value_name = "FILE")]
    pub outputs: Vec<PathBuf>,
    /// What .npy holds, and .exr beside the iteration count and its fraction
    #[arg(long, value_enum, default_value_t = MeasureArg::Smooth)]
    pub measure: MeasureArg,
    /// What .exr holds.
    #[command(flatten)]
    pub channels: ChannelArgs,
    /// Colours of pictures
    #[command(flatten)]
    pub colours: ColourArgs,
    /// How hard to compress .png
    #[arg(long, value_enum, default_value_t = CompressionArg::Fast)]
    pub compression: CompressionArg,
    /// On a farm, or in process.
    #[command(flatten)]
    pub access: AccessArgs,
    /// Or on a world's network.
    #[command(flatten)]
    pub stage: StageArgs,
    /// By what.
    #[command(flatten)]
    pub devices: DeviceArgs,
    /// Number type of the kernels: plain ones iterate each pixel's own orbit, delta ones its distance from a
    /// reference orbit, exact at any zoom
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ArithmeticArg::Auto)]
    pub arithmetic: ArithmeticArg,
    /// How many take part.
    #[command(flatten)]
    pub crew: CrewArgs,
    /// By how many threads.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Rows of a strip [default: about a megabyte's worth]
    #[arg(long, value_name = "N", value_parser = |text: &str| fractal::count::within::<u32>(text, 1, u32::MAX))]
    pub strip_rows: Option<u32>,
    /// How many strips of a hundred are computed a second time by another worker, and compared
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub audit: u8,
    /// Where finished strips are kept until the picture is whole
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Keep no journal: a picture that is interrupted starts over
    #[arg(long, conflicts_with = "fresh")]
    pub no_journal: bool,
    /// Start over, also where the journal of the same command could be taken up
    #[arg(long)]
    pub fresh: bool,
    /// What is said.
    #[command(flatten)]
    pub say: SayArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Options of `locate`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "The location file is TOML with every digit, which `submitter render --location` reads.\n\nExamples:\n  submitter locate --re -1.7549 --im 0 --zoom 1000\n  submitter locate --re -1.7549 --im 0 --zoom 1000 -o mini.toml && submitter render --location mini.toml\n  submitter locate --location place.kfr -o mini.kfr"
)]
pub struct LocateArgs {
    /// The view: a location, .toml, .kfr, .f3.toml or a picture made here; its size and colours are kept
    #[arg(long, value_name = "FILE", required_unless_present = "re", conflicts_with_all = ["re", "im"])]
    pub location: Option<PathBuf>,
    /// Real part of the view's centre
    #[arg(long, value_name = "X", allow_hyphen_values = true, requires_all = ["im", "zoom"])]
    pub re: Option<Decimal>,
    /// Imaginary part of the view's centre
    #[arg(long, value_name = "Y", allow_hyphen_values = true, requires_all = ["re", "zoom"])]
    pub im: Option<Decimal>,
    /// Magnification of the view [default: the location's]
    #[arg(long, value_name = "Z", allow_hyphen_values = true)]
    pub zoom: Option<Decimal>,
    /// How the view is turned, and so the minibrot's
    #[command(flatten)]
    pub turn: TurnArgs,
    /// Turn the minibrot's view so that it stands as the whole set does
    #[arg(long, conflicts_with_all = ["rotate", "stretch", "stretch_angle"])]
    pub upright: bool,
    /// Longest period that is looked for
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = fractal::count::count)]
    pub iterations: u64,
    /// By how many threads.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Where to write the location, .toml or .kfr; to stdout without it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print the location as JSON
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// No progress bar
    #[arg(short, long)]
    pub quiet: bool,
}

/// Options of `redis-acl`.
#[derive(Debug, Args)]
#[command(
    after_help = "Passwords are printed as their SHA-256, which is how Redis keeps them. Without a file a placeholder stands in their place, which Redis refuses until it is replaced.\n\nExamples:\n  submitter redis-acl --worker-password-file worker.pw --submitter-password-file submitter.pw | redis-cli -h HOST\n  submitter redis-acl --aclfile ... >> /etc/redis/users.acl"
)]
pub struct RedisAclArgs {
    /// Name of the workers' user
    #[arg(long, value_name = "NAME", default_value = "farm-worker", value_parser = user_name)]
    pub worker_user: String,
    /// Name of the submitters' user
    #[arg(long, value_name = "NAME", default_value = "farm-submitter", value_parser = user_name)]
    pub submitter_user: String,
    /// File whose first line is the workers' password
    #[arg(long, value_name = "FILE")]
    pub worker_password_file: Option<PathBuf>,
    /// File whose first line is the submitters' password
    #[arg(long, value_name = "FILE")]
    pub submitter_password_file: Option<PathBuf>,
    /// Lines for a file that Redis' `aclfile` names, instead of commands for redis-cli
    #[arg(long)]
    pub aclfile: bool,
}

/// Options of `worker-key`.
#[derive(Debug, Args)]
#[command(
    after_help = "With its own key a worker checks jobs and seals what it says with its name; it cannot speak for others. It is a secret, as the farm's key is.\n\nExample:\n  submitter worker-key gpu-1 --farm-key-file farm.key > gpu-1.key"
)]
pub struct WorkerKeyArgs {
    /// The worker's name, which is then its `--name`
    #[arg(value_name = "NAME", value_parser = worker_name)]
    pub name: String,
    /// File with the farm's key
    #[arg(long, value_name = "FILE")]
    pub farm_key_file: PathBuf,
}

/// Where journals are.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// Folder of the journals [default: mandelfarm in the user's state folder]
    #[arg(long, value_name = "DIR", env = "FARM_JOURNAL")]
    pub journal: Option<PathBuf>,
}

/// Options of `resume`.
#[derive(Debug, Args)]
#[command(
    after_help = "A render that was interrupted, failed or killed is continued: what its journal holds is not computed again, and the files have the same bytes. The same `submitter render` command again does the same.\n\nExamples:\n  submitter resume                     what can be continued\n  submitter resume 01KAQ3              the job whose name begins so",
    mut_arg("redis", |redis| redis.help("The farm's Redis again, for its credentials: journals keep none")),
    mut_arg("workers", |workers| workers.help("Workers that take part: how many to run in process, or at most on a farm [default: as before]")),
    mut_arg("json", |json| json.help("Print one JSON object on stdout when done, or a list of them"))
)]
pub struct ResumeArgs {
    /// The job's name, or enough of its beginning; without it, lists what can be continued
    #[arg(value_name = "JOB")]
    pub job: Option<String>,
    /// List what can be continued
    #[arg(long, conflicts_with = "job")]
    pub list: bool,
    /// The farm.
    #[command(flatten)]
    pub access: AccessArgs,
    /// How many take part.
    #[command(flatten)]
    pub crew: CrewArgs,
    /// By how many threads.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Where the journals are
    #[command(flatten)]
    pub journal: JournalArgs,
    /// What is said.
    #[command(flatten)]
    pub say: SayArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

/// Where in the plane: by bounds, or by centre.
#[derive(Clone, Debug, Args)]
pub struct ViewArgs {
    /// How that is turned.
    #[command(flatten)]
    pub turn: TurnArgs,
    /// Smallest real part [default: -2]
    #[arg(
        long,
        value_name = "X",
        allow_hyphen_values = true,
        help_heading = "View by bounds"
    )]
    pub xmin: Option<Decimal>,
    /// Largest real part [default: 0.5]
    #[arg(
        long,
        value_name = "X",
        allow_hyphen_values = true,
        help_heading = "View by bounds"
    )]
    pub xmax: Option<Decimal>,
    /// Smallest imaginary part [default: -1.5]
    #[arg(
        long,
        value_name = "Y",
        allow_hyphen_values = true,
        help_heading = "View by bounds"
    )]
    pub ymin: Option<Decimal>,
    /// Largest imaginary part [default: 1.5]
    #[arg(
        long,
        value_name = "Y",
        allow_hyphen_values = true,
        help_heading = "View by bounds"
    )]
    pub ymax: Option<Decimal>,
    /// Samples per unit of the plane [default: 512]
    #[arg(
        long,
        value_name = "D",
        allow_hyphen_values = true,
        help_heading = "View by bounds"
    )]
    pub density: Option<Decimal>,
    /// A location: .toml, .kfr, .f3.toml or a picture made here; place, iterations, and what else it says
    #[arg(long, value_name = "FILE", help_heading = "View by centre", group = "place",
          conflicts_with_all = ["xmin", "xmax", "ymin", "ymax", "density", "re", "im"])]
    pub location: Option<PathBuf>,
    /// Real part of the centre
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = "View by centre", group = "place", requires_all = ["im", "zoom"])]
    pub re: Option<Decimal>,
    /// Imaginary part of the centre
    #[arg(long, value_name = "Y", allow_hyphen_values = true, help_heading = "View by centre", requires_all = ["re", "zoom"])]
    pub im: Option<Decimal>,
    /// Magnification: half the picture's height in the plane is 2/zoom
    #[arg(long, value_name = "Z", allow_hyphen_values = true, help_heading = "View by centre", requires = "place",
          conflicts_with_all = ["xmin", "xmax", "ymin", "ymax", "density"])]
    pub zoom: Option<Decimal>,
    /// Columns and rows [default: 1280x720]
    #[arg(
        long,
        value_name = "WxH",
        help_heading = "View by centre",
        requires = "place"
    )]
    pub size: Option<Size>,
}

impl Command {
    /// How much is logged, and how.
    #[must_use]
    pub fn log(&self) -> (String, LogFormat) {
        let log = match self {
            Self::Render(args) | Self::Plan(args) => &args.log,
            Self::Zoom(args) => &args.log,
            Self::Resume(args) => &args.log,
            Self::Scale(args) => &args.log,
            Self::Batch(args) => &args.log,
            _ => return ("warn".to_owned(), LogFormat::Text),
        };
        (log.level.clone(), log.format)
    }

    /// Whether nothing is to be said of the work.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        match self {
            Self::Render(args) | Self::Plan(args) => args.say.quiet,
            Self::Zoom(args) => args.say.quiet,
            Self::Resume(args) => args.say.quiet,
            Self::Scale(args) => args.say.quiet,
            Self::Batch(args) => args.say.quiet,
            Self::Colour(args) => args.say.quiet,
            Self::Locate(args) => args.quiet,
            _ => false,
        }
    }

    /// The farm's address as it was given, to whichever command.
    pub fn redis(&self) -> Option<&str> {
        match self {
            Self::Render(args) | Self::Plan(args) => args.access.redis(),
            Self::Zoom(args) => args.place.access.redis(),
            Self::Resume(args) => args.access.redis(),
            Self::Scale(args) => args.access.redis(),
            Self::Jobs(command) => command.ask().access.redis(),
            Self::Workers(command) => command.ask().access.redis(),
            Self::Locate(_)
            | Self::Colour(_)
            | Self::World(_)
            | Self::Info(_)
            | Self::Batch(_)
            | Self::RedisAcl(_)
            | Self::WorkerKey(_)
            | Self::Completions { .. } => None,
        }
    }
}

fn worker_name(text: &str) -> Result<String, String> {
    if !text.trim().is_empty() && lines::worker_name(text) == text {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "a worker's name is one line of at most {} bytes without ':'",
            lines::MAX_NAME_BYTES
        ))
    }
}

fn user_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.is_empty() && text.chars().all(plain) && text != "default" {
        Ok(text.to_owned())
    } else {
        Err("a user's name is of letters, digits, '-', '_' and '.', and not 'default'".to_owned())
    }
}
