//! Options that commands share: where strips are computed, and what is said.

use clap::Args;
use farm_worker::farm_args::FarmArgs;
use farm_worker::usage::{BackendArg, LogFormat};

/// Where strips are computed.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The farm's Redis.
    #[arg(
        help = "The farm's Redis: rediss://[USER:PASSWORD@]HOST[:PORT] (TLS), redis:// (plain text) or unix:///PATH; without it, render in process",
        long,
        value_name = "URL",
        env = "FARM_REDIS",
        hide_env_values = true
    )]
    pub redis: Option<String>,
    /// How to get in.
    #[command(flatten)]
    pub farm: FarmArgs,
    /// Which kinds of device may compute it; auto is every GPU, or the processor when there is none
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub backend: BackendArg,
    /// Workers that take part: how many to run in process [default: 1], or at most on a farm [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
}

/// What is said, and how.
#[derive(Debug, Args)]
pub struct SayArgs {
    /// Print one JSON object on stdout when done
    #[arg(long)]
    pub json: bool,
    /// No progress bar and no summary
    #[arg(short, long)]
    pub quiet: bool,
    /// How much to log on stderr: error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL", env = "FARM_LOG", default_value = "warn", value_parser = farm_worker::usage::log_filter)]
    pub log: String,
    /// How to log on stderr
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}
