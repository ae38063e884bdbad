//! The terminal: words, bars, tables and signals. Nothing else of this program writes to a stream.
//!
//! [`progress`] draws what `render` tells with [`bars`] and [`sequence_bar`], or says it in lines ([`beat`]); [`signals`]
//! hears Ctrl-C and says what takes long; [`tables`]: words in columns.

mod bars;
mod beat;
pub mod progress;
pub mod runs_bar;
mod sequence_bar;
pub mod signals;
pub mod tables;

use std::io::{ErrorKind, Write, stdout};

use farm_worker::terminal;
use serde::Serialize;

use crate::failure::Failure;

/// One line for people, beside the data on stdout.
pub fn say(line: &str) {
    terminal::say("submitter", line);
}

/// Writes data, words or JSON, with nothing in them that a terminal obeys; a reader that has gone away has had enough, and
/// that is no failure.
pub fn write_stdout(data: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out
        .write_all(&terminal::data(data))
        .and_then(|()| out.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value for programs, as a line of JSON.
pub fn write_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    write_stdout(&line)
}
