//! The commands: what was typed is handed to `requests`, and what comes of it is put into words.

mod batch;
mod colour;
pub mod context;
mod farm;
mod formulas;
mod info;
mod locate;
mod manual;
mod plan;
mod redis_acl;
mod render;
mod resume;
mod scale;
mod server;
mod world;
mod zoom;

use context::Context;
use server::{serve, submit};

use crate::cli::Command;
use crate::cli::shells::scripts::completions;
use crate::failure::Failure;
use crate::terminal::write_stdout;

/// Does what a command line says.
pub async fn carry_out(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Render(args) => render::run(*args, context).await,
        Command::Zoom(args) => zoom::run(*args, context).await,
        Command::Plan(args) => plan::run(*args, context).await,
        Command::Locate(args) => locate::run(*args, context).await,
        Command::Colour(args) => colour::run(*args, context).await,
        Command::Info(args) => info::run(&args),
        Command::Formulas(args) => formulas::run(args, context).await,
        Command::Batch(args) => batch::run(&args, context).await,
        Command::Resume(args) => resume::run(*args, context).await,
        Command::Scale(args) => scale::run(&args, context).await,
        Command::Serve(args) => serve::run(*args, context).await,
        Command::Submit(args) => submit::run(*args).await,
        Command::Jobs(command) => write_stdout(&farm::jobs(command).await?),
        Command::Workers(command) => write_stdout(&farm::workers(command).await?),
        Command::World(command) => world::run(command, context).await,
        Command::RedisAcl(args) => write_stdout(redis_acl::lines(&args)?.as_bytes()),
        Command::WorkerKey(args) => write_stdout(redis_acl::worker_key(&args)?.as_bytes()),
        Command::Completions(args) => write_stdout(&completions(&args)),
        Command::Manual(args) => manual::run(&args),
    }
}
