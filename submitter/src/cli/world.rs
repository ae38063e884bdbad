//! The command lines of `submitter world`, as typed, and where a world file is when none is named.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::values::FallbackArg;

/// What to do with a network of a world.
#[derive(Debug, Subcommand)]
pub enum WorldCommand {
    /// Read a world file and show the targets that it makes; starts nothing.
    #[command(
        after_help = "Examples:\n  submitter world check worlds/4-local.penvm\n  submitter world check cluster.penvm --network small --json"
    )]
    Check(WorldArgs),
    /// Start a worker for each target that has none, and the world's own Redis where it names none.
    #[command(
        after_help = "Workers go on when this program has ended; `submitter world shutdown` stops them.\n\nExamples:\n  submitter world boot worlds/4-local.penvm\n  submitter world boot cluster.penvm --require-all --json\n\nExit status: 0 when at least one target runs (with --require-all, when all do), 1 otherwise."
    )]
    Boot {
        /// The network.
        #[command(flatten)]
        world: WorldArgs,
        /// Fail, and shut down what was booted, when a single target fails
        #[arg(long)]
        require_all: bool,
        /// No table
        #[arg(short, long)]
        quiet: bool,
    },
    /// Show what runs of a network.
    #[command(after_help = "Exit status: 0 when all targets serve, 1 otherwise.")]
    Status(WorldArgs),
    /// Stop a network: workers give back what they have in hand, then end.
    Shutdown(WorldArgs),
}

/// Which network of which world.
#[derive(Clone, Debug, Args)]
pub struct WorldArgs {
    /// The world file [default: PENVM_WORLD_FILENAME, or submitter.penvm beside this program]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The network [default: the one called default, or the only one]
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// What runs is written down where
    #[command(flatten)]
    pub state: StateArgs,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

/// Where it is written down what runs.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// Folder for what is known of booted networks [default: mandelfarm in the user's state folder]
    #[arg(long, value_name = "DIR", env = "FARM_STATE", help_heading = "World")]
    pub state: Option<OsString>,
}

/// A network to compute on, where one is named.
#[derive(Clone, Debug, Args)]
pub struct NetworkArgs {
    /// Compute on a network of this world: what does not run is booted, and shut down again at the end. Without FILE, the one that PENVM_WORLD_FILENAME names, or submitter.penvm beside this program
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "", help_heading = "World")]
    pub world: Option<OsString>,
    /// The network of the world [default: the one called default, or the only one]
    #[arg(long, value_name = "NAME", requires = "world", help_heading = "World")]
    pub network: Option<String>,
    /// What runs is written down where
    #[command(flatten)]
    pub state: StateArgs,
}

/// Where pictures are computed that a world may compute.
#[derive(Clone, Debug, Args)]
pub struct StageArgs {
    /// The network.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Whether to compute in process instead of on the farm [default: auto with --world, else never]
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "World")]
    pub fallback: Option<FallbackArg>,
}

/// The world file: as given, or what PENVM_WORLD_FILENAME says, or the one beside the program.
///
/// # Errors
/// The place of the last one, where there is none either.
pub fn world_file(given: Option<&Path>) -> Result<PathBuf, PathBuf> {
    let named = given.map(Path::to_owned);
    let set = || std::env::var_os("PENVM_WORLD_FILENAME").map(PathBuf::from);
    // Set but empty is how a shell says that there is none.
    let is_path = |path: &PathBuf| !path.as_os_str().is_empty();
    if let Some(path) = (named.filter(is_path)).or_else(|| set().filter(is_path)) {
        return Ok(path);
    }
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("submitter"));
    let beside = program.with_extension("penvm");
    if beside.is_file() {
        Ok(beside)
    } else {
        Err(beside)
    }
}
