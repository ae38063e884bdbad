//! The command lines of `submitter jobs` and `submitter workers`, as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use farm_queue::protocol::lines;
use farm_queue::redis::ConnectOptions;
use farm_worker::usage::Misuse;

use super::place::AccessArgs;
use super::requests::environment;
use super::serve::submit::ServerArgs;
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
    /// List the farm's jobs, the most urgent first; or a server's, the newest first.
    List {
        /// Those of this owner alone, as their submitters named him
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
        /// Or a server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show a job: progress, rate, time left, strips by worker, retries, dead strips and why.
    Show {
        /// The job.
        job: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
        /// Or a server.
        #[command(flatten)]
        server: ServerArgs,
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
        /// Or a server.
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Queue a job's dead strips again.
    Retry {
        /// The job.
        job: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
        /// Or a server.
        #[command(flatten)]
        server: ServerArgs,
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
    /// Have a worker give back at once what it has, and end.
    Stop {
        /// Its name, or its process as `list --json` has it; all workers of that name.
        worker: String,
        /// The farm.
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Have a worker finish or give back what it has, and start anew with the program that lies on its disk by then.
    Restart {
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
    /// The server that it is about instead of a farm.
    pub fn server(&self) -> Option<&ServerArgs> {
        let server = match self {
            Self::List { server, .. }
            | Self::Show { server, .. }
            | Self::Cancel { server, .. }
            | Self::Retry { server, .. } => server,
            Self::Pause { .. } | Self::Resume { .. } | Self::Priority { .. } => return None,
        };
        Some(server).filter(|server| server.server.is_some())
    }

    /// The farm that it is about.
    pub fn ask(&self) -> &AskArgs {
        match self {
            Self::List { ask, .. }
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
            Self::List(ask)
            | Self::Drain { ask, .. }
            | Self::Stop { ask, .. }
            | Self::Restart { ask, .. }
            | Self::Forgive { ask, .. } => ask,
        }
    }
}

fn priority(text: &str) -> Result<f64, String> {
    (text.parse().ok())
        .filter(|priority| (0.01..=1e6).contains(priority))
        .ok_or_else(|| "a priority is a number from 0.01 to 1000000".to_owned())
}

/// Options of `redis-acl`.
#[derive(Debug, Args)]
#[command(
    after_help = "Passwords are printed as their SHA-256, which is how Redis keeps them. Without a file a placeholder stands in their place, which Redis refuses until it is replaced.\n\nExamples:\n  submitter redis-acl --worker-password-file worker.pw --submitter-password-file submitter.pw | redis-cli -h HOST\n  submitter redis-acl --aclfile ... >> /etc/redis/users.acl"
)]
pub struct RedisAclArgs {
    /// Name of the workers' user
    #[arg(long, value_name = "NAME", default_value = "farm-worker", value_parser = user_name)]
    pub worker_user: String,
    /// Name of the submitters' user
    #[arg(long, value_name = "NAME", default_value = "farm-submitter", value_parser = user_name)]
    pub submitter_user: String,
    /// File whose first line is the workers' password
    #[arg(long, value_name = "FILE")]
    pub worker_password_file: Option<PathBuf>,
    /// File whose first line is the submitters' password
    #[arg(long, value_name = "FILE")]
    pub submitter_password_file: Option<PathBuf>,
    /// Lines for a file that Redis' `aclfile` names, instead of commands for redis-cli
    #[arg(long)]
    pub aclfile: bool,
}

/// Options of `worker-key`.
#[derive(Debug, Args)]
#[command(
    after_help = "With its own key a worker checks jobs and seals what it says with its name; it cannot speak for others. It is a secret, as the farm's key is.\n\nExample:\n  submitter worker-key gpu-1 --farm-key-file farm.key > gpu-1.key"
)]
pub struct WorkerKeyArgs {
    /// The worker's name, which is then its `--name`
    #[arg(value_name = "NAME", value_parser = worker_name)]
    pub name: String,
    /// File with the farm's key
    #[arg(long, value_name = "FILE")]
    pub farm_key_file: PathBuf,
}

fn worker_name(text: &str) -> Result<String, String> {
    if !text.trim().is_empty() && lines::worker_name(text) == text {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "a worker's name is one line of at most {} bytes without ':'",
            lines::MAX_NAME_BYTES
        ))
    }
}

fn user_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.is_empty() && text.chars().all(plain) && text != "default" {
        Ok(text.to_owned())
    } else {
        Err("a user's name is of letters, digits, '-', '_' and '.', and not 'default'".to_owned())
    }
}
