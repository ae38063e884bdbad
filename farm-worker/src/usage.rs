//! What both programs say about a command line that they cannot use: one line, exit status 2.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use farm_queue::QueueError;

/// Exit status of a program that was called wrongly.
pub const USAGE: u8 = 2;

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
            let _ = writeln!(std::io::stderr(), "{program}: {line}");
            ExitCode::from(USAGE)
        } else {
            let _ = error.print();
            ExitCode::SUCCESS
        }
    })
}

/// Whether an error that came later is about the command line after all: an address that is none.
#[must_use]
pub fn is_misuse(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<QueueError>(),
        Some(QueueError::Address { .. })
    )
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
    line
}

#[cfg(test)]
mod tests {
    use super::one_line;

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
