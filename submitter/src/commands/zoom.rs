//! `submitter zoom`.

use std::path::Path;
use std::sync::Arc;

use requests::perform::sequence::{SequenceReport, sequence};
use requests::{SequenceMeans, SequenceRequest};
use zoom::sinks::sink::RawStream;

use crate::cli::zoom::ZoomArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::{say, write_json};

/// Makes a sequence, and says how it went.
pub async fn run(args: ZoomArgs, context: &Context) -> Result<(), Failure> {
    let json = args.say.json;
    if json && args.output == Path::new("-") {
        let line = "-o - writes frames to stdout: not with --json";
        return Err(Failure::usage(line));
    }
    let (request, means) = args.split()?;
    let report = make(request, means, context).await?;
    if json { write_json(&report) } else { Ok(()) }
}

/// Makes a sequence, and says in a line how it went.
pub async fn make(
    request: SequenceRequest,
    means: SequenceMeans,
    context: &Context,
) -> Result<SequenceReport, Failure> {
    let raw = RawStream(Box::new(std::io::stdout()));
    let progress = Arc::clone(&context.progress);
    let report = sequence(request, means, raw, progress, &context.stop).await?;
    if !context.quiet {
        say(&report.report.summary());
    }
    Ok(report)
}
