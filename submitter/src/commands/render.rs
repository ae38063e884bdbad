//! `submitter render`.

use farm_worker::terminal;
use requests::perform::picture::{Made, PictureReport, picture};

use crate::cli::render::RenderArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::write_json;

/// Renders, and says how it went.
pub async fn run(args: RenderArgs, context: &Context) -> Result<(), Failure> {
    let json = args.say.json;
    let (request, means) = args.split()?;
    let made = picture(request, means, &*context.progress, &context.stop).await?;
    match made {
        Made::Rendered(rendered) => say(&rendered.report, json, context),
        Made::Places(paths) if json => {
            let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
            write_json(&serde_json::json!({ "outputs": paths }))
        }
        Made::Places(_) => Ok(()),
    }
}

/// Says how a render went.
pub fn say(report: &PictureReport, json: bool, context: &Context) -> Result<(), Failure> {
    if !context.quiet {
        terminal::say_alone(report.report.summary());
    }
    if json { write_json(report) } else { Ok(()) }
}
