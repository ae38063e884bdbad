//! The one way out to people: what both programs say on a terminal, or where one may show it later.
//!
//! Titles, names, reasons and texts of files come from anywhere: from a farm's Redis, from pictures of strangers, from other
//! programs. Terminals obey some characters (escape sequences, C1 controls), and show a text as another by some (the
//! directions of bidirectional writing, characters without width). None of them gets out: words have `?` in their
//! place, JSON has `\u....`, which means the same to programs.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write, stderr};

/// Whether a terminal shows a character, and nothing but it.
#[must_use]
pub fn is_plain(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'))
}

/// A text as one line: whatever is not plain has become `?`, and ends of lines a space.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, |c| match c {
        '\n' | '\t' => ' ',
        _ => '?',
    })
}

/// A text of several lines, which stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    replaced(text, |c| match c {
        '\n' | '\t' => c,
        _ => '?',
    })
}

fn replaced(text: &str, by: impl Fn(char) -> char) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return text.into();
    }
    let plain = |c| if is_plain(c) { c } else { by(c) };
    text.chars().map(plain).collect::<String>().into()
}

/// JSON that means the same, and is plain. Such characters stand within its strings alone.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    let is_right = |c: char| is_plain(c) || matches!(c, '\n' | '\t' | '\r');
    if text.chars().all(is_right) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_right(c) {
            plain.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                plain.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    plain.into()
}

/// Data for stdout, made plain: JSON or words. What is no text stays.
#[must_use]
pub fn data(data: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(data) else {
        return data.into();
    };
    let plain = match text.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => json(text),
        _ => lines(text),
    };
    match plain {
        Cow::Borrowed(text) => text.as_bytes().into(),
        Cow::Owned(text) => text.into_bytes().into(),
    }
}

/// Says one line on stderr, as `program`.
pub fn say(program: &str, words: impl Display) {
    say_alone(format_args!("{program}: {words}"));
}

/// Says one line on stderr.
pub fn say_alone(words: impl Display) {
    let words = words.to_string();
    // In one piece: other threads speak too.
    let said = format!("{}\n", line(words.trim_end()));
    let _ = stderr().write_all(said.as_bytes());
}

/// A log's way out: lines stay, and the colours that the log itself gives them.
#[derive(Debug)]
pub struct Plain<W>(pub W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(coloured(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// `text` with nothing that is not plain but ends of lines and colours, which are `ESC [ numbers m`.
fn coloured(text: &str) -> String {
    const BEGIN: &str = "\x1b[";
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        plain.push_str(&lines(before));
        let len = after
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b';')
            .count();
        rest = after;
        if after.as_bytes().get(len) == Some(&b'm') {
            plain.push_str(BEGIN);
            plain.push_str(&after[..=len]);
            rest = &after[len + 1..];
        } else {
            plain.push_str("?[");
        }
    }
    plain.push_str(&lines(rest));
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What clears a screen, sets a title, begins a sequence by a C1 control, turns the direction of writing, hides.
    const HOSTILE: &str =
        "a\x1b[2Jb\x1b]0;t\x07c\u{9b}31md\u{202e}e\u{2066}f\u{200b}g\rh\u{e0041}i";

    #[test]
    fn nothing_that_terminals_obey_gets_out() {
        assert_eq!(line(HOSTILE), "a?[2Jb?]0;t?c?31md?e?f?g?h?i");
        assert_eq!(line("two\nlines\tof"), "two lines of");
        assert_eq!(lines("two\nlines\x1b"), "two\nlines?");
        for plain in ["É 中文 ü – “x” 🙂", "שלום"] {
            assert_eq!(line(plain), plain);
        }
    }

    #[test]
    fn json_means_the_same() {
        let text = serde_json::json!({ "name": HOSTILE, "plain": "é" }).to_string() + "\n";
        let plain = data(text.as_bytes());
        let plain = std::str::from_utf8(&plain).unwrap();
        assert!(plain.chars().all(|c| c == '\n' || is_plain(c)), "{plain}");
        let read: serde_json::Value = serde_json::from_str(plain).unwrap();
        assert_eq!(read["name"], HOSTILE);
        assert_eq!(read["plain"], "é");
        assert_eq!(&*data(&[0xff, 0x1b]), &[0xff, 0x1b], "no text");
    }

    #[test]
    fn logs_keep_their_own_colours() {
        let mut out = Vec::new();
        Plain(&mut out)
            .write_all(b"\x1b[2m12:00\x1b[0m \x1b[33mWARN\x1b[0m x\x1b[2Jy\xc2\x9bz\n")
            .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\x1b[2m12:00\x1b[0m \x1b[33mWARN\x1b[0m x?[2Jy?z\n"
        );
    }
}
