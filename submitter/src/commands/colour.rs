//! `submitter colour`.

use std::path::Path;

use requests::perform::colours::{PaintReport, colours};

use crate::cli::colour::RecolourArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::{say, write_json};

/// Paints data anew, and says how it went.
pub async fn run(args: RecolourArgs, context: &Context) -> Result<(), Failure> {
    let (json, data) = (args.say.json, args.data.clone());
    let (request, means) = args.split();
    let report = colours(request, means, &*context.progress, &context.stop).await?;
    if json {
        write_json(&report)?;
    }
    say_done(&report, &data, context);
    Ok(())
}

/// Says how a painting went.
pub fn say_done(report: &PaintReport, data: &Path, context: &Context) {
    if !context.quiet {
        say(&format!(
            "{}: {} x {} pixels from {} in {:.1} s",
            report.output,
            report.width,
            report.height,
            data.display(),
            report.elapsed_secs
        ));
    }
}
