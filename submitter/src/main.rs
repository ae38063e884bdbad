//! `submitter`: pictures and sequences, in process or on a farm.
//!
//! argv in, words out. Data goes one way: argv -> [`cli`] (as typed) -> a request and its means (`requests`) -> what
//! carries it out -> words, which [`commands`] make and [`terminal`] writes. Only this program starts a runtime, takes
//! signals, owns bars and writes to streams.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod failure;
mod terminal;

use std::process::ExitCode;
use std::time::Duration;

use cli::{Cli, Command};
use farm_worker::{farm_args, usage};
use render::Stop;
use requests::ErrorKind;

use commands::context::Context;
use failure::Failure;

/// Exit status after Ctrl-C or SIGTERM.
const INTERRUPTED: u8 = 130;
/// How long computations that nobody waits for any more may hold up the end of the program.
const LAST_GASP: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let cli: Cli = match usage::parse("submitter") {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    if let Some(warning) = farm_args::conceal(cli.command.redis()) {
        terminal::say(&format!("warning: {warning}"));
    }
    let stop = Stop::new();
    let done = terminal::signals::until_interrupted(&stop, {
        let stop = stop.clone();
        move || run(cli.command, stop)
    });
    // Of threads that are not waited for.
    disk::remove_own();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::say(failure.line());
            match failure.kind() {
                ErrorKind::Usage => ExitCode::from(usage::USAGE),
                ErrorKind::Interrupted => ExitCode::from(INTERRUPTED),
                ErrorKind::Failed => ExitCode::FAILURE,
            }
        }
    }
}

/// Does what a command line says.
fn run(command: Command, stop: Stop) -> Result<(), Failure> {
    let (level, format) = command.log();
    let runtime = usage::start(&level, format, "submitter-io").map_err(Failure::failed)?;
    commands::context::compute_with(command.threads());
    let context = Context::new(command.is_quiet(), stop);
    let done = runtime.block_on(commands::carry_out(command, &context));
    runtime.shutdown_timeout(LAST_GASP);
    done
}
