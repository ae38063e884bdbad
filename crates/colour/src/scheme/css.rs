//! CSS gradients, out of whatever stands around them: a list of stops alone, the function with its direction and its
//! space, a whole rule with comments. Single colours are read by `colorgrad`; its own reader of lists (`GradientBuilder::css`)
//! knows neither these nor places before colours, and hints do not bend its way.

use std::str::FromStr;

use super::blend::Blend;
use super::rgb::Rgb;
use super::stops::{MOST_BYTES, MOST_STOPS, Stops, StopsError};

/// Characters of what is wrong that an error repeats.
const MOST_SHOWN: usize = 40;
/// The function that is read.
const FUNCTION: &str = "linear-gradient";
/// Steps of the bend that a hint makes, evenly in colour.
const HINT_STEPS: u16 = 16;
/// Largest place, in percent either way.
const FARTHEST: f32 = 1e6;

/// A list before its places and colours are all known.
struct List<'a> {
    blend: Blend,
    cyclic: bool,
    smooth: bool,
    parts: Vec<&'a str>,
}

/// A colour or a place of a list, or both: what is not said is found from neighbours.
type Given = (Option<f32>, Option<Rgb>);

impl FromStr for Stops {
    type Err = StopsError;

    fn from_str(text: &str) -> Result<Self, StopsError> {
        if text.len() > MOST_BYTES {
            return Err(StopsError::TooMany);
        }
        read(text)
    }
}

fn read(text: &str) -> Result<Stops, StopsError> {
    let text = without_comments(text);
    let list = list(text.trim())?;
    let mut given = Vec::new();
    for part in &list.parts {
        if given.len() > MOST_STOPS {
            return Err(StopsError::TooMany);
        }
        read_part(part, &mut given)?;
    }
    let places = places(&given, list.cyclic)?;
    let stops = coloured(&given, &places, list.blend)?;
    Stops::new(stops, list.cyclic, list.smooth, list.blend)
}

/// `text` with a space for each `/* comment */`.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        plain.push_str(before);
        plain.push(' ');
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    plain + rest
}

/// Finds the list in what stands around it.
fn list(text: &str) -> Result<List<'_>, StopsError> {
    let function = function(text)?;
    let (before, inside) = match function {
        Some((start, open)) => {
            let close = closing(&text[open..]).ok_or(StopsError::Malformed)?;
            let (before, after) = (text[..start].trim(), text[open + close + 1..].trim());
            let is_alone = matches!(after, "" | ";");
            if is_rule(before) {
                // What else a rule says is no matter of a palette.
                ("", &text[open..open + close])
            } else if is_alone {
                (before, &text[open..open + close])
            } else {
                return Err(StopsError::Malformed);
            }
        }
        None => {
            let bare = text.trim_end_matches(';').trim();
            match bare.split_once(':') {
                Some((words, _)) => (&bare[..=words.len()], bare[words.len() + 1..].trim()),
                None => ("", bare),
            }
        }
    };
    let mut list = List {
        blend: Blend::default(),
        cyclic: false,
        smooth: false,
        parts: parts(inside).collect(),
    };
    if !before.is_empty() {
        let words = before.strip_suffix(':').ok_or(StopsError::Malformed)?;
        for word in words.split_whitespace() {
            match word.to_ascii_lowercase().as_str() {
                "cyclic" => list.cyclic = true,
                "smooth" => list.smooth = true,
                word => list.blend = Blend::of(word).ok_or(StopsError::Malformed)?,
            }
        }
    }
    if let Some(said) = list.parts.first().map(|first| line(first)) {
        match said? {
            None => {}
            Some(blend) => {
                list.parts.remove(0);
                list.blend = blend.unwrap_or(list.blend);
            }
        }
    }
    Ok(list)
}

/// Where the gradient's name begins and its arguments do; one without a vendor's prefix rather than with it.
fn function(text: &str) -> Result<Option<(usize, usize)>, StopsError> {
    let lower = text.to_ascii_lowercase();
    let mut prefixed = None;
    let mut other = None;
    for (at, _) in lower.match_indices("gradient(") {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let start = lower[..at].trim_end_matches(is_name).len();
        let open = at + "gradient(".len();
        match &lower[start..open - 1] {
            FUNCTION => return Ok(Some((start, open))),
            // An old form, with points instead of a direction.
            "-webkit-gradient" => {}
            name if name.starts_with('-') && name.ends_with(FUNCTION) => {
                prefixed = prefixed.or(Some((start, open)));
            }
            name => other = other.or(Some(name.chars().take(MOST_SHOWN).collect())),
        }
    }
    match (prefixed, other) {
        (None, Some(name)) => Err(StopsError::Function(name)),
        (found, _) => Ok(found),
    }
}

/// Where the bracket closes before which `text` begins.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
        None
    })
}

/// Whether what stands before a gradient is the rest of a rule, or of a property.
fn is_rule(before: &str) -> bool {
    let declaration = before.rsplit([';', '{']).next().unwrap_or_default();
    let property = declaration.split(':').next().unwrap_or_default().trim();
    let property = property.to_ascii_lowercase();
    let known = [
        "background",
        "mask",
        "border-image",
        "list-style",
        "--",
        "fill",
    ];
    before.contains(['{', ';']) || known.iter().any(|known| property.starts_with(known))
}

/// Reads a first part that is none of the stops: a direction, which says nothing of colours, and `in SPACE`. `None` for
/// a stop.
fn line(part: &str) -> Result<Option<Option<Blend>>, StopsError> {
    let part = part.to_ascii_lowercase();
    let mut words = part.split_whitespace().peekable();
    let mut blend = None;
    if words.peek().is_none() {
        return Ok(None);
    }
    while let Some(word) = words.next() {
        match word {
            "in" => {
                let space = words.next().unwrap_or_default();
                let way = words
                    .next_if(|way| ["shorter", "longer", "increasing", "decreasing"].contains(way));
                if way.is_some() && words.next() != Some("hue") {
                    return Err(StopsError::Space(shown(&part)));
                }
                let name = match way {
                    None | Some("shorter") => space.to_owned(),
                    Some(way) => format!("{space}-{way}"),
                };
                let known = Blend::of(&name).filter(|_| !space.contains("lch-"));
                blend = Some(known.ok_or_else(|| StopsError::Space(shown(&part)))?);
            }
            "to" | "top" | "bottom" | "left" | "right" => {}
            angle if is_angle(angle) => {}
            _ => return Ok(None),
        }
    }
    Ok(Some(blend))
}

fn is_angle(text: &str) -> bool {
    let in_unit = |unit| {
        let number = text.strip_suffix(unit);
        number.is_some_and(|number| number.parse().is_ok_and(f32::is_finite))
    };
    text.parse() == Ok(0.0f32) || ["deg", "turn", "grad", "rad"].into_iter().any(in_unit)
}

/// What commas outside brackets divide.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    split(list, |c| c == ',').map(str::trim)
}

/// `text` divided by characters that are outside of brackets.
fn split(text: &str, is_divider: fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_divider(c) && depth == 0
    })
}

fn shown(text: &str) -> String {
    text.chars().take(MOST_SHOWN).collect()
}

/// A place in percent: `16%`, or `0`, which needs no unit.
fn place(word: &str) -> Option<f32> {
    let place = match word.strip_suffix('%') {
        Some(number) => number.parse().ok(),
        None => word.parse().ok().filter(|number| *number == 0.0),
    };
    place.filter(|place: &f32| place.abs() <= FARTHEST)
}

/// `COLOUR`, `PLACE`, or `COLOUR` with one or two places behind or before it.
fn read_part(part: &str, given: &mut Vec<Given>) -> Result<(), StopsError> {
    let unknown = || StopsError::Part(shown(part));
    let words: Vec<&str> =
        (split(part, char::is_whitespace).filter(|word| !word.is_empty())).collect();
    let is_colour = |word: &&str| place(word).is_none();
    let at = words.iter().position(is_colour);
    let (places, colour): (Vec<&str>, _) = match at {
        None => (words, None),
        Some(0) => (words[1..].to_vec(), Some(words[0])),
        Some(last) if last + 1 == words.len() => (words[..last].to_vec(), Some(words[last])),
        Some(_) => return Err(unknown()),
    };
    let places: Option<Vec<f32>> = places.into_iter().map(place).collect();
    let places = places.ok_or_else(unknown)?;
    let colour = match colour {
        Some(text) => Some(Rgb::on_paper(text).ok_or_else(unknown)?),
        None if places.len() == 1 => None,
        None => return Err(unknown()),
    };
    match places[..] {
        [] => given.push((None, colour)),
        [_] | [_, _] => given.extend(places.iter().map(|place| (Some(*place), colour))),
        _ => return Err(unknown()),
    }
    Ok(())
}

/// Finds the places that are not said, as CSS does: evenly between those that are, and none before one before it.
fn places(given: &[Given], cyclic: bool) -> Result<Vec<f32>, StopsError> {
    let last = given.len().saturating_sub(1);
    let mut places: Vec<f32> = Vec::with_capacity(given.len());
    let mut next: Option<(usize, f32)> = None;
    for (index, (place, _)) in given.iter().enumerate() {
        let before = places.last().copied();
        places.push(match (place, before) {
            (Some(place), before) => place.max(before.unwrap_or(*place)),
            (None, None) => 0.0,
            (None, Some(before)) => {
                if next.is_none_or(|(at, _)| at < index) {
                    let said = given.iter().enumerate().skip(index);
                    let said = said.filter_map(|(at, (place, _))| Some((at, (*place)?)));
                    // A cyclic palette comes to its beginning again one stop after its last.
                    let end = (last + usize::from(cyclic), 100.0);
                    next = Some(said.into_iter().next().unwrap_or(end));
                }
                let (at, end) = next.ok_or(StopsError::Malformed)?;
                before + (end - before).max(0.0) / (at + 1 - index) as f32
            }
        });
    }
    Ok(places)
}

/// Finds the colours that are not said: a place alone is where its neighbours are mixed half and half, and the way there
/// is bent so that it is so.
fn coloured(given: &[Given], places: &[f32], blend: Blend) -> Result<Vec<(f32, Rgb)>, StopsError> {
    let mut stops: Vec<(f32, Rgb)> = Vec::with_capacity(given.len());
    for (index, ((_, colour), place)) in given.iter().zip(places).enumerate() {
        if let Some(colour) = colour {
            stops.push((*place, *colour));
            continue;
        }
        let (Some((from, before)), Some((_, Some(after)))) =
            (stops.last().copied(), given.get(index + 1))
        else {
            return Err(StopsError::Malformed);
        };
        let length = places[index + 1] - from;
        let middle = (place - from) / length;
        if middle <= 0.0 {
            stops.push((*place, *after));
        } else if middle >= 1.0 {
            stops.push((*place, before));
        } else if middle.is_finite() {
            let power = libm::log(f64::from(middle)) / libm::log(0.5);
            stops.extend((1..HINT_STEPS).map(|step| {
                let share = f64::from(step) / f64::from(HINT_STEPS);
                let place = match step == HINT_STEPS / 2 {
                    true => *place,
                    false => from + length * libm::pow(share, power) as f32,
                };
                let colour = blend.mix(before, *after, share as f32).clamp();
                (place, Rgb::nearest(&colour))
            }));
        }
        if stops.len() > MOST_STOPS {
            return Err(StopsError::TooMany);
        }
    }
    Ok(stops)
}

#[cfg(test)]
#[path = "css_tests.rs"]
mod tests;
