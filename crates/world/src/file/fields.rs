//! Reads the keys of one table of a world file, each of its kind, and refuses those that nobody asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use farm_queue::redis::ConnectOptions;
use fractal::BackendChoice;

use super::names;
use super::yaml::{Key, Node, Value, Wrong};

/// Similarity from which a key counts as meant.
const SIMILAR: f64 = 0.75;

/// How a target is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// It is this machine.
    Local,
    /// By the system's ssh.
    Ssh,
}

/// A file that a world names, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedFile {
    /// As it is written.
    pub path: PathBuf,
    /// Its line.
    pub line: usize,
}

/// A size of memory, as it was written.
pub(super) fn size(text: &str) -> Option<String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_lowercase();
    let number: f64 = digits.trim().parse().ok()?;
    let known = [
        "", "b", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib", "t", "tb", "tib",
    ];
    (number > 0.0 && known.contains(&unit.as_str())).then(|| text.to_owned())
}

/// `; did you mean 'x'?` for the word that is most like `given`, where one is.
#[must_use]
pub fn nearest<'a>(given: &str, words: impl Iterator<Item = &'a str>) -> String {
    let alike = words.map(|word| (strsim::jaro_winkler(given, word), word));
    alike
        .filter(|(similar, _)| *similar >= SIMILAR)
        // The first of those that are equally alike.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map_or_else(String::new, |(_, word)| format!("; did you mean '{word}'?"))
}

/// The keys of a mapping, taken one by one: what is left over is unknown.
pub struct Fields<'a> {
    what: &'static str,
    entries: Vec<&'a (Key, Node)>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Those of `node`, which is `what` for people; nothing is an empty mapping where it is not the whole file.
    ///
    /// # Errors
    /// When it is no mapping.
    pub fn of(node: &'a Node, what: &'static str) -> Result<Self, Wrong> {
        let entries = match &node.value {
            Value::Map(entries) => entries.iter().collect(),
            Value::Null if what != "a world" => Vec::new(),
            other => {
                let reason = format!("{what} is {}, not a mapping", other.kind());
                return Err(Wrong::new(node.line, reason));
            }
        };
        Ok(Self {
            what,
            entries,
            asked: Vec::new(),
        })
    }

    /// The value of a key.
    pub fn take(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        let at = (self.entries.iter()).position(|(known, _)| known.text == key)?;
        Some(&self.entries.remove(at).1)
    }

    /// Ends it.
    ///
    /// # Errors
    /// A key that was not taken, with the nearest of those that could have been.
    pub fn done(self) -> Result<(), Wrong> {
        let Some((key, _)) = self.entries.first() else {
            return Ok(());
        };
        let near = nearest(&key.text, self.asked.iter().copied());
        let reason = format!("'{}' is no key of {}{near}", key.text, self.what);
        Err(Wrong::new(key.line, reason))
    }

    /// A text; `None` where it is missing or empty.
    ///
    /// # Errors
    /// When it is a list or a mapping.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, Wrong> {
        match self.take(key).map(|node| (&node.value, node.line)) {
            None | Some((Value::Null, _)) => Ok(None),
            Some((Value::Text(text), _)) => Ok(Some(text.clone())),
            Some((other, line)) => {
                let reason = format!("'{key}' is {}, not a text", other.kind());
                Err(Wrong::new(line, reason))
            }
        }
    }

    pub(super) fn line(&self, key: &str) -> usize {
        let of_key = |entry: &&&(Key, Node)| entry.0.text == key;
        self.entries
            .iter()
            .find(of_key)
            .map_or(1, |entry| entry.1.line)
    }

    /// A text that goes into command lines: in one line, and no option.
    pub(super) fn plain(&mut self, key: &'static str) -> Result<Option<String>, Wrong> {
        let line = self.line(key);
        match self.text(key)? {
            Some(text) if text.starts_with('-') => {
                let reason = format!("'{key}' is '{text}', which begins with '-'");
                Err(Wrong::new(line, reason))
            }
            Some(text) if text.contains(char::is_control) => Err(Wrong::new(
                line,
                format!("'{key}' holds control characters"),
            )),
            text => Ok(text),
        }
    }

    pub(super) fn path(&mut self, key: &'static str) -> Result<Option<PathBuf>, Wrong> {
        Ok(self.plain(key)?.map(PathBuf::from))
    }

    pub(super) fn file(&mut self, key: &'static str) -> Result<Option<NamedFile>, Wrong> {
        let line = self.line(key);
        let path = self.path(key)?;
        Ok(path.map(|path| NamedFile { path, line }))
    }

    pub(super) fn redis(&mut self, key: &'static str) -> Result<Option<String>, Wrong> {
        let line = self.line(key);
        let url = self.plain(key)?;
        if url.as_deref().is_some_and(ConnectOptions::has_password) {
            let reason = format!(
                "'{key}' holds a password; keep it in a file and name that with 'redis-password-file'"
            );
            return Err(Wrong::new(line, reason));
        }
        Ok(url)
    }

    pub(super) fn choice<T>(
        &mut self,
        key: &'static str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Wrong> {
        let line = self.line(key);
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let chosen = read(&text);
        chosen
            .map(Some)
            .ok_or_else(|| Wrong::new(line, format!("'{key}' is '{text}', not {what}")))
    }

    /// A number from `least` to `most`.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(
        &mut self,
        key: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, Wrong> {
        let what = format!("a number from {least} to {most}");
        self.choice(key, &what, |text| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| digits)?;
            (least..=most).contains(&number).then_some(number)
        })
    }

    /// The list of ranges under a key: one text, or a list of them; and its line, where it has one.
    ///
    /// # Errors
    /// When it is neither.
    pub fn ranges(&mut self, key: &'static str) -> Result<(String, Option<usize>), Wrong> {
        let at = self.take(key);
        let list = match at.map(|node| (&node.value, node.line)) {
            None | Some((Value::Null, _)) => String::new(),
            Some((value, line)) => texts(value, key, line)?.join(" "),
        };
        Ok((list, at.map(|node| node.line)))
    }

    /// The names that ranges stand for. At least one.
    ///
    /// # Errors
    /// When there is none, or a range is none. `line` is where the mapping stands.
    pub fn names(&mut self, key: &'static str, line: usize) -> Result<Vec<String>, Wrong> {
        let (list, at) = self.ranges(key)?;
        let line = at.unwrap_or(line);
        let all = names::expand(&list).map_err(|error| Wrong::new(line, error.to_string()))?;
        if all.is_empty() {
            return Err(Wrong::new(line, format!("'{key}' is missing")));
        }
        Ok(all)
    }

    /// A list of texts; one text is a list of one.
    pub(super) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, Wrong> {
        match self.take(key) {
            None => Ok(None),
            Some(node) => texts(&node.value, key, node.line).map(Some),
        }
    }

    pub(super) fn environment(
        &mut self,
        key: &'static str,
    ) -> Result<BTreeMap<String, String>, Wrong> {
        let Some(node) = self.take(key) else {
            return Ok(BTreeMap::new());
        };
        let Value::Map(entries) = &node.value else {
            let reason = format!("'{key}' is {}, not a mapping", node.value.kind());
            return Err(Wrong::new(node.line, reason));
        };
        let mut variables = BTreeMap::new();
        for (name, value) in entries {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let is_name = name.text.chars().all(plain)
                && !name.text.starts_with(|c: char| c.is_ascii_digit());
            let value = match &value.value {
                Value::Text(text) if !text.contains('\0') => text.clone(),
                Value::Null => String::new(),
                _ => {
                    return Err(Wrong::new(
                        value.line,
                        format!("'{}' is no text", name.text),
                    ));
                }
            };
            if !is_name {
                let reason = format!("'{}' is no name of a variable", name.text);
                return Err(Wrong::new(name.line, reason));
            }
            variables.insert(name.text.clone(), value);
        }
        Ok(variables)
    }
}

fn texts(value: &Value, key: &str, line: usize) -> Result<Vec<String>, Wrong> {
    let text = |value: &Value, line: usize| match value {
        Value::Text(text) if !text.contains(['\0', '\n']) => Ok(text.clone()),
        other => {
            let reason = format!("'{key}' holds {}, not texts of one line", other.kind());
            Err(Wrong::new(line, reason))
        }
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(nodes) => nodes
            .iter()
            .map(|node| text(&node.value, node.line))
            .collect(),
        value => Ok(vec![text(value, line)?]),
    }
}

/// A backend by its name.
pub(super) fn backend(text: &str) -> Option<BackendChoice> {
    let mut all = BackendChoice::ALL.into_iter();
    all.find(|choice| choice.name() == text)
}
