//! The command lines of `submitter jobs` and `submitter workers`, as typed.

use clap::{Args, Subcommand};
use farm_queue::redis::ConnectOptions;
use farm_worker::usage::Misuse;

use super::place::AccessArgs;
use super::requests::environment;
use crate::failure::Failure;

/// Options of everything that looks at a farm.
#[derive(Debug, Args)]
#[command(mut_arg("redis", |redis| redis.help("The farm's Redis, rediss://[USER:PASSWORD@]HOST[:PORT] (TLS), redis:// (plain text), unix:///PATH, or what Sentinels call NAME: rediss+sentinel://HOST[:PORT],HOST/NAME")))]
pub struct AskArgs {
    /// The farm.
    #[command(flatten)]
    pub access: AccessArgs,
    /// Print JSON on stdout
    #[arg(long)]
    pub json: bool,
}

impl AskArgs {
    /// The way into the farm.
    ///
    /// # Errors
    /// When no Redis is given, or a file that belongs to the way cannot be used.
    pub fn options(&self) -> Result<ConnectOptions, Failure> {
        let url = (self.access.redis.as_deref().map(str::trim))
            .filter(|url| !url.is_empty())
            .ok_or(Misuse(
                "no Redis given: --redis and FARM_REDIS are empty or not set",
            ))?;
        Ok(self.access.farm.options(url.to_owned(), environment())?)
    }
}

/// What to do with jobs. JOB is a job's name, or the beginning or end of one that fits no other.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List the farm's jobs, the most urgent first.
    List(AskArgs),
    /// Show a job: progress, rate, time left, strips by worker, retries, dead strips and why.
    Show {
        /// The job.
        job: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Offer no more of a job's strips to workers; what they have is finished.
    Pause {
        /// The job.
        job: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Go on with a paused job.
    Resume {
        /// The job.
        job: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// End a job; its strips stop being computed within seconds.
    Cancel {
        /// The job.
        job: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Queue a job's dead strips again.
    Retry {
        /// The job.
        job: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Give a job another weight when workers choose among jobs: a job of 3 gets three times the strips of one of 1.
    Priority {
        /// The job.
        job: String,
        /// From 0.01 to 1000000; 1 where none was given.
        #[arg(value_parser = priority)]
        priority: f64,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
}

/// What to do with workers.
#[derive(Debug, Subcommand)]
pub enum WorkersCommand {
    /// List the farm's workers: devices, strips, seconds worked, quarantine.
    List(AskArgs),
    /// Ask a worker to finish or give back what it has, and end.
    Drain {
        /// Its name, or its process as `list --json` has it; all workers of that name.
        worker: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Let a worker out of quarantine, and forget why it was there.
    Forgive {
        /// Its name.
        worker: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
}

impl JobsCommand {
    /// The farm that it is about.
    pub fn ask(&self) -> &AskArgs {
        match self {
            Self::List(ask)
            | Self::Show { ask, .. }
            | Self::Pause { ask, .. }
            | Self::Resume { ask, .. }
            | Self::Cancel { ask, .. }
            | Self::Retry { ask, .. }
            | Self::Priority { ask, .. } => ask,
        }
    }
}

impl WorkersCommand {
    /// The farm that it is about.
    pub fn ask(&self) -> &AskArgs {
        match self {
            Self::List(ask) | Self::Drain { ask, .. } | Self::Forgive { ask, .. } => ask,
        }
    }
}

fn priority(text: &str) -> Result<f64, String> {
    (text.parse().ok())
        .filter(|priority| (0.01..=1e6).contains(priority))
        .ok_or_else(|| "a priority is a number from 0.01 to 1000000".to_owned())
}
