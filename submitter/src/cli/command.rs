//! All commands.

use clap::{Parser, Subcommand};
use farm_worker::usage::LogFormat;

use super::colour::RecolourArgs;
use super::farm::{JobsCommand, RedisAclArgs, WorkerKeyArgs, WorkersCommand};
use super::files::{BatchArgs, InfoArgs};
use super::render::{FormulasArgs, LocateArgs, RenderArgs, ResumeArgs};
use super::scale::ScaleArgs;
use super::serve::ServeArgs;
use super::serve::submit::SubmitArgs;
use super::shells::args::{CompletionsArgs, ManualArgs};
use super::world::WorldCommand;
use super::zoom::ZoomArgs;

/// Renders pictures of the Mandelbrot set, on this machine or on a farm.
#[derive(Debug, Parser)]
#[command(
    name = "submitter",
    version,
    after_help = "Examples:\n  submitter render --density 4096\n  submitter render --re -0.7436 --im 0.1318 --zoom 2000 --size 1920x1080 -o seahorse.png\n  submitter render --redis rediss://farm.example --density 8192 -o big.png -o big.npy\n\nExit status: 0 done, 1 failed, 2 usage, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Render one picture.
    Render(Box<RenderArgs>),
    /// Make a video of a zoom into a place, or numbered pictures of it.
    Zoom(Box<ZoomArgs>),
    /// Show what a render would do: view, digits, arithmetic, strips, memory and work; computes nothing.
    #[command(
        after_help = "Takes the options of `render`.\n\nExamples:\n  submitter plan --re -0.75 --im 0.1 --zoom 1e50 --iterations 100000\n  submitter plan --density 4096 --json"
    )]
    Plan(Box<RenderArgs>),
    /// Find the minibrot in or near a view: its period, nucleus and size, and a view of it, as a location file.
    Locate(Box<LocateArgs>),
    /// Paint data that were computed before, in other colours; computes nothing.
    Colour(Box<RecolourArgs>),
    /// Show what a picture, a location or an array holds.
    Info(InfoArgs),
    /// List the formulas that have a name, with a small picture of each.
    Formulas(FormulasArgs),
    /// Render a list of pictures, and go on when one fails.
    Batch(Box<BatchArgs>),
    /// Continue a render that was interrupted, failed or killed.
    Resume(Box<ResumeArgs>),
    /// Render a picture with 1, 2, 3 … workers, and show what more of them gain.
    Scale(Box<ScaleArgs>),
    /// Serve a page: an explorer of the set in the browser.
    Serve(Box<ServeArgs>),
    /// Hand a job to a running server, and return.
    Submit(Box<SubmitArgs>),
    /// See and steer the jobs of a farm.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// See and drain the workers of a farm.
    #[command(subcommand)]
    Workers(WorkersCommand),
    /// Check, boot, look at and shut down networks of machines, as a world file describes them.
    #[command(subcommand)]
    World(WorldCommand),
    /// Print the Redis users of a farm, with no more rights than workers and submitters need.
    RedisAcl(RedisAclArgs),
    /// Print the key of one worker, made from the farm's: with it that worker speaks for itself alone.
    WorkerKey(WorkerKeyArgs),
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Write manual pages of both programs into a folder.
    Manual(ManualArgs),
}

impl Command {
    /// How many threads it was given, where it says so.
    #[must_use]
    pub fn threads(&self) -> Option<u16> {
        let args = match self {
            Self::Render(args) | Self::Plan(args) => args.threads,
            Self::Zoom(args) => args.place.threads,
            Self::Locate(args) => args.threads,
            Self::Colour(args) => args.threads,
            Self::Batch(args) => args.threads,
            Self::Resume(args) => args.threads,
            Self::Serve(args) => args.threads,
            _ => return None,
        };
        args.threads
    }

    /// How much is logged, and how.
    #[must_use]
    pub fn log(&self) -> (String, LogFormat) {
        let log = match self {
            Self::Render(args) | Self::Plan(args) => &args.log,
            Self::Zoom(args) => &args.log,
            Self::Resume(args) => &args.log,
            Self::Scale(args) => &args.log,
            Self::Batch(args) => &args.log,
            Self::Serve(args) => &args.log,
            _ => return ("warn".to_owned(), LogFormat::Text),
        };
        (log.level.clone(), log.format)
    }

    /// Whether nothing is to be said of the work.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        match self {
            Self::Render(args) | Self::Plan(args) => args.say.quiet,
            Self::Zoom(args) => args.say.quiet,
            Self::Resume(args) => args.say.quiet,
            Self::Scale(args) => args.say.quiet,
            Self::Batch(args) => args.say.quiet,
            Self::Colour(args) => args.say.quiet,
            Self::Locate(args) => args.quiet,
            Self::Submit(args) => args.work.is_quiet(),
            _ => false,
        }
    }

    /// The farm's address as it was given, to whichever command.
    pub fn redis(&self) -> Option<&str> {
        match self {
            Self::Render(args) | Self::Plan(args) => args.access.redis(),
            Self::Zoom(args) => args.place.access.redis(),
            Self::Resume(args) => args.access.redis(),
            Self::Scale(args) => args.access.redis(),
            Self::Jobs(command) => command.ask().access.redis(),
            Self::Workers(command) => command.ask().access.redis(),
            Self::Serve(args) => args.redis(),
            Self::Locate(_)
            | Self::Colour(_)
            | Self::World(_)
            | Self::Info(_)
            | Self::Formulas(_)
            | Self::Batch(_)
            | Self::Submit(_)
            | Self::RedisAcl(_)
            | Self::WorkerKey(_)
            | Self::Completions(_)
            | Self::Manual(_) => None,
        }
    }
}
