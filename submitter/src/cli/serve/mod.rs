//! Options of `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::cli::place::{DeviceArgs, LogArgs, ThreadsArgs};

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Prints two addresses: the first for whoever may do everything, the second for whoever may only look. Each holds a token, which the browser changes for a cookie; who has neither sees nothing.\n\nExamples:\n  submitter serve                                       on this machine, for its own browser\n  submitter serve --read-only                           only to look\n  submitter serve --listen 0.0.0.0:8700 --host farm.example --tls-cert cert.pem --tls-key key.pem"
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
