//! The command lines of `submitter completions` and `submitter manual`, as typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

/// The programs of this package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// This program
    Submitter,
    /// The program that computes for a farm
    FarmWorker,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
    /// Of which program.
    #[arg(value_enum, default_value_t = Program::Submitter)]
    pub program: Program,
}

/// Options of `manual`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  submitter manual man1 && man -l man1/submitter-render.1")]
pub struct ManualArgs {
    /// A folder, which is made where there is none.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}
