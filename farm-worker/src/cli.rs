//! The command line as typed. The only module of this program that reads the environment.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use crate::farm_args::{Environment, FarmArgs, FarmArgsError};
use crate::hours::Hours;
use crate::usage::{BackendArg, LogFormat, Misuse};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use farm_queue::protocol::lines;
use farm_queue::redis::ConnectOptions;

/// Computes strips of Mandelbrot pictures for a farm.
///
/// Pulls strips from the queue in Redis, computes them on this machine's GPUs (or its processor where
/// there is none) and pushes the buffers back. Start one on each machine; they may come and go while
/// jobs run.
#[derive(Debug, Parser)]
#[command(
    name = "farm-worker",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  farm-worker --redis rediss://farm.example:6379 --tls-ca farm.pem\n  farm-worker --redis unix:///run/redis.sock --backend cpu --threads 8\n  farm-worker --redis unix:///run/redis.sock --backend gpu --device 1\n  farm-worker bench\n  farm-worker bench --backend gpu --scene e50 --scene flake --json\n\nExit status: 0 done or told to stop, 1 failed or every device hangs, 2 usage, 130 interrupted."
)]
pub struct Cli {
    /// What to do other than work.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to work.
    #[command(flatten)]
    pub work: WorkArgs,
}

/// Everything but working.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure what this machine can do: its kernels against its own limit.
    Bench(BenchArgs),
}

/// Options of a working worker.
#[derive(Debug, Args)]
pub struct WorkArgs {
    /// The farm's Redis.
    #[arg(
        help = "The farm's Redis: rediss://[USER:PASSWORD@]HOST[:PORT] (TLS), redis:// (plain text), unix:///PATH, or what Sentinels call NAME: rediss+sentinel://HOST[:PORT],HOST/NAME",
        long,
        value_name = "URL",
        env = "FARM_REDIS",
        hide_env_values = true,
        required = true
    )]
    pub redis: Option<String>,
    /// How to get in.
    #[command(flatten)]
    pub farm: FarmArgs,
    /// Which devices to use: auto is every GPU, or the processor when there is none
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub backend: BackendArg,
    /// Use only this device: its number among those of --backend, counted from 0, or a part of its name; may be given several times
    #[arg(long = "device", value_name = "DEVICE")]
    pub devices: Vec<String>,
    /// Name shown to people, that audits and quarantines go by [default: that of this worker's own key, or this machine's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A tag of this worker, for jobs that ask for it (submitter render --on TAG); may be given several times
    #[arg(long = "tag", value_name = "TAG", env = "FARM_TAG", value_delimiter = ',', value_parser = tag)]
    pub tags: Vec<String>,
    /// How far to step back behind other programs of this machine, from 0 to 19
    #[arg(long, value_name = "N", env = "FARM_NICE", value_parser = |text: &str| fractal::count::within::<u8>(text, 0, 19))]
    pub nice: Option<u8>,
    /// Work between these times of this machine's clock alone, such as 20:00-07:00; at their end strips in hand are finished or given back
    #[arg(long, value_name = "FROM-TO", env = "FARM_HOURS")]
    pub hours: Option<Hours>,
    /// Threads of the processor's lane [default: all cores]
    #[arg(long, value_name = "N", value_parser = |text: &str| fractal::count::within::<u16>(text, 1, 1024))]
    pub threads: Option<u16>,
    /// Most memory for reference orbits and what is made of them, such as 8GiB; jobs that want more are left to other workers [default: a quarter of the machine's, or of its control group's]
    #[arg(long, value_name = "SIZE", env = "FARM_MEMORY", value_parser = crate::memory::parse)]
    pub memory: Option<u64>,
    /// How much to say on stderr: error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL", env = "FARM_LOG", default_value = "info", value_parser = crate::usage::log_filter)]
    pub log: String,
    /// How to say it on stderr
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Log to this file instead of stderr; when it has a megabyte it becomes FILE.1 and a new one begins
    #[arg(long, value_name = "FILE", env = "FARM_LOG_FILE")]
    pub log_file: Option<OsString>,
    /// Serve metrics for Prometheus at http://ADDR/metrics, for example 127.0.0.1:9464
    #[arg(long, value_name = "ADDR", env = "FARM_METRICS")]
    pub metrics: Option<String>,
    /// How long a device may show no progress before its strip is given to another worker; longer where strips usually
    /// take more than a twentieth of it
    #[arg(long, value_name = "SECS", default_value_t = 60, value_parser = |text: &str| fractal::count::within::<u32>(text, 1, 86_400))]
    pub strip_timeout: u32,
}

impl WorkArgs {
    /// The address of the farm's Redis.
    ///
    /// An empty one is none: a script that sets `FARM_REDIS` to the content of an unset variable means nothing by it.
    /// Not left to clap, which would then refuse `bench` too for a variable that it does not use.
    pub fn redis_url(&self) -> Result<&str, Misuse> {
        (self.redis.as_deref().map(str::trim))
            .filter(|url| !url.is_empty())
            .ok_or(Misuse(
                "no Redis given: --redis and FARM_REDIS are empty or not set",
            ))
    }

    /// Where to log; an empty path is none, as for Redis.
    pub fn log_file(&self) -> Option<&Path> {
        let given = self.log_file.as_deref().filter(|path| !path.is_empty());
        given.map(Path::new)
    }

    /// Where to serve metrics; an empty address is none, as for Redis.
    pub fn metrics_address(&self) -> Result<Option<SocketAddr>, Misuse> {
        (self.metrics.as_deref().map(str::trim))
            .filter(|address| !address.is_empty())
            .map(str::parse)
            .transpose()
            .map_err(|_| {
                Misuse(
                    "--metrics wants an address and a port, such as 127.0.0.1:9464 or [::1]:9464",
                )
            })
    }
}

fn tag(text: &str) -> Result<String, String> {
    if lines::is_tag(text) {
        Ok(text.to_owned())
    } else {
        let most = lines::MAX_TAG_BYTES;
        Err(format!(
            "a tag is of at most {most} letters, digits, '-', '_' and '.'"
        ))
    }
}

/// The way into the farm at `url`.
pub fn farm(url: &str, args: &FarmArgs) -> Result<ConnectOptions, FarmArgsError> {
    let environment = Environment::of(|name| std::env::var(name).ok());
    args.options(url.to_owned(), environment)
}

/// Options of `bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// One JSON object on stdout instead of a table
    #[arg(long)]
    pub json: bool,
    /// Measure only this kind of device; gpu includes software adapters
    #[arg(long, value_enum, default_value_t = BackendArg::Auto)]
    pub backend: BackendArg,
    /// Measure only this scene; may be repeated
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(engine::bench::scene_names()))]
    pub scene: Vec<String>,
}

/// This machine's name, for people.
pub fn host_name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_empty_address_is_none() {
        let given = |url: &str| {
            let cli = Cli::try_parse_from(["farm-worker", "--redis", url]).unwrap();
            cli.work.redis_url().map(str::to_owned)
        };
        assert_eq!(given("redis://farm"), Ok("redis://farm".to_owned()));
        for empty in ["", " "] {
            let error = anyhow::Error::from(given(empty).unwrap_err());
            assert!(crate::usage::is_misuse(&error), "{error}");
            assert!(error.to_string().starts_with("no Redis given"), "{error}");
        }
    }

    #[test]
    fn metrics_are_served_where_it_says_or_not_at_all() {
        let given = |words: &[&str]| {
            let words = ["farm-worker", "--redis", "redis://farm"]
                .iter()
                .chain(words);
            Cli::try_parse_from(words).unwrap().work.metrics_address()
        };
        let address = |text: &str| Ok(Some(text.parse().unwrap()));
        assert_eq!(given(&["--metrics", "[::1]:9464"]), address("[::1]:9464"));
        assert_eq!(given(&["--metrics", " 0.0.0.0:0 "]), address("0.0.0.0:0"));
        assert_eq!(given(&["--metrics", ""]), Ok(None));
        for wrong in ["9464", "localhost:9464", "127.0.0.1", "127.0.0.1:65536"] {
            assert!(given(&["--metrics", wrong]).is_err(), "{wrong}");
        }
    }
}
