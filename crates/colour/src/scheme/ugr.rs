//! Ultra Fractal's gradients: `NAME { gradient: title="..." smooth=yes rotation=0 index=0 color=8716288 ... opacity:
//! index=0 opacity=255 ... }`, any number of them in a file, among comments.
//!
//! A turn has 400 places; a colour is red + 256 green + 65536 blue. `;` begins a comment unless it is quoted, and
//! `comment { ... }` is one whole.

use super::blend::Blend;
use super::rgb::Rgb;
use super::stops::{MOST_STOPS, Stops};

/// Places in a turn.
const TURN: i64 = 400;
/// Opacity of what hides all that is below it.
const OPAQUE: u8 = 255;
/// Names that an error repeats.
const MOST_NAMES: usize = 8;

/// A part of a file between brackets.
struct Entry<'a> {
    name: &'a str,
    body: &'a str,
    /// The line that it begins on.
    line: usize,
}

/// One of the two curves of a gradient, as it is read.
#[derive(Default)]
struct Curve {
    smooth: bool,
    rotation: i64,
    index: Option<i64>,
    stops: Vec<(i64, Rgb)>,
}

/// The names of all gradients in a file, in order.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn names(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    let mut entries = Entries::of(text);
    while let Some(entry) = entries.next()? {
        if entry.is_gradient() {
            names.push(entry.name.to_owned());
        }
    }
    Ok(names)
}

/// The first gradient of a file, or the one of a name, in upper or lower case.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn read(text: &str, wanted: Option<&str>) -> Result<Stops, String> {
    let wanted = wanted.map(str::trim);
    let lower = wanted.map(str::to_lowercase);
    let mut names = Vec::new();
    let mut entries = Entries::of(text);
    while let Some(entry) = entries.next()? {
        let is_wanted = (lower.as_ref()).is_none_or(|wanted| entry.name.to_lowercase() == *wanted);
        if !entry.is_gradient() {
            continue;
        }
        if is_wanted {
            return entry.stops();
        }
        names.push(entry.name);
    }
    match (wanted, names.len()) {
        (_, 0) => Err("holds no gradient: 'NAME { gradient: ... }' is missing".to_owned()),
        (wanted, count) => {
            names.truncate(MOST_NAMES);
            let more = if count > MOST_NAMES { ", ..." } else { "" };
            let wanted = wanted.unwrap_or_default();
            Err(format!(
                "holds no gradient '{wanted}'; there are {}{more}",
                names.join(", ")
            ))
        }
    }
}

/// The entries of a file, one after another.
struct Entries<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Entries<'a> {
    fn of(text: &'a str) -> Self {
        let (at, line) = (0, 1);
        Self { text, at, line }
    }

    fn next(&mut self) -> Result<Option<Entry<'a>>, String> {
        let rest = &self.text[self.at..];
        let Some(open) = plain(rest).find(|(_, c)| *c == '{').map(|(at, _)| at) else {
            return Ok(None);
        };
        // A name is the last line's; before it there may be comments and what ended the last entry.
        let name = rest[..open].lines().next_back().unwrap_or_default();
        let name = name.rsplit('}').next().unwrap_or_default().trim();
        let line = self.line + rest[..open].matches('\n').count();
        let inside = &rest[open + 1..];
        let close = if name.eq_ignore_ascii_case("comment") {
            comment_end(inside)
        } else {
            plain(inside).find(|(_, c)| *c == '}').map(|(at, _)| at)
        };
        let close = close.ok_or_else(|| format!("line {line}: '{{' is never closed"))?;
        let body = &inside[..close];
        self.line = line + body.matches('\n').count();
        self.at += open + 1 + close + 1;
        Ok(Some(Entry { name, body, line }))
    }
}

/// Where a comment in brackets ends. They come in pairs within it, or do not: then the first that closes is its end.
fn comment_end(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let paired = text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
        None
    });
    paired.or_else(|| text.find('}'))
}

/// The characters that are neither quoted nor in a comment, with their places. Quotation ends with its line, unless that
/// goes on with `\`.
fn plain(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quoted, mut comment, mut before) = (false, false, ' ');
    text.char_indices().filter(move |(_, c)| {
        match c {
            '\n' => {
                quoted &= before == '\\';
                comment = false;
            }
            '"' if !comment => quoted = !quoted,
            ';' if !quoted => comment = true,
            _ => {}
        }
        if *c != '\r' {
            before = *c;
        }
        !(quoted || comment || *c == '"')
    })
}

impl Entry<'_> {
    fn is_gradient(&self) -> bool {
        !self.name.eq_ignore_ascii_case("comment")
            && words(self.body).any(|(_, word)| word.eq_ignore_ascii_case("gradient:"))
    }

    fn stops(&self) -> Result<Stops, String> {
        let (mut colours, mut opacity) = (Curve::default(), Curve::default());
        let mut section = String::new();
        for (line, word) in words(self.body) {
            let at = |what: String| format!("line {}: {what}", self.line + line);
            let word = word.to_ascii_lowercase();
            if word.ends_with(':') {
                section = word;
                continue;
            }
            let Some((key, value)) = word.split_once('=') else {
                continue;
            };
            let read = match &*section {
                "gradient:" => colours.read(key, value, "color"),
                "opacity:" => opacity.read(key, value, "opacity"),
                _ => Ok(()),
            };
            read.map_err(at)?;
        }
        if colours.stops.is_empty() {
            return Err(format!(
                "line {}: a gradient without index= and color=",
                self.line
            ));
        }
        let error = |error: super::stops::StopsError| error.to_string();
        let is_opaque = (opacity.stops.iter()).all(|(_, Rgb(value))| value[0] == OPAQUE);
        let colours = colours.stops().map_err(error)?;
        if is_opaque {
            return Ok(colours);
        }
        // Where it is transparent there is black below: of all places, as both curves bend as they like.
        let opacity = opacity.stops().map_err(error)?;
        let (colours, opacity) = (colours.gradient(), opacity.gradient());
        let place = |index: i64| {
            let at = index as f32 / TURN as f32;
            let mut colour = colours.at(at);
            colour.a = opacity.at(at).r;
            (at * 100.0, Rgb::over(&colour, 0.0))
        };
        Stops::new((0..TURN).map(place).collect(), true, false, Blend::Srgb).map_err(error)
    }
}

impl Curve {
    /// Takes `key=value`; what stands at an index is called `name`.
    fn read(&mut self, key: &str, value: &str, name: &str) -> Result<(), String> {
        let number = |value: &str| {
            value
                .parse::<i64>()
                .map_err(|_| format!("{key}= wants a number"))
        };
        match key {
            "smooth" => self.smooth = value == "yes",
            "rotation" => self.rotation = number(value)?,
            "index" => self.index = Some(number(value)?),
            key if key == name => {
                let place = (self.index.take()).ok_or_else(|| format!("{key}= without index="))?;
                let most = if name == "color" { 1 << 24 } else { 1 << 8 };
                let value = (value.parse().ok()).filter(|value: &u32| *value < most);
                let value = value.ok_or_else(|| format!("{key}= wants a number below {most}"))?;
                let [r, g, b, _] = value.to_le_bytes();
                let colour = if name == "color" { [r, g, b] } else { [r; 3] };
                self.stops.push((place, Rgb(colour)));
                if self.stops.len() > MOST_STOPS {
                    return Err("too many colours".to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn stops(self) -> Result<Stops, super::stops::StopsError> {
        let place = |(index, colour): (i64, Rgb)| {
            let turned = index.saturating_add(self.rotation).rem_euclid(TURN);
            (turned as f32 / TURN as f32 * 100.0, colour)
        };
        let stops = self.stops.into_iter().map(place).collect();
        Stops::new(stops, true, self.smooth, Blend::Srgb)
    }
}

/// What spaces divide outside of quotation, without comments, and the number of its line from 0.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut line = 0;
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &text[at..];
            let begin = rest.find(|c: char| !(c.is_whitespace() || c == '\\'))?;
            line += rest[..begin].matches('\n').count();
            let rest = &rest[begin..];
            at += begin;
            if rest.starts_with(';') {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            let mut quoted = false;
            let end = rest.find(|c: char| {
                quoted = (quoted ^ (c == '"')) && c != '\n';
                !quoted && (c.is_whitespace() || c == ';')
            });
            let end = end.unwrap_or(rest.len());
            at += end;
            return Some((line, &rest[..end]));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "comment {\n  Written by hand; it isn't much {really}, and 5\" wide.\n}\n\
        ; Not { this\n\
        First {\ngradient:\n  title=\"The = first; with } and {\" smooth=no ; a } comment\n  index=0 color=255\n  INDEX=200 COLOR=16711680\n}\n\n\
        Second One {\nGradient:\n  title=\"Second\" smooth=yes rotation=100 index=0 color=65280 \\\n  index=300 color=0\nopacity:\n  smooth=no index=0 opacity=255\n}\n\
        Formula {\n  init: z = 0\n}\n\
        \u{c9}t\u{e9}{gradient: index=0 color=0 index=200 color=16777215\nopacity: index=0 opacity=255 index=200 opacity=0}";

    #[test]
    fn gradients_are_found_among_comments_and_quotes() {
        assert_eq!(
            names(FILE).unwrap(),
            ["First", "Second One", "\u{c9}t\u{e9}"]
        );
        let first = read(FILE, None).unwrap();
        assert_eq!(
            first.colours_at(&[0.0, 0.25, 0.5, 1.0]),
            [[255, 0, 0], [128, 0, 128], [0, 0, 255], [255, 0, 0]]
        );
        let second = read(FILE, Some("second ONE")).unwrap();
        assert_eq!(second.to_string(), "cyclic smooth: #000000 0%, #00ff00 25%");
        assert_eq!(names("").unwrap(), [""; 0]);
        let none = read(FILE, Some("third")).unwrap_err();
        assert!(
            none.contains("'third'") && none.contains("First, Second One"),
            "{none}"
        );
        // Comments whose brackets are in no pairs.
        for comment in ["comment { :-{ }", "Comment{ a } b }", "COMMENT {\n; {\n}"] {
            let text = format!("{comment}\nOnly {{\ngradient:\nindex=0 color=255\n}}\n");
            assert_eq!(names(&text).unwrap(), ["Only"], "{comment}");
        }
    }

    #[test]
    fn what_is_transparent_lies_over_black() {
        // White where it is not seen, and grey at half of both.
        let stops = read(FILE, Some("\u{c9}T\u{c9}")).unwrap();
        assert_eq!(
            stops.colours_at(&[0.0, 0.25, 0.5, 0.75]),
            [[0; 3], [64; 3], [0; 3], [64; 3]]
        );
    }

    #[test]
    fn broken_files_are_one_line_that_says_where() {
        for (text, says) in [
            ("", "no gradient"),
            ("Name { gradient: index=0 color=1", "line 1: '{'"),
            (
                "\nName {\ngradient:\nindex=zero color=1 }",
                "line 4: index=",
            ),
            ("Name {\ngradient:\ncolor=1 }", "line 3: color= without"),
            (
                "Name {\ngradient:\nindex=1 color=16777216 }",
                "line 3: color=",
            ),
            (
                "Name {\ngradient:\nindex=1 color=1\nopacity:\nindex=1 opacity=256 }",
                "line 5: opacity=",
            ),
            ("Name {\ngradient:\ntitle=x }", "line 1: a gradient without"),
            ("Name {\nopacity:\nindex=1 opacity=1 }", "no gradient"),
        ] {
            let error = read(text, None).unwrap_err();
            assert!(
                error.contains(says) && !error.contains('\n'),
                "{text}: {error}"
            );
        }
    }
}
