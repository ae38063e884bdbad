//! `submitter scale`: one picture by each number of workers, in turns, and what that says.
//!
//! [`sweep`] runs the renders, [`figures`] makes rows of their times, [`processors`] knows which workers had processors
//! of their own, [`chart`] draws.

mod chart;
mod figures;
mod processors;
mod sweep;

use std::path::{Path, PathBuf};

use anyhow::bail;
use disk::write_whole;

use crate::cli::scale::ScaleArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::{write_json, write_stdout};

/// Sweeps over the numbers of workers, and says what came of it.
///
/// # Errors
/// What is wrong with the arguments, the farm or a render; pictures that differ.
pub async fn run(args: &ScaleArgs, context: &Context) -> Result<(), Failure> {
    let (charts, pictures): (Vec<PathBuf>, Vec<PathBuf>) =
        (args.outputs.iter().cloned()).partition(|path| is_chart(path));
    for path in &charts {
        check_place(path)?;
    }
    let (plan, placing) = sweep::Plan::new(args, pictures, context).await?;
    let sweep = plan.run(placing, context).await?;
    for path in &charts {
        write_whole(path, chart::svg(&sweep).as_bytes())?;
    }
    if args.say.json {
        return write_json(&sweep);
    }
    write_stdout(sweep.text().as_bytes())
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
