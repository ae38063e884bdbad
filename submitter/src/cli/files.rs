//! Options about files: what pictures hold, what files say, and batches of them.

use std::path::PathBuf;

use clap::Args;

use super::place::{LogArgs, SayArgs, ThreadsArgs};
use super::values::ChannelArg;

/// What `.exr` files hold.
#[derive(Debug, Args)]
pub struct ChannelArgs {
    /// Channels of .exr, as Kalles Fraktaler and zoomasm read them, separated by commas
    /// [default: N,NF and the one of --measure]
    #[arg(
        long,
        value_enum,
        value_name = "LIST",
        value_delimiter = ',',
        ignore_case = true
    )]
    pub channels: Vec<ChannelArg>,
}

/// Options of `info`.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads locations (.toml, .kfr, .f3.toml), pictures (.png, .exr, .jpg, .webp, .tiff, .avif) and arrays (.npy), and lists the names of the gradients in a .ugr.\n\nExamples:\n  submitter info spiral.png\n  submitter info data.exr --json"
)]
pub struct InfoArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of `batch`.
#[derive(Debug, Args)]
#[command(
    after_help = "A batch file is TOML: a [[job]] for each picture, with the long options of `submitter render` as its keys, and [defaults] for all of them. `command` names another command, `name` the job in messages. Files are named as on the command line, from the working folder. All jobs are checked before the first one begins; one that fails does not stop the others.\n\n  [defaults]\n  size = \"1920x1080\"\n  palette = \"magma\"\n\n  [[job]]\n  name = \"seahorses\"\n  re = \"-0.7436\"\n  im = \"0.1318\"\n  zoom = \"2000\"\n  output = \"seahorses.png\"\n\nExamples:\n  submitter batch gallery.toml\n  submitter batch gallery.toml --skip-existing\n  submitter batch gallery.toml --dry-run\n\nExit status: 0 all done, 1 some failed, 2 a mistake in the file, 130 interrupted.",
    mut_arg("json", |json| json.help("Print one JSON object when done, instead of a table")),
    mut_arg("quiet", |quiet| quiet.help("No progress bars and no summaries"))
)]
pub struct BatchArgs {
    /// The batch file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Leave out jobs whose files are all there
    #[arg(long)]
    pub skip_existing: bool,
    /// Show what each job would do; compute nothing
    #[arg(long)]
    pub dry_run: bool,
    /// By how many threads.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// What is said.
    #[command(flatten)]
    pub say: SayArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}
