//! What is made of the command lines.

use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::args::{CompletionsArgs, Program};
use crate::cli::Cli;

impl Program {
    /// As it is called.
    fn name(self) -> &'static str {
        match self {
            Self::Submitter => "submitter",
            Self::FarmWorker => "farm-worker",
        }
    }

    /// Its command line.
    fn command(self) -> Command {
        match self {
            Self::Submitter => Cli::command(),
            Self::FarmWorker => farm_worker::cli::Cli::command(),
        }
    }
}

/// The script by which a shell completes a program's command line.
#[must_use]
pub fn completions(args: &CompletionsArgs) -> Vec<u8> {
    let mut script = Vec::new();
    let (mut command, name) = (args.program.command(), args.program.name());
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    script
}

/// Manual pages of both programs and all of their commands: names of files in section 1, and what they hold.
///
/// # Errors
/// None that a page in memory has; `clap_mangen` writes to any stream.
pub fn manual_pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    for program in [Program::Submitter, Program::FarmWorker] {
        let mut command = program.command().disable_help_subcommand(true);
        command.build();
        add_pages(&command, &mut pages)?;
    }
    Ok(pages)
}

fn add_pages(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for below in command.get_subcommands() {
        add_pages(below, pages)?;
    }
    let manual = Man::new(command.clone());
    let mut page = Vec::new();
    manual.render(&mut page)?;
    pages.push((manual.get_filename(), page));
    Ok(())
}
