//! `submitter locate`.

use std::path::Path;

use disk::write_whole;
use locations::{Format, Location};
use requests::perform::minibrot::minibrot;

use crate::cli::render::LocateArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::{write_json, write_stdout};

/// Finds a minibrot, and writes its place.
pub async fn run(args: LocateArgs, context: &Context) -> Result<(), Failure> {
    let (json, output) = (args.json, args.output.clone());
    let (request, file) = args.split();
    let location = minibrot(request, file, &context.progress, &context.stop).await?;
    if json && output.is_none() {
        return write_json(&location.value());
    }
    write(&location, output.as_deref())
}

/// Writes a place to a file, or to stdout.
pub fn write(location: &Location, output: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = output else {
        return write_stdout(location.text().as_bytes());
    };
    let is_kfr = (path.extension()).is_some_and(|kind| kind.eq_ignore_ascii_case("kfr"));
    let format = if is_kfr { Format::Kfr } else { Format::Own };
    let text = location.text_as(format);
    let text = text.map_err(Failure::failed)?;
    Ok(write_whole(path, text.as_bytes())?)
}
