//! Batch files: a list of requests with their means. Keys are the long options of a command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use disk::limited::{ReadError, read_text_limited};
use locations::toml_error;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use toml::{Spanned, Value};

use super::keys::{ColourKeys, Keys, LocateKeys, RenderKeys, ZoomKeys, palette_key};

/// Most bytes of a batch file.
const MAX_BYTES: u64 = 4 << 20;
/// Most jobs of one.
const MAX_JOBS: usize = 100_000;
/// Commands that jobs may be; those that make files.
const COMMANDS: [&str; 4] = ["render", "colour", "zoom", "locate"];
/// Options that are the batch's own.
const OWN: [&str; 6] = ["json", "quiet", "log", "log-format", "help", "version"];
/// Keys that are spelled another way, and the ones that they mean.
const ALIASES: [(&str, &str); 3] = [
    ("color", "colour"),
    ("color-range", "colour-range"),
    ("equalize", "equalise"),
];
/// Keys whose value is two numbers.
const PAIRS: [&str; 3] = ["z0", "julia", "colour-range"];
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

/// A job of a batch.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name in messages: as given, or its number and file.
    pub name: String,
    /// Which command.
    pub command: String,
    /// What it says.
    pub keys: Keys,
    /// The same as a command line, for people.
    pub line: String,
    /// Line of its first key.
    row: usize,
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
    pub fn wrong(&self, path: &Path, reason: impl std::fmt::Display) -> BatchError {
        BatchError::Malformed {
            path: path.to_owned(),
            reason: format!("{} (line {}): {reason}", self.name, self.row),
        }
    }
}

/// The jobs of a file; that they can be is not yet known.
pub fn read(path: &Path) -> Result<Vec<Job>, BatchError> {
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
    let file: File = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
    if file.jobs.is_empty() {
        return Err("has no [[job]]".to_owned());
    }
    let all: Vec<(&str, BTreeMap<String, Json>)> = COMMANDS
        .into_iter()
        .map(|command| (command, known_keys(command)))
        .collect();
    let mut jobs = Vec::new();
    for (at, own) in file.jobs.into_iter().enumerate() {
        let (number, own) = (at + 1, spelled_out(own));
        let first = own.values().map(|value| value.span().start).min();
        let row = first.map_or(0, line_at);
        let wrong = |reason: String| format!("job {number} (line {row}): {reason}");
        let typed: Vec<String> = own.keys().cloned().collect();
        let mut table = spelled_out(file.defaults.clone());
        table.extend(own);
        let mut named = |key: &str| match table.remove(key).map(Spanned::into_inner) {
            Some(Value::String(text)) => Ok(Some(text)),
            None => Ok(None),
            Some(_) => Err(wrong(format!("{key}: give a text in quotes"))),
        };
        let command = named("command")?.unwrap_or_else(|| "render".to_owned());
        let name = named("name")?;
        let known = all.iter().find(|(known, _)| *known == command);
        let (_, known) = known.ok_or_else(|| {
            let there = COMMANDS.join(", ");
            wrong(format!("command '{command}' is none of {there}"))
        })?;
        // Defaults are for jobs of all kinds: one that is another command's does not concern this one.
        let another_has = |key: &str| all.iter().any(|(_, keys)| keys.contains_key(key));
        table.retain(|key, _| typed.contains(key) || known.contains_key(key) || !another_has(key));
        let mut values = serde_json::Map::new();
        let mut line = format!("submitter {command}");
        for (key, value) in &table {
            let place = || format!("job {number} (line {}): ", line_at(value.span().start));
            let usual = known_key(known, key, &command).map_err(|error| place() + &error)?;
            let value = as_text(key, usual, value, text);
            let value = value.map_err(|error| place() + key + ": " + &error)?;
            add_to_line(&mut line, key, &value);
            let key = match (key.as_str(), &value) {
                ("palette", Json::String(text)) => palette_key(text),
                _ => key,
            };
            let single = [(key.to_owned(), value.clone())].into_iter().collect();
            keys_of(&command, single).map_err(|error| format!("{}{key}: {error}", place()))?;
            values.insert(key.to_owned(), value);
        }
        let keys = keys_of(&command, values).map_err(|error| wrong(error.to_string()))?;
        jobs.push(Job {
            name: match (name, keys.outputs().first()) {
                (Some(name), _) => name,
                (None, Some(path)) => format!("job {number}, {}", path.display()),
                (None, None) => format!("job {number}"),
            },
            command,
            keys,
            line,
            row,
        });
    }
    Ok(jobs)
}

/// A table by the keys that its keys mean.
fn spelled_out(table: Table) -> Table {
    let means = |key: String| {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == key);
        alias.map_or(key, |(_, means)| (*means).to_owned())
    };
    table
        .into_iter()
        .map(|(key, value)| (means(key), value))
        .collect()
}

/// The keys of a command, and what each is where it is not given.
fn known_keys(command: &str) -> BTreeMap<String, Json> {
    let keys = match command {
        "zoom" => serde_json::to_value(ZoomKeys::default()),
        "colour" => serde_json::to_value(ColourKeys::default()),
        "locate" => serde_json::to_value(LocateKeys::default()),
        _ => serde_json::to_value(RenderKeys::default()),
    };
    match keys {
        Ok(Json::Object(keys)) => {
            let is_ours = |key: &String| key != "palette-file";
            keys.into_iter().filter(|(key, _)| is_ours(key)).collect()
        }
        _ => BTreeMap::new(),
    }
}

/// What a key of a command is where it is not given.
fn known_key<'a>(
    known: &'a BTreeMap<String, Json>,
    key: &str,
    command: &str,
) -> Result<&'a Json, String> {
    if OWN.contains(&key) {
        return Err(format!(
            "{key} is an option of the batch, for all of its jobs"
        ));
    }
    known.get(key).ok_or_else(|| {
        let nearest = (known.keys())
            .map(|name| (strsim::jaro_winkler(name, key), name))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(alike, _)| *alike >= ALIKE);
        let hint = nearest.map_or_else(String::new, |(_, name)| format!("; there is {name}"));
        format!("'{key}' is no option of {command}{hint}")
    })
}

/// The typed keys of a job.
fn keys_of(command: &str, values: serde_json::Map<String, Json>) -> serde_json::Result<Keys> {
    fn typed<T: DeserializeOwned>(
        values: serde_json::Map<String, Json>,
    ) -> serde_json::Result<Box<T>> {
        serde_json::from_value(Json::Object(values)).map(Box::new)
    }
    Ok(match command {
        "zoom" => Keys::Zoom(typed(values)?),
        "colour" => Keys::Colour(typed(values)?),
        "locate" => Keys::Locate(typed(values)?),
        _ => Keys::Render(typed(values)?),
    })
}

/// A value as options have theirs: a switch, a text, or a list of texts.
fn as_text(key: &str, usual: &Json, value: &Spanned<Value>, text: &str) -> Result<Json, String> {
    let is_list = usual.is_array() || PAIRS.contains(&key);
    match value.get_ref() {
        Value::Boolean(on) if usual.is_boolean() => Ok(Json::Bool(*on)),
        _ if usual.is_boolean() => Err("give true or false".to_owned()),
        // As it was written: to all its digits.
        Value::Float(_) => {
            let written = text.get(value.span()).unwrap_or_default();
            Ok(Json::String(written.replace('_', "")))
        }
        Value::Array(values) if PAIRS.contains(&key) && !values.iter().any(Value::is_str) => {
            let written = text.get(value.span()).unwrap_or_default();
            let numbers = written.trim_matches(['[', ']']).split(',').map(str::trim);
            let numbers = numbers.filter(|number| !number.is_empty());
            let texts = numbers.map(|number| Json::String(number.replace('_', "")));
            Ok(Json::Array(texts.collect()))
        }
        Value::Array(values) if is_list => {
            let words = values.iter().map(word).collect::<Result<_, _>>()?;
            Ok(Json::Array(words))
        }
        Value::Array(_) => Err("takes one value, and no list".to_owned()),
        single => word(single),
    }
}

fn word(value: &Value) -> Result<Json, String> {
    match value {
        Value::String(text) => Ok(Json::String(text.clone())),
        Value::Integer(number) => Ok(Json::String(number.to_string())),
        Value::Float(number) => Ok(Json::String(format!("{number:?}"))),
        _ => Err("give a text, a number, or a list of them".to_owned()),
    }
}

/// Puts an option on a command line for people.
fn add_to_line(line: &mut String, key: &str, value: &Json) {
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Json::Bool(true) => *line += &format!(" --{key}"),
        Json::Bool(false) => {}
        Json::Array(values) if PAIRS.contains(&key) => {
            let words: Vec<String> = values.iter().map(text).collect();
            *line += &format!(" --{key} {}", words.join(" "));
        }
        Json::Array(values) => {
            for value in values {
                *line += &format!(" --{key}={}", text(value));
            }
        }
        value if key == "data" => *line += &format!(" {}", text(value)),
        value => *line += &format!(" --{key}={}", text(value)),
    }
}

#[cfg(test)]
mod tests;
