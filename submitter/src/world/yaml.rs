//! YAML as a small tree that knows its lines, with a limit on everything: the only module that names the parser.
//!
//! Scalars stay text: what `012` or `yes` means is for whoever asked for it. Aliases and merge keys (`<<`) work as
//! elsewhere, within the limits: a file that would grow beyond them is refused while it is read.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Most values of a file, those that aliases repeat counted each time.
const MAX_NODES: usize = 65_536;
/// Most levels of values within values.
const MAX_DEPTH: usize = 32;

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
        let reason = reason.into();
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
                self.put(Node { line, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(line, anchor, Open::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(
                line,
                anchor,
                Open::Map {
                    entries: Vec::new(),
                    key: None,
                    merged: Vec::new(),
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(Wrong::new(
                        line,
                        "an alias of something that is not complete",
                    ));
                };
                self.count(size(&node), line)?;
                self.put(Node { line, ..node }, 0)
            }
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Wrong::new(line, "a second document; a world is one"))
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), Wrong> {
        self.nodes += nodes;
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
        self.count(1, node.line)?;
        if anchor > 0 {
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
                key,
                merged,
            } => {
                let Some(key) = key.take() else {
                    return Ok(());
                };
                if key.text == "<<" {
                    merged.push(node);
                } else if let Some((first, _)) =
                    entries.iter().find(|(known, _)| known.text == key.text)
                {
                    return Err(Wrong::new(
                        key.line,
                        format!("'{}' again, first in line {}", key.text, first.line),
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
                if !entries.iter().any(|(known, _)| known.text == key.text) {
                    entries.push((key, node));
                }
            }
        }
    }
    Ok(entries)
}

/// Values in a value, itself not counted.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Text(_) => 0,
        Value::List(nodes) => nodes.iter().map(|node| 1 + size(node)).sum(),
        Value::Map(entries) => entries.iter().map(|(_, node)| 1 + size(node)).sum(),
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

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-a-c0-2:&*<>{}\\[\\]\"'#|!?, \n\t]{0,200}") {
            if let Ok(node) = read(&text) {
                prop_assert!(size(&node) <= MAX_NODES);
            }
        }

        #[test]
        fn any_characters_are_read_or_refused(text in any::<String>()) {
            let _ = read(&text);
        }
    }
}
