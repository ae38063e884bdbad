//! What is printed for programs.

use anyhow::Context;
use serde::Serialize;

/// One JSON value as a line.
pub fn json_line(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).context("cannot make the JSON")?;
    line.push(b'\n');
    Ok(line)
}
