//! Options of `render`, of `locate` and `resume`, which share them, and of `formulas`.

use std::path::PathBuf;

use clap::Args;
use fractal::Decimal;
use requests::Size;

use super::colour::ColourArgs;
use super::files::ChannelArgs;
use super::place::{
    AccessArgs, CrewArgs, DeviceArgs, FormulaArgs, LogArgs, SayArgs, ThreadsArgs, TurnArgs,
};
use super::values::{ArithmeticArg, CompressionArg, CountsArg, GridArg, MeasureArg};
use super::world::StageArgs;

/// Options of `render`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "The view is given by bounds and density, or by centre, zoom and size; numbers may have any number of digits.\n\nExamples:\n  submitter render --density 4096                       the whole set, 10240 x 12288, to mandelbrot.png\n  submitter render --re -0.75 --im 0.1 --zoom 20        a centre and a magnification\n  submitter render --grid linspace --measure stability --density 256 --iterations 100 -o x.npy\n                                                        what numpy computes on numpy.linspace\n  submitter render --formula burning-ship -o ship.png   another formula: `submitter formulas` lists them\n  submitter render --julia -0.8 0.156 -o julia.png      a Julia set\n  submitter render -o a.png -o a.npy -o a.exr           several files from one computation\n  submitter render --world worlds/4-local.penvm -o a.png     on workers that are booted for it"
)]
pub struct RenderArgs {
    /// Where in the plane.
    #[command(flatten)]
    pub view: ViewArgs,
    /// What is iterated.
    #[command(flatten)]
    pub iterated: FormulaArgs,
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
    /// How counts are made [default: fast, or the location's]
    #[arg(long, value_enum, value_name = "HOW")]
    pub counts: Option<CountsArg>,
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

/// Where journals are.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// Folder of the journals [default: mandelfarm in the user's state folder]
    #[arg(long, value_name = "DIR", env = "FARM_JOURNAL")]
    pub journal: Option<PathBuf>,
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
    /// What is iterated.
    #[command(flatten)]
    pub iterated: FormulaArgs,
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

/// Options of `formulas`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each stands for operations on z, which --formula takes as well: sqr, powN, mul (by what was stored), store, absx, absy, negx, negy, rot DEGREES and add (c). A slash ends a phase; phases follow each other in turn, and each counts as one iteration.\n\nExamples:\n  submitter formulas\n  submitter formulas -o formulas.png\n  submitter render --formula burning-ship -o ship.png\n  submitter render --formula \"sqr add / absx absy pow3 add\" -o hybrid.png"
)]
pub struct FormulasArgs {
    /// Paint them in one picture, in their order, four beside each other
    #[arg(short, long, value_name = "FILE.png", conflicts_with = "json")]
    pub output: Option<PathBuf>,
    /// Print a JSON list: names, operations, degrees and the bounds of home views; computes nothing
    #[arg(long)]
    pub json: bool,
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
