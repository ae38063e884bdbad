//! Options that commands share, each written once: the farm, where strips are computed, and what is said. Where one
//! means something a little different, the command has its own words for it (`mut_arg`).

use clap::Args;
use farm_queue::protocol::lines;
use farm_worker::farm_args::FarmArgs;
use farm_worker::usage::{BackendArg, LogFormat};
use fractal::{Decimal, Formula};
use render::plan::JobTerms;
use requests::plan::picture::is_owner;

/// The farm, and how to get in.
#[derive(Clone, Debug, Args)]
pub struct AccessArgs {
    /// The farm's Redis.
    #[arg(
        help = "The farm's Redis: rediss://[USER:PASSWORD@]HOST[:PORT] (TLS), redis:// (plain text), unix:///PATH, or what Sentinels call NAME: rediss+sentinel://HOST[:PORT],HOST/NAME; without it, render in process",
        long,
        value_name = "URL",
        env = "FARM_REDIS",
        hide_env_values = true
    )]
    pub redis: Option<String>,
    /// How to get in.
    #[command(flatten)]
    pub farm: FarmArgs,
}

impl AccessArgs {
    /// Its address: set but empty is how a shell says that there is none.
    #[must_use]
    pub fn redis(&self) -> Option<&str> {
        self.redis.as_deref().filter(|url| !url.is_empty())
    }
}

/// Kinds of device.
#[derive(Clone, Debug, Args)]
pub struct DeviceArgs {
    /// Which kinds of device may compute it; auto is every GPU, or the processor when there is none
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub backend: BackendArg,
}

/// How a view is turned and stretched.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct TurnArgs {
    /// Degrees by which the view turns anticlockwise about its centre; what is seen turns clockwise [default: 0, or the
    /// location's]
    #[arg(
        long,
        value_name = "DEGREES",
        allow_hyphen_values = true,
        help_heading = "View"
    )]
    pub rotate: Option<f64>,
    /// Stretches the view by 2^(N/100) along --stretch-angle, and by the inverse across it, before it turns [default: 0,
    /// or the location's]
    #[arg(
        long,
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = "View"
    )]
    pub stretch: Option<f64>,
    /// Direction of --stretch in degrees anticlockwise from the right [default: 0, or the location's]
    #[arg(
        long,
        value_name = "DEGREES",
        allow_hyphen_values = true,
        help_heading = "View"
    )]
    pub stretch_angle: Option<f64>,
}

/// What is iterated.
#[derive(Clone, Debug, Default, Args)]
pub struct FormulaArgs {
    /// What is iterated: a name of `submitter formulas`, or operations on z with phases between slashes, such as
    /// "sqr add / absx absy pow3 add" [default: mandelbrot, or the location's]
    #[arg(long, value_name = "NAME|OPERATIONS")]
    pub formula: Option<Formula>,
    /// Draws the Julia set of this c: points of the plane are start values then [default: the location's, or none]
    #[arg(long, num_args = 2, value_names = ["RE", "IM"], allow_hyphen_values = true)]
    pub julia: Option<Vec<Decimal>>,
}

/// Where strips are computed.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// On a farm, or in process.
    #[command(flatten)]
    pub access: AccessArgs,
    /// By what.
    #[command(flatten)]
    pub devices: DeviceArgs,
    /// Workers that take part.
    #[command(flatten)]
    pub crew: CrewArgs,
    /// By how many threads.
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

/// How many compute.
#[derive(Clone, Debug, Args)]
pub struct CrewArgs {
    /// Workers that take part: how many to run in process [default: 1], or at most on a farm [default: all]
    #[arg(long, value_name = "N", value_parser = |text: &str| fractal::count::within::<u16>(text, 1, 1024))]
    pub workers: Option<u16>,
    /// Workers of a farm that have this tag alone (farm-worker --tag TAG)
    #[arg(long, value_name = "TAG")]
    pub on: Option<String>,
    /// Whose the job is, as `jobs list` shows it to everybody [default: the user's name]
    #[arg(long, value_name = "NAME", env = "FARM_OWNER", value_parser = owner)]
    pub owner: Option<String>,
}

impl CrewArgs {
    /// What a farm is told of its jobs.
    #[must_use]
    pub fn terms(self) -> JobTerms {
        JobTerms {
            on: self.on,
            owner: self.owner.or_else(user_name),
        }
    }
}

/// The user's name, where the system tells it.
#[must_use]
pub fn user_name() -> Option<String> {
    let names = ["USER", "LOGNAME", "USERNAME"].into_iter();
    let mut names = names.filter_map(|name| std::env::var(name).ok());
    names.find_map(|name| owner(&name).ok())
}

/// A name to show beside a job.
pub fn owner(text: &str) -> Result<String, String> {
    if is_owner(text) {
        Ok(text.to_owned())
    } else {
        let most = lines::MAX_NAME_BYTES;
        Err(format!(
            "a name is one line of at most {most} bytes without ':'"
        ))
    }
}

/// How many threads this process has for it.
#[derive(Clone, Copy, Debug, Args)]
pub struct ThreadsArgs {
    /// Threads that this process computes and paints with, shared by its workers [default: one for each core]
    #[arg(long, value_name = "N", value_parser = |text: &str| fractal::count::within::<u16>(text, 1, 1024))]
    pub threads: Option<u16>,
}

/// What is said of the work.
#[derive(Clone, Copy, Debug, Args)]
pub struct SayArgs {
    /// Print one JSON object on stdout when done
    #[arg(long)]
    pub json: bool,
    /// No progress bar and no summary
    #[arg(short, long)]
    pub quiet: bool,
}

/// What is logged, and how.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// How much to log on stderr: error, warn, info, debug, trace
    #[arg(long = "log", id = "log", value_name = "LEVEL", env = "FARM_LOG", default_value = "warn", value_parser = farm_worker::usage::log_filter)]
    pub level: String,
    /// How to log on stderr
    #[arg(long = "log-format", id = "log_format", value_name = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub format: LogFormat,
}
