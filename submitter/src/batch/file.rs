//! Batch files: TOML whose keys are the long options of a command, so that the command line is the one place that
//! knows what there is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, CommandFactory};
use farm_worker::limited::{ReadError, read_text_limited};
use serde::Deserialize;
use toml::{Spanned, Value};

use crate::cli::Cli;
use crate::location::said;

/// Most bytes of a batch file.
const MAX_BYTES: u64 = 4 << 20;
/// Most jobs of one.
const MAX_JOBS: usize = 100_000;
/// Commands that jobs may be; those that make files.
const COMMANDS: [&str; 4] = ["render", "colour", "zoom", "locate"];
/// Options that are the batch's own.
const OWN: [&str; 6] = ["json", "quiet", "log", "log-format", "help", "version"];
/// How alike a known name has to be to be proposed, 0 to 1.
const ALIKE: f64 = 0.7;

/// Why a file is no batch, in one line.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// It cannot be read.
    #[error("cannot read {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It is too long, or has too many jobs.
    #[error("{}: a batch of more than {MAX_BYTES} bytes or {MAX_JOBS} jobs", .0.display())]
    TooLong(PathBuf),
    /// It is something else.
    #[error("{}: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
}

/// A job, as its command line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Job {
    /// Its name in messages: as given, or its number and file.
    pub(super) name: String,
    /// Which command.
    pub(super) command: String,
    /// The whole command line.
    pub(super) words: Vec<OsString>,
    /// Files that it writes.
    pub(super) outputs: Vec<PathBuf>,
    /// Files that it reads, from the system's root.
    pub(super) inputs: Vec<PathBuf>,
    /// The folder in which it keeps key frames, and the one from which it takes them, likewise.
    pub(super) kept: Option<PathBuf>,
    pub(super) reused: Option<PathBuf>,
    /// Line of its first key.
    line: usize,
}

type Table = BTreeMap<String, Spanned<Value>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: Table,
    #[serde(default, rename = "job")]
    jobs: Vec<Table>,
}

impl Job {
    /// A mistake in it.
    pub(super) fn wrong(&self, path: &Path, reason: impl std::fmt::Display) -> BatchError {
        BatchError::Malformed {
            path: path.to_owned(),
            reason: format!("{} (line {}): {reason}", self.name, self.line),
        }
    }

    /// The command line for people.
    pub(super) fn line(&self) -> String {
        let words = self.words.iter().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    }
}

/// The jobs of a file; that their command lines can be is not yet known.
pub(super) fn read(path: &Path) -> Result<Vec<Job>, BatchError> {
    let text = read_text_limited(path, MAX_BYTES).map_err(|error| match error {
        ReadError::TooLong(_) => BatchError::TooLong(path.to_owned()),
        other => BatchError::Unreadable {
            path: path.to_owned(),
            reason: other.into(),
        },
    })?;
    let malformed = |reason| BatchError::Malformed {
        path: path.to_owned(),
        reason,
    };
    let jobs = parse(&text).map_err(malformed)?;
    if jobs.len() > MAX_JOBS {
        return Err(BatchError::TooLong(path.to_owned()));
    }
    Ok(jobs)
}

fn parse(text: &str) -> Result<Vec<Job>, String> {
    let line_at = |byte: usize| text.get(..byte).map_or(0, |t| t.matches('\n').count()) + 1;
    let file: File = toml::from_str(text).map_err(|error| said(text, &error))?;
    if file.jobs.is_empty() {
        return Err("has no [[job]]".to_owned());
    }
    let all = Cli::command();
    let mut jobs = Vec::new();
    for (at, own) in file.jobs.into_iter().enumerate() {
        let first = own.values().map(|value| value.span().start).min();
        let line = first.map_or(0, line_at);
        let typed: Vec<String> = own.keys().cloned().collect();
        let mut table = file.defaults.clone();
        table.extend(own);
        let number = at + 1;
        let mut named = |key: &str| match table.remove(key).map(Spanned::into_inner) {
            Some(Value::String(text)) => Ok(Some(text)),
            None => Ok(None),
            Some(_) => Err(format!(
                "job {number} (line {line}): {key}: give a text in quotes"
            )),
        };
        let command = named("command")?.unwrap_or_else(|| "render".to_owned());
        let name = named("name")?;
        let wrong = |reason: String| format!("job {number} (line {line}): {reason}");
        let known = all.find_subcommand(&command);
        let known = known.filter(|_| COMMANDS.contains(&command.as_str()));
        let known = known.ok_or_else(|| {
            let there = COMMANDS
                .into_iter()
                .filter(|name| all.find_subcommand(name).is_some());
            let there: Vec<&str> = there.collect();
            wrong(format!(
                "command '{command}' is none of {}",
                there.join(", ")
            ))
        })?;
        // Defaults are for jobs of all kinds: one that is another command's does not concern this one.
        let another_has = |key: &str| {
            let mut commands = COMMANDS.iter().filter_map(|name| all.find_subcommand(name));
            commands.any(|command| option(command, key).is_ok())
        };
        table.retain(|key, _| {
            typed.contains(key) || option(known, key).is_ok() || !another_has(key)
        });
        let mut job = Job {
            name: String::new(),
            words: vec!["submitter".into(), command.as_str().into()],
            command,
            outputs: Vec::new(),
            inputs: Vec::new(),
            kept: None,
            reused: None,
            line,
        };
        let mut last: Vec<OsString> = Vec::new();
        for (key, value) in &table {
            let place = || format!("job {number} (line {}): ", line_at(value.span().start));
            let arg = option(known, key).map_err(|error| place() + &error)?;
            let values = values(arg, value, text).map_err(|error| place() + key + ": " + &error)?;
            job.add(arg, key, values, &mut last);
        }
        job.words.push("--".into());
        job.words.append(&mut last);
        let usual = match &*job.command {
            "render" => Some("mandelbrot.png"),
            "zoom" => Some("zoom.mp4"),
            _ => None,
        };
        if job.outputs.is_empty() {
            job.outputs.extend(usual.map(PathBuf::from));
        }
        job.name = match (name, job.outputs.first()) {
            (Some(name), _) => name,
            (None, Some(path)) => format!("job {number}, {}", path.display()),
            (None, None) => format!("job {number}"),
        };
        jobs.push(job);
    }
    Ok(jobs)
}

/// The option of a command that a key means.
fn option<'a>(command: &'a clap::Command, key: &str) -> Result<&'a Arg, String> {
    if OWN.contains(&key) {
        return Err(format!(
            "{key} is an option of the batch, for all of its jobs"
        ));
    }
    let named = |arg: &&Arg| {
        let aliases = arg.get_all_aliases().unwrap_or_default();
        let is_long = arg.get_long() == Some(key) || aliases.contains(&key);
        is_long || arg.is_positional() && arg.get_id() == key
    };
    command.get_arguments().find(named).ok_or_else(|| {
        let names = command.get_arguments().filter_map(Arg::get_long);
        let nearest = names
            .filter(|name| !OWN.contains(name))
            .map(|name| (strsim::jaro_winkler(name, key), name))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(alike, _)| *alike >= ALIKE);
        let hint = nearest.map_or_else(String::new, |(_, name)| format!("; there is {name}"));
        format!("'{key}' is no option of {}{hint}", command.get_name())
    })
}

/// The values of a key as words; `None` for a switch that is off, and none of them for one that is on.
fn values(arg: &Arg, value: &Spanned<Value>, text: &str) -> Result<Option<Vec<String>>, String> {
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    let many = matches!(arg.get_action(), ArgAction::Append)
        || arg
            .get_num_args()
            .is_some_and(|range| range.max_values() > 1);
    match value.get_ref() {
        Value::Boolean(on) if is_switch => Ok(on.then(Vec::new)),
        _ if is_switch => Err("give true or false".to_owned()),
        // As it was written: to all its digits.
        Value::Float(_) => {
            let written = text.get(value.span()).unwrap_or_default();
            Ok(Some(vec![written.replace('_', "")]))
        }
        Value::Array(values) if many => values.iter().map(word).collect::<Result<_, _>>().map(Some),
        Value::Array(_) => Err("takes one value, and no list".to_owned()),
        single => Ok(Some(vec![word(single)?])),
    }
}

fn word(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(format!("{number:?}")),
        _ => Err("give a text, a number, or a list of them".to_owned()),
    }
}

impl Job {
    /// Puts an option on the command line; what has no name goes to `last`.
    fn add(&mut self, arg: &Arg, key: &str, values: Option<Vec<String>>, last: &mut Vec<OsString>) {
        let Some(values) = values else { return };
        match key {
            "output" => self.outputs.extend(values.iter().map(PathBuf::from)),
            "location" | "data" => self.inputs.extend(absolute(&values)),
            "keep" => self.kept = absolute(&values).next(),
            "reuse" => self.reused = absolute(&values).next(),
            _ => {}
        }
        if arg.is_positional() {
            last.extend(values.into_iter().map(OsString::from));
            return;
        }
        let together = arg
            .get_num_args()
            .is_some_and(|range| range.min_values() > 1);
        if values.is_empty() || together {
            self.words.push(format!("--{key}").into());
            self.words.extend(values.into_iter().map(OsString::from));
        } else {
            let words = values.iter().map(|value| format!("--{key}={value}").into());
            self.words.extend(words);
        }
    }
}

/// Paths from the system's root.
fn absolute(paths: &[String]) -> impl Iterator<Item = PathBuf> {
    (paths.iter()).filter_map(|path| std::path::absolute(path).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        parse(text).unwrap().iter().map(Job::line).collect()
    }

    #[test]
    fn keys_are_options() {
        let text = "[defaults]\nsize = \"64x48\"\nfresh = true\n\n\
            [[job]]\nre = -0.743643887037158704752191506114774\nim = \"0.1\"\nzoom = 1e40\noutput = [\"a.png\", \"a.exr\"]\n\
            z0 = [-0.5, 1]\n\n[[job]]\nname = \"all\"\nfresh = false\niterations = 1_000\n";
        assert_eq!(
            lines(text),
            [
                "submitter render --fresh --im=0.1 --output=a.png --output=a.exr --re=-0.743643887037158704752191506114774 --size=64x48 --z0 -0.5 1 --zoom=1e40 --",
                "submitter render --iterations=1000 --size=64x48 --",
            ]
        );
        let mixed = "[defaults]\nbackend = \"cpu\"\nfps = 10\n[[job]]\n[[job]]\ncommand = \"zoom\"\nkeep = \"k\"\n\
            [[job]]\ncommand = \"colour\"\ndata = \"a.npy\"\noutput = \"b.png\"\n";
        assert_eq!(
            lines(mixed),
            [
                "submitter render --backend=cpu --",
                "submitter zoom --backend=cpu --fps=10 --keep=k --",
                "submitter colour --output=b.png -- a.npy",
            ]
        );
        let jobs = parse(mixed).unwrap();
        assert_eq!(jobs[1].outputs, [PathBuf::from("zoom.mp4")]);
        assert!(
            jobs[1]
                .kept
                .as_ref()
                .is_some_and(|path| path.ends_with("k"))
        );
        let jobs = parse(text).unwrap();
        assert_eq!(jobs[0].name, "job 1, a.png");
        assert_eq!(jobs[1].name, "all");
        assert_eq!(jobs[1].outputs, [PathBuf::from("mandelbrot.png")]);
    }

    #[test]
    fn mistakes_are_one_line_with_their_place() {
        for (text, says) in [
            ("", "no [[job]]"),
            (
                "[[job]]\nzom = 5\n",
                "job 1 (line 2): 'zom' is no option of render; there is zoom",
            ),
            (
                "[defaults]\npallete = \"magma\"\n[[job]]\n",
                "job 1 (line 2): 'pallete'",
            ),
            ("[[job]]\nxyzzy = 5\n", "'xyzzy' is no option of render"),
            ("[[job]]\nfresh = 1\n", "fresh: give true or false"),
            ("[[job]]\nsize = [\"1x1\"]\n", "size: takes one value"),
            ("[[job]]\nsize = { a = 1 }\n", "size: give a text"),
            ("[[job]]\njson = true\n", "json is an option of the batch"),
            (
                "[[job]]\ncommand = \"jobs\"\n",
                "command 'jobs' is none of render",
            ),
            ("[[job]]\nname = 5\n", "name: give a text"),
            ("[[jobs]]\n", "unknown field `jobs`"),
            ("[[job]]\nsize = \"1x1\nx", "line 3: "),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.contains(says) && !error.contains('\n'),
                "{text:?}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_file_is_too_much(text in "(\\[\\[job\\]\\]\n|\\[defaults\\]\n|[a-z]{1,6} = |[0-9.e-]{1,5}\n|\"\n|.{0,5}){0,12}") {
            if let Err(error) = parse(&text) {
                prop_assert!(!error.contains('\n'), "{error}");
            }
        }
    }
}
