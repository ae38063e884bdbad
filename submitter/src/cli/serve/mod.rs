//! Options of `serve`.

pub mod submit;

use std::net::SocketAddr;
use std::path::PathBuf;

use bytesize::ByteSize;
use clap::Args;
use farm_queue::redis::ConnectOptions;
use farm_worker::farm_args::{FarmArgs, FarmArgsError};
use requests::FarmMeans;
use requests::request::means::Address;
use web::JobsSettings;

use crate::cli::place::{DeviceArgs, LogArgs, ThreadsArgs};
use crate::cli::requests::{environment, known_redis};

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints two addresses: the first for whoever may do everything, the second for whoever may only look. Each holds a token, which the browser changes for a cookie; who has neither sees nothing.\n\nExamples:\n  submitter serve                                       on this machine, for its own browser\n  submitter serve --output pictures                     and takes jobs in\n  submitter serve --read-only                           only to look\n  submitter serve --listen 0.0.0.0:8700 --host farm.example --tls-cert cert.pem --tls-key key.pem"
)]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one. Beyond this machine with TLS or --insecure alone
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8700")]
    pub listen: SocketAddr,
    /// A name under which the page is reached, beside those of this machine for itself; may be given several times
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// Let nobody do more than look
    #[arg(long)]
    pub read_only: bool,
    /// Serve beyond this machine without TLS: whoever hears the network reads the tokens
    #[arg(long)]
    pub insecure: bool,
    /// The page's certificates, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the first of them, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The farm to look at and to steer: its Redis, as for other commands; how to get in is in the address or in the
    /// environment (FARM_REDIS_PASSWORD_FILE, FARM_TLS_CA and the like)
    #[arg(long, value_name = "URL", env = "FARM_REDIS", hide_env_values = true)]
    pub redis: Option<String>,
    /// Take jobs in, from the page and from `submitter submit`, and write their files into this folder. They go on after a
    /// restart with the same folder
    #[arg(short, long, value_name = "FOLDER", conflicts_with = "read_only")]
    pub output: Option<PathBuf>,
    /// Bytes of the disk that jobs may take together, such as 200GB: their files, and what is kept until they are done
    /// [default: all that is free]
    #[arg(long, value_name = "SIZE", requires = "output")]
    pub most_disk: Option<ByteSize>,
    /// By what.
    #[command(flatten)]
    pub devices: DeviceArgs,
    /// By how many threads.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

impl ServeArgs {
    /// The farm's address: set but empty is how a shell says that there is none.
    #[must_use]
    pub fn redis(&self) -> Option<&str> {
        self.redis.as_deref().filter(|url| !url.is_empty())
    }

    /// Where jobs go, and by what they are made; `None` where none are taken.
    #[must_use]
    pub fn jobs(&self) -> Option<JobsSettings> {
        let folder = self.output.clone()?;
        let redis = self.redis().map(ToOwned::to_owned);
        Some(JobsSettings {
            folder,
            farm: FarmMeans {
                redis: redis.map(|url| Address::of_user(url, FarmArgs::default())),
                backend: self.devices.backend.into(),
                environment: environment(),
                known: known_redis(),
                ..FarmMeans::default()
            },
            most_bytes: self.most_disk.map(|size| size.as_u64()),
        })
    }

    /// The way into the farm, where there is one.
    ///
    /// # Errors
    /// When a file that belongs to the way cannot be used.
    pub fn farm(&self) -> Result<Option<ConnectOptions>, FarmArgsError> {
        let access = FarmArgs::default();
        let url = self.redis().map(ToOwned::to_owned);
        url.map(|url| access.options(url, environment()))
            .transpose()
    }
}
