//! Words and data.

use std::io::{ErrorKind, Write, stdout};

use anyhow::Context;
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
    write_stdout(&json_line(value)?)
}

/// A value for programs, as a line of JSON.
pub fn json_line(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).context("cannot make the JSON")?;
    line.push(b'\n');
    Ok(line)
}
