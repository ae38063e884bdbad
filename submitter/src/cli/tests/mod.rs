//! What is typed becomes plans.

mod colours;
mod pictures;
mod sequences;

use clap::{CommandFactory, Parser};
use render::RenderPlan;
use requests::plan::refused::PlanError;
use requests::{Means, PictureRequest};

use super::{Cli, Command};

/// What a command line asks for.
fn request(line: &str) -> (PictureRequest, Means) {
    let words = ["submitter", "render"]
        .into_iter()
        .chain(line.split_whitespace());
    let Command::Render(args) = Cli::try_parse_from(words).unwrap().command else {
        unreachable!("those words are `render`")
    };
    args.split().unwrap()
}

/// The plan of a command line.
fn planned(line: &str) -> Result<RenderPlan, PlanError> {
    let (request, means) = request(line);
    requests::plan::picture::picture(request, &means)
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}
