//! The commands: what was typed is handed to `requests`, and what comes of it is put into words.

mod batch;
mod colour;
mod farm;
mod info;
mod locate;
mod plan;
mod redis_acl;
mod render;
mod resume;
mod scale;
mod world;
mod zoom;

use std::sync::Arc;

use ::render::{Progress, Stop};
use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::terminal::progress::TerminalProgress;
use crate::terminal::write_stdout;

/// What all commands have: who is told of the work, and what stops it.
pub struct Context {
    /// Nothing is said of the work.
    pub quiet: bool,
    /// Who is told.
    pub progress: Arc<dyn Progress>,
    /// The request to stop.
    pub stop: Stop,
}

impl Context {
    /// Of a command that is to be `quiet`, or not.
    pub fn new(quiet: bool, stop: Stop) -> Self {
        Self {
            quiet,
            progress: Arc::new(TerminalProgress::new(quiet)),
            stop,
        }
    }
}

/// Does what a command line says.
pub async fn carry_out(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Render(args) => render::run(*args, context).await,
        Command::Zoom(args) => zoom::run(*args, context).await,
        Command::Plan(args) => plan::run(*args, context).await,
        Command::Locate(args) => locate::run(*args, context).await,
        Command::Colour(args) => colour::run(*args, context).await,
        Command::Info(args) => info::run(&args),
        Command::Batch(args) => batch::run(&args, context).await,
        Command::Resume(args) => resume::run(*args, context).await,
        Command::Scale(args) => scale::run(&args, context).await,
        Command::Jobs(command) => write_stdout(&farm::jobs(command).await?),
        Command::Workers(command) => write_stdout(&farm::workers(command).await?),
        Command::World(command) => world::run(command, context).await,
        Command::RedisAcl(args) => write_stdout(redis_acl::lines(&args)?.as_bytes()),
        Command::WorkerKey(args) => write_stdout(redis_acl::worker_key(&args)?.as_bytes()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "submitter", &mut script);
            write_stdout(&script)
        }
    }
}

/// Lets what follows compute and paint with so many threads, or with one for each core.
pub fn compute_with(threads: Option<u16>) {
    let threads = threads.map_or(0, usize::from);
    fractal::threads::want(threads);
    if threads > 0 {
        // What has no threads of its own, as packing EXR; a later command of a batch finds them started.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("threads-{number}"))
            .build_global();
    }
}
