//! `submitter scale`: one picture by each number of workers, in turns, and what that says.
//!
//! [`sweep`] runs the renders, [`figures`] makes rows of their times, [`processors`] knows which workers had processors
//! of their own, [`chart`] draws.

mod chart;
mod figures;
mod processors;
mod sweep;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use farm_worker::usage;

use crate::cli::scale::ScaleArgs;
use crate::output;

/// Sweeps over the numbers of workers, and says what came of it.
///
/// # Errors
/// What is wrong with the arguments, the farm or a render; pictures that differ.
pub fn run(args: &ScaleArgs) -> anyhow::Result<()> {
    let (charts, pictures): (Vec<PathBuf>, Vec<PathBuf>) =
        (args.outputs.iter().cloned()).partition(|path| is_chart(path));
    for path in &charts {
        check_place(path)?;
    }
    let plan = sweep::Plan::new(args, pictures)?;
    let runtime = usage::start(&args.log.level, args.log.format, "submitter-io")?;
    let swept = runtime.block_on(plan.run());
    runtime.shutdown_timeout(crate::LAST_GASP);
    let sweep = swept?;
    for path in &charts {
        output::write_whole(path, chart::svg(&sweep).as_bytes())?;
    }
    if args.say.json {
        let mut line = serde_json::to_vec(&sweep).context("cannot make the report")?;
        line.push(b'\n');
        return crate::to_stdout(&line);
    }
    crate::to_stdout(sweep.text().as_bytes())
}

fn is_chart(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("svg"))
}

/// Refuses a place for a chart before any picture is rendered.
fn check_place(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        bail!("{}: is a directory; name a file", path.display());
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        bail!("{}: there is no such folder", folder.display());
    }
    Ok(())
}
