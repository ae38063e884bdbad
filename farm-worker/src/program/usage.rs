//! What both programs share of their command lines and their start: choices that both take, what they say about one
//! that they cannot use (one line, exit status 2), where logs go, and the threads that I/O runs on.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{Parser, ValueEnum};
use farm_queue::QueueError;
use fractal::BackendChoice;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::program::farm_args::FarmArgsError;
use crate::program::log_file::LogFile;
use crate::program::terminal::{self, Plain};

/// Exit status of a program that was called wrongly.
pub const USAGE: u8 = 2;
/// Threads that queues, heartbeats and logs run on; computing has its own.
const IO_THREADS: usize = 2;

/// Parses the process's arguments.
///
/// # Errors
/// The exit status to end with, after help and version went to stdout or one line to stderr.
pub fn parse<C: Parser>(program: &str) -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        if error.use_stderr() {
            let line = match error.kind() {
                // Then clap's message is the whole help.
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                    "no command given; see --help".to_owned()
                }
                _ => one_line(&error.to_string()),
            };
            terminal::say(program, line);
            ExitCode::from(USAGE)
        } else {
            let _ = error.print();
            ExitCode::SUCCESS
        }
    })
}

/// What is wrong with arguments that were parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub &'static str);

/// Whether an error that came later is about the command line after all: an address that is none, or none at all.
#[must_use]
pub fn is_misuse(error: &anyhow::Error) -> bool {
    error.is::<Misuse>()
        || error.is::<FarmArgsError>()
        || matches!(
            error.downcast_ref::<QueueError>(),
            Some(QueueError::Address { .. } | QueueError::Options(_))
        )
}

/// Which kinds of device, as both programs take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// Every hardware GPU, or the processor when there is none
    Auto,
    /// The processor alone
    Cpu,
    /// GPUs alone, software adapters too when there is no other
    Gpu,
}

impl From<BackendArg> for BackendChoice {
    fn from(arg: BackendArg) -> Self {
        match arg {
            BackendArg::Auto => Self::Auto,
            BackendArg::Cpu => Self::Cpu,
            BackendArg::Gpu => Self::Gpu,
        }
    }
}

/// How logs are written, as both programs take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people, in colour on a terminal
    Text,
    /// One JSON object a line, for machines
    Json,
}

/// Starts a program: its log on stderr, `filter` being a checked [`log_filter`], and the threads named `threads` that
/// its I/O runs on. Call it once.
///
/// # Errors
/// When the system gives no threads.
pub fn start(
    filter: &str,
    format: LogFormat,
    threads: &str,
) -> anyhow::Result<tokio::runtime::Runtime> {
    start_logging_to(None, filter, format, threads)
}

/// The same, with the log in a file of bounded size where one is given.
///
/// # Errors
/// When the system gives no threads, or the file cannot be written.
pub fn start_logging_to(
    file: Option<&Path>,
    filter: &str,
    format: LogFormat,
    threads: &str,
) -> anyhow::Result<tokio::runtime::Runtime> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .with_context(|| format!("--log '{filter}' is no log level"))?;
    let writer = match file {
        None => BoxMakeWriter::new(|| Plain(std::io::stderr())),
        Some(path) => {
            let log = LogFile::open(path)
                .with_context(|| format!("--log-file {}: cannot be written", path.display()))?;
            BoxMakeWriter::new(Mutex::new(Plain(log)))
        }
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    // One after the first of a process writes where the first did.
    let _ = match format {
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
        // In colour, unless NO_COLOR says otherwise.
        LogFormat::Text if file.is_none() && std::io::stderr().is_terminal() => log.try_init(),
        LogFormat::Text => log.with_ansi(false).try_init(),
    };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .thread_name(threads)
        .enable_all()
        .build()
        .context("cannot start the I/O threads")
}

/// Reads `--log`: a level, or several `target=level` with commas.
///
/// # Errors
/// One line, when it is neither.
pub fn log_filter(text: &str) -> Result<String, String> {
    let wrong =
        || "neither a level (error, warn, info, debug, trace) nor target=level,...".to_owned();
    for part in text.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        level
            .parse::<tracing_subscriber::filter::LevelFilter>()
            .map_err(|_| wrong())?;
    }
    tracing_subscriber::EnvFilter::try_new(text).map_err(|_| wrong())?;
    Ok(text.to_owned())
}

/// What clap says in several paragraphs, as one line: the message and its tips, without the usage.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let mut line = String::new();
    for part in message
        .lines()
        .map(str::trim)
        .take_while(|part| !part.starts_with("Usage:"))
    {
        if part.is_empty() || part.starts_with("For more information") {
            continue;
        }
        if let Some(tip) = part.strip_prefix("tip: ") {
            line.push_str("; ");
            line.push_str(tip);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(part);
        }
    }
    without_secrets(&line)
}

/// `line` without what may be a secret of an address that it quotes: what lies between its `://` and its last `@`,
/// and from its `?` to the last quotation mark.
///
/// Rather too much than too little: a password may hold any character, quotation marks too.
fn without_secrets(line: &str) -> String {
    let Some((before, address)) = line.split_once("://") else {
        return line.to_owned();
    };
    let (mask, rest) = match address.rsplit_once('@') {
        Some((_, rest)) => ("***@", rest),
        None => ("", address),
    };
    let rest = match (rest.find('?'), rest.rfind('\'')) {
        (Some(query), Some(end)) if query < end => {
            format!("{}?***{}", &rest[..query], &rest[end..])
        }
        (Some(query), None) => format!("{}?***", &rest[..query]),
        _ => rest.to_owned(),
    };
    format!("{before}://{mask}{rest}")
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn quoted_addresses_show_no_credentials() {
        for (given, shown) in [
            ("redis://u:secret@h", "redis://***@h"),
            ("redis://u:sec'ret@1?#/ secret@h:1/2", "redis://***@h:1/2"),
            ("redis://u:secret@h redis://u:secret@i", "redis://***@i"),
            ("--redsi=redis://u:secret@h", "--redsi=redis://***@h"),
            ("unix:///sock?user=u&pass=secret", "unix:///sock?***"),
            (
                "redis+sentinel://u:secret@h,i/m?sentinel_pass=secret",
                "redis+sentinel://***@h,i/m?***",
            ),
            ("redis://h", "redis://h"),
            ("u@h", "u@h"),
        ] {
            let said = format!("error: unrecognized subcommand '{given}'\n\nUsage: x\n");
            let line = one_line(&said);
            assert_eq!(line, format!("unrecognized subcommand '{shown}'"));
        }
    }

    #[test]
    fn several_paragraphs_become_one_line() {
        let said = "error: unexpected argument '--dens' found\n\n  tip: a similar argument exists: '--density'\n\nUsage: x\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(said),
            "unexpected argument '--dens' found; a similar argument exists: '--density'"
        );
        let said = "error: the following required arguments were not provided:\n  --redis <URL>\n\nUsage: y\n";
        assert_eq!(
            one_line(said),
            "the following required arguments were not provided: --redis <URL>"
        );
    }
}
