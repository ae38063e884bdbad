//! YAML as a small tree that knows its lines, with a limit on everything: the only module that names the parser.
//!
//! Scalars stay text: what `012` or `yes` means is for whoever asked for it. Aliases and merge keys (`<<`) work as
//! elsewhere, within the limits: a file that would grow beyond them is refused while it is read.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Most values of a file, those that aliases repeat counted each time.
const MAX_NODES: usize = 65_536;
/// Most bytes of text in a file, what aliases and anchors repeat counted each time.
const MAX_TEXT_BYTES: usize = 8 << 20;
/// Most levels of values within values.
const MAX_DEPTH: usize = 32;
/// Most bytes of a reason: what is quoted in it may be as long as the file.
const MAX_REASON_BYTES: usize = 400;

/// What is wrong with a file, and in which line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Wrong {
    /// The line.
    pub line: usize,
    /// One line of text.
    pub reason: String,
}

impl Wrong {
    /// Something in a line.
    pub fn new(line: usize, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        if reason.len() > MAX_REASON_BYTES {
            // Its end says what is wrong; its middle is what was quoted.
            let head = reason.floor_char_boundary(MAX_REASON_BYTES / 2);
            let tail = reason.ceil_char_boundary(reason.len() - MAX_REASON_BYTES / 2);
            reason.replace_range(head..tail, "...");
        }
        Self { line, reason }
    }
}

/// A value, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Line, counted from 1.
    pub line: usize,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: empty, `~` or `null` without quotation marks.
    Null,
    /// Text, numbers and all the rest.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys with their values in order; no key twice.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its line.
    pub line: usize,
    /// Its text.
    pub text: String,
}

/// A collection that is not closed yet.
enum Open {
    List(Vec<Node>),
    Map {
        entries: Vec<(Key, Node)>,
        /// Lines of its keys: names are looked up, not searched for.
        lines: HashMap<String, usize>,
        key: Option<Key>,
        /// What `<<` brings; keys of the mapping's own count more.
        merged: Vec<Node>,
    },
}

struct Frame {
    line: usize,
    anchor: usize,
    open: Open,
}

/// Builds the tree from the parser's events.
#[derive(Default)]
struct Builder {
    frames: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    text_bytes: usize,
    root: Option<Node>,
}

/// Reads the one document in `text`; an empty one is [`Value::Null`].
///
/// # Errors
/// What is no YAML, more than one document, a key twice, or anything over a limit.
pub fn read(text: &str) -> Result<Node, Wrong> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) =
            event.map_err(|error| Wrong::new(error.marker().line(), error.info().to_owned()))?;
        builder.take(event, span.start.line())?;
    }
    let nothing = Node {
        line: 1,
        value: Value::Null,
    };
    Ok(builder.root.unwrap_or(nothing))
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Wrong> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_null {
                    Value::Null
                } else {
                    Value::Text(text.into_owned())
                };
                let node = Node { line, value };
                self.count(0, size(&node).1, line)?;
                self.put(node, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(line, anchor, Open::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(
                line,
                anchor,
                Open::Map {
                    entries: Vec::new(),
                    lines: HashMap::new(),
                    key: None,
                    merged: Vec::new(),
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(Wrong::new(
                        line,
                        "an alias of something that is not complete",
                    ));
                };
                // Counted before it is copied.
                let (nodes, text_bytes) = size(node);
                self.count(nodes, text_bytes, line)?;
                let node = self.anchors.get(&anchor).cloned();
                node.map_or(Ok(()), |node| self.put(Node { line, ..node }, 0))
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Wrong::new(line, "a second document; a world is one"))
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, text_bytes: usize, line: usize) -> Result<(), Wrong> {
        self.nodes += nodes;
        self.text_bytes += text_bytes;
        if self.text_bytes > MAX_TEXT_BYTES {
            return Err(Wrong::new(
                line,
                format!("more than {MAX_TEXT_BYTES} bytes of text, repeated ones included"),
            ));
        }
        if self.nodes > MAX_NODES {
            return Err(Wrong::new(
                line,
                format!("more than {MAX_NODES} values, repeated ones included"),
            ));
        }
        Ok(())
    }

    fn begin(&mut self, line: usize, anchor: usize, open: Open) -> Result<(), Wrong> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(Wrong::new(
                line,
                format!("more than {MAX_DEPTH} levels of values within values"),
            ));
        }
        self.frames.push(Frame { line, anchor, open });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Wrong> {
        let Some(Frame { line, anchor, open }) = self.frames.pop() else {
            return Ok(());
        };
        let value = match open {
            Open::List(nodes) => Value::List(nodes),
            Open::Map {
                entries, merged, ..
            } => Value::Map(merge(entries, merged)?),
        };
        self.put(Node { line, value }, anchor)
    }

    /// Puts a complete value where it belongs: the next key, the next value, or the document itself.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Wrong> {
        self.count(1, 0, node.line)?;
        if anchor > 0 {
            let (_, text_bytes) = size(&node);
            self.count(0, text_bytes, node.line)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.open {
            Open::List(nodes) => nodes.push(node),
            Open::Map {
                key: key @ None, ..
            } => {
                let line = node.line;
                let Value::Text(text) = node.value else {
                    return Err(Wrong::new(line, "a key that is no text"));
                };
                *key = Some(Key { line, text });
            }
            Open::Map {
                entries,
                lines,
                key,
                merged,
            } => {
                let Some(key) = key.take() else {
                    return Ok(());
                };
                if key.text == "<<" {
                    merged.push(node);
                } else if let Some(first) = lines.insert(key.text.clone(), key.line) {
                    return Err(Wrong::new(
                        key.line,
                        format!("'{}' again, first in line {first}", key.text),
                    ));
                } else {
                    entries.push((key, node));
                }
            }
        }
        Ok(())
    }
}

/// `entries`, and of what `<<` brings those that have no key of their own there.
fn merge(mut entries: Vec<(Key, Node)>, merged: Vec<Node>) -> Result<Vec<(Key, Node)>, Wrong> {
    if merged.is_empty() {
        return Ok(entries);
    }
    let mut known: HashSet<String> = entries.iter().map(|(key, _)| key.text.clone()).collect();
    for node in merged {
        let line = node.line;
        let maps = match node.value {
            Value::List(nodes) => nodes,
            value => vec![Node { line, value }],
        };
        for map in maps {
            let Value::Map(more) = map.value else {
                return Err(Wrong::new(line, "'<<' takes a mapping, or a list of them"));
            };
            for (key, node) in more {
                if known.insert(key.text.clone()) {
                    entries.push((key, node));
                }
            }
        }
    }
    Ok(entries)
}

/// Values in a value, itself not counted, and bytes of all its text.
fn size(node: &Node) -> (usize, usize) {
    let add = |all: (usize, usize), node: &Node, key: usize| {
        let (nodes, text_bytes) = size(node);
        (all.0 + 1 + nodes, all.1 + key + text_bytes)
    };
    match &node.value {
        Value::Null => (0, 0),
        Value::Text(text) => (0, text.len()),
        Value::List(nodes) => nodes.iter().fold((0, 0), |all, node| add(all, node, 0)),
        Value::Map(entries) => {
            (entries.iter()).fold((0, 0), |all, (key, node)| add(all, node, key.text.len()))
        }
    }
}

impl Value {
    /// What it is, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(node: &Node, path: &[&str]) -> Option<String> {
        let Some((first, rest)) = path.split_first() else {
            return match &node.value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            };
        };
        let Value::Map(entries) = &node.value else {
            return None;
        };
        let (_, node) = entries.iter().find(|(key, _)| key.text == *first)?;
        text(node, rest)
    }

    #[test]
    fn scalars_stay_text_and_lines_are_known() {
        let node = read("a: 012\nb:\n  c: yes\n  d: \"\"\n  e: ~\nf: [1, x]\n").unwrap();
        assert_eq!(text(&node, &["a"]).as_deref(), Some("012"));
        assert_eq!(text(&node, &["b", "c"]).as_deref(), Some("yes"));
        assert_eq!(text(&node, &["b", "d"]).as_deref(), Some(""));
        assert_eq!(text(&node, &["b", "e"]), None);
        let Value::Map(entries) = &node.value else {
            unreachable!()
        };
        let lines: Vec<usize> = entries.iter().map(|(key, _)| key.line).collect();
        assert_eq!(lines, [1, 2, 6]);
        assert_eq!(read("").unwrap().value, Value::Null);
    }

    #[test]
    fn aliases_and_merge_keys_repeat_what_they_name() {
        let node = read("base: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: 3\nc: *b\n").unwrap();
        assert_eq!(text(&node, &["a", "x"]).as_deref(), Some("1"));
        assert_eq!(text(&node, &["a", "y"]).as_deref(), Some("3"));
        assert_eq!(text(&node, &["c", "y"]).as_deref(), Some("2"));
    }

    #[test]
    fn what_is_wrong_names_its_line() {
        for (given, line) in [
            ("a: 1\nb: 2\na: 3\n", 3),
            ("a: 1\n---\nb: 2\n", 2),
            ("a:\n  - [x\n", 3),
            ("a: 1\n[x]: 2\n", 2),
            ("a: 1\nb: {<<: 3}\n", 2),
        ] {
            assert_eq!(read(given).unwrap_err().line, line, "{given}");
        }
    }

    #[test]
    fn files_that_grow_beyond_limits_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", "));
        }
        let error = read(&bomb).unwrap_err();
        assert!(error.reason.contains("65536 values"), "{error}");
        let deep = "[".repeat(100_000);
        assert!(read(&deep).is_err());
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(read(&deep).unwrap_err().reason.contains("32 levels"));
        assert!(read(&format!("{}{}", "[".repeat(30), "]".repeat(30))).is_ok());
    }

    #[test]
    fn repeated_text_counts_each_time() {
        let long = "x".repeat(100_000);
        let aliases =
            |count: usize| format!("a: &a {long}\nb: [{}]\n", vec!["*a"; count].join(", "));
        assert!(read(&aliases(50)).is_ok());
        let error = read(&aliases(20_000)).unwrap_err();
        assert!(error.reason.contains("bytes of text"), "{error}");
        // Keys are text too, and so is what anchors within anchors keep.
        let keys = format!(
            "a: &a {{? {long}\n : 1}}\nb: [{}]\n",
            vec!["*a"; 1000].join(", ")
        );
        assert!(read(&keys).is_err());
        let nested = (0..30).fold(
            format!("&z {long}{long}{long}{long}{long}"),
            |inner, level| format!("&n{level} [{inner}]"),
        );
        let error = read(&nested).unwrap_err();
        assert!(error.reason.contains("bytes of text"), "{error}");
        let error = read(&format!("{long}: 1\n{long}: 2\n")).unwrap_err();
        assert!(error.to_string().len() < 500, "{error}");
    }

    #[test]
    fn many_keys_are_looked_up() {
        use std::fmt::Write as _;
        let mut many = String::new();
        for key in 0..30_000 {
            writeln!(many, "k{key}: 1").unwrap();
        }
        // A search through all of them took a second and more.
        let began = std::time::Instant::now();
        read(&many).unwrap();
        assert!(began.elapsed() < std::time::Duration::from_secs(5));
        assert!(
            read(&(many + "k7: 2\n"))
                .unwrap_err()
                .reason
                .contains("first in line 8")
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-a-c0-2:&*<>{}\\[\\]\"'#|!?, \n\t]{0,200}") {
            if let Ok(node) = read(&text) {
                prop_assert!(size(&node).0 <= MAX_NODES);
            }
        }

        #[test]
        fn any_characters_are_read_or_refused(text in any::<String>()) {
            let _ = read(&text);
        }
    }
}
