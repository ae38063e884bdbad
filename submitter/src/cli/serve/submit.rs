//! Options of `submit`, and of what else asks a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::files::BatchArgs;
use crate::cli::render::RenderArgs;
use crate::cli::zoom::ZoomArgs;

/// Options of `submit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Hands a job to a server that was started with `submitter serve --output FOLDER`, and returns. The line is that of `render`, `zoom` or `batch`; each -o is a name within the server's folder. Places and palettes are read here. Where and by what it is computed the server decides.\n\nExamples:\n  submitter submit --server pictures render --re -0.75 --im 0.1 --zoom 20 -o view.png\n  submitter submit --server pictures zoom --location mini.toml -o dive.mp4\n  submitter jobs list --server pictures"
)]
pub struct SubmitArgs {
    /// The server: its --output folder on this machine, or the first address that it printed
    #[arg(
        long,
        value_name = "FOLDER|ADDRESS",
        env = "FARM_SERVER",
        hide_env_values = true
    )]
    pub server: String,
    /// Certificates to check the server's with, PEM, where its address is https://
    #[arg(long, value_name = "FILE")]
    pub server_ca: Option<PathBuf>,
    /// The job
    #[command(subcommand)]
    pub work: SubmitCommand,
}

/// What is handed over.
#[derive(Debug, Subcommand)]
pub enum SubmitCommand {
    /// A picture.
    Render(Box<RenderArgs>),
    /// A video.
    Zoom(Box<ZoomArgs>),
    /// Each picture and video of a list.
    Batch(Box<BatchArgs>),
}

impl SubmitCommand {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        match self {
            Self::Render(args) => args.say.quiet,
            Self::Zoom(args) => args.say.quiet,
            Self::Batch(args) => args.say.quiet,
        }
    }

    /// Whether JSON is printed.
    #[must_use]
    pub fn is_json(&self) -> bool {
        match self {
            Self::Render(args) => args.say.json,
            Self::Zoom(args) => args.say.json,
            Self::Batch(args) => args.say.json,
        }
    }
}

/// A server in place of a farm.
#[derive(Clone, Debug, Args)]
pub struct ServerArgs {
    /// The jobs of a server instead: its --output folder on this machine, or the first address that it printed
    #[arg(long, value_name = "FOLDER|ADDRESS")]
    pub server: Option<String>,
    /// Certificates to check the server's with, PEM, where its address is https://
    #[arg(long, value_name = "FILE", requires = "server")]
    pub server_ca: Option<PathBuf>,
}
