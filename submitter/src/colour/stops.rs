//! Stops: colours at places, and how they are joined. As text the list of a CSS gradient, so that a palette of any
//! origin can be printed, kept and typed again.
//!
//! ```text
//! gold, 35%, #f00
//! cyclic smooth: #000764 0%, #206bcb 16%, #edffff 42%, #ffaa00 64.25%, #000200 85.75%
//! ```

use std::fmt;
use std::str::FromStr;

use colorgrad::{BlendMode, CatmullRomGradient, Color, Gradient, GradientBuilder, LinearGradient};

use super::scheme::Rgb;

/// Most stops of a palette.
pub const MOST_STOPS: usize = 4096;
/// Most bytes of a list of stops as text.
const MOST_BYTES: usize = 64 * MOST_STOPS;
/// Stops of a cyclic palette that are repeated beyond each of its ends: a curve knows two neighbours.
const BEYOND: usize = 2;
/// Characters of what is wrong that an error repeats.
const MOST_SHOWN: usize = 40;

/// Colours at places from 0 to 100 percent, in order, and how they are joined in Oklab.
#[derive(Clone, Debug, PartialEq)]
pub struct Stops {
    /// Place in percent, and colour; at least one.
    list: Vec<(f32, Rgb)>,
    /// Whether the last colour goes over into the first.
    cyclic: bool,
    /// Whether colours are joined by curves and not by straight lines.
    smooth: bool,
}

/// Why stops are none, in a few words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopsError {
    /// No list.
    #[error("no list of colours as a CSS gradient has it, such as 'gold, 35%, #f00'")]
    Malformed,
    /// A part of the list.
    #[error("'{0}' is no colour with a place, such as '#206bcb 16%'")]
    Part(String),
    /// Over a limit.
    #[error("over {MOST_STOPS} colours, or too long a text")]
    TooMany,
}

impl Stops {
    /// Stops at `list`, places in percent, in any order.
    ///
    /// # Errors
    /// When there are none or too many, or a place is outside 0 to 100.
    pub fn new(mut list: Vec<(f32, Rgb)>, cyclic: bool, smooth: bool) -> Result<Self, StopsError> {
        if list.len() > MOST_STOPS {
            return Err(StopsError::TooMany);
        }
        if list.is_empty() || !list.iter().all(|(place, _)| (0.0..=100.0).contains(place)) {
            return Err(StopsError::Malformed);
        }
        list.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Ok(Self {
            list,
            cyclic,
            smooth,
        })
    }

    /// Whether the end goes over into the beginning without a seam.
    pub fn closes(&self) -> bool {
        let (first, last) = (self.list.first(), self.list.last());
        self.cyclic || first.map(|stop| stop.1) == last.map(|stop| stop.1)
    }

    /// The colours as a function of 0 to 1.
    pub fn gradient(&self) -> Box<dyn Gradient> {
        let mut list = self.list.clone();
        if self.cyclic {
            // Going round is to be seen from both ends.
            let around = |by: f32| move |(place, colour): &(f32, Rgb)| (place + by, *colour);
            let mut turns: Vec<(f32, Rgb)> = self.list.iter().map(around(-100.0)).collect();
            turns.drain(..turns.len().saturating_sub(BEYOND));
            turns.extend(&list);
            turns.extend(self.list.iter().take(BEYOND).map(around(100.0)));
            list = turns;
        }
        let colours: Vec<Color> = list.iter().map(|(_, colour)| colour.as_color()).collect();
        let places: Vec<f32> = list.iter().map(|(place, _)| place / 100.0).collect();
        let mut builder = GradientBuilder::new();
        builder
            .colors(&colours)
            .domain(&places)
            .mode(BlendMode::Oklab);
        let built: Option<Box<dyn Gradient>> = if self.smooth {
            (builder.build::<CatmullRomGradient>().ok()).map(|gradient| Box::new(gradient) as _)
        } else {
            (builder.build::<LinearGradient>().ok()).map(|gradient| Box::new(gradient) as _)
        };
        // One colour alone, or all of them at one place, are no gradient to the library.
        built.unwrap_or_else(|| {
            let only = colours.first().cloned().unwrap_or_default().to_array();
            let flat = LinearGradient::from_rgba_data([(0.0, only), (1.0, only)]);
            Box::new(flat.unwrap_or_else(|| unreachable!("two stops in order")))
        })
    }
}

impl Rgb {
    /// For the library.
    pub(super) fn as_color(self) -> Color {
        let [r, g, b] = self.0;
        Color::from_rgba8(r, g, b, 255)
    }

    /// From the library, to the nearest.
    pub(super) fn nearest(colour: &Color) -> Self {
        let [r, g, b, _] = colour.to_rgba8();
        Self([r, g, b])
    }
}

impl FromStr for Stops {
    type Err = StopsError;

    fn from_str(text: &str) -> Result<Self, StopsError> {
        if text.len() > MOST_BYTES {
            return Err(StopsError::TooMany);
        }
        let (words, list) = match text.split_once(':') {
            Some((words, list)) => (words, list),
            None => ("", text),
        };
        let (mut cyclic, mut smooth) = (false, false);
        for word in words.split_whitespace() {
            match word {
                "cyclic" => cyclic = true,
                "smooth" => smooth = true,
                _ => return Err(StopsError::Malformed),
            }
        }
        let mut given = Vec::new();
        for part in parts(bare_list(list)) {
            if given.len() > MOST_STOPS {
                return Err(StopsError::TooMany);
            }
            read_part(part, &mut given)?;
        }
        Self::new(placed(&given, cyclic)?, cyclic, smooth)
    }
}

/// What stands between the brackets of `linear-gradient(to right, ...)`, or all of `text`.
fn bare_list(text: &str) -> &str {
    let text = text.trim().trim_end_matches(';').trim();
    let inner = text.strip_prefix("linear-gradient(");
    let Some(inner) = inner.and_then(|inner| inner.strip_suffix(')')) else {
        return text;
    };
    match inner.split_once(',') {
        Some((first, rest)) if is_direction(first.trim()) => rest.trim(),
        _ => inner.trim(),
    }
}

fn is_direction(text: &str) -> bool {
    let is_angle = |unit| {
        let number = text.strip_suffix(unit);
        number.is_some_and(|number| number.parse::<f32>().is_ok())
    };
    text.starts_with("to ") || ["deg", "turn", "rad"].into_iter().any(is_angle)
}

/// What commas outside brackets divide.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    list.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
}

/// A colour or a place of a list, or both: what is not said is found from neighbours.
type Given = (Option<f32>, Option<Rgb>);

/// `COLOUR`, `COLOUR PLACE`, `COLOUR PLACE PLACE` or `PLACE`.
fn read_part(part: &str, given: &mut Vec<Given>) -> Result<(), StopsError> {
    let unknown = || StopsError::Part(part.chars().take(MOST_SHOWN).collect());
    let mut colour = part;
    let mut places = Vec::new();
    while places.len() < 2
        && let Some(without) = colour.strip_suffix('%')
        && let (rest, number) = without
            .rsplit_once(char::is_whitespace)
            .unwrap_or(("", without))
        && let Ok(place) = number.parse::<f32>()
    {
        places.push(place);
        colour = rest.trim_end();
    }
    if !places.iter().all(|place| (0.0..=100.0).contains(place)) {
        return Err(unknown());
    }
    let colour: Option<Rgb> = match (colour, places.len()) {
        ("", 1) => None,
        (text, _) => Some(text.parse().map_err(|_| unknown())?),
    };
    if places.is_empty() {
        given.push((None, colour));
    }
    given.extend(places.iter().rev().map(|place| (Some(*place), colour)));
    Ok(())
}

/// Finds the places and the colours that are not said, as CSS does: places evenly between those that are, a colour
/// half way between its neighbours.
fn placed(given: &[Given], cyclic: bool) -> Result<Vec<(f32, Rgb)>, StopsError> {
    let last = given.len().saturating_sub(1);
    let mut stops: Vec<(f32, Rgb)> = Vec::with_capacity(given.len());
    for (index, (place, colour)) in given.iter().enumerate() {
        let before = stops.last().copied();
        let colour = match (colour, before, given.get(index + 1)) {
            (Some(colour), ..) => *colour,
            (None, Some((_, before)), Some((_, Some(after)))) => {
                Rgb::nearest(&before.as_color().interpolate_oklab(&after.as_color(), 0.5))
            }
            _ => return Err(StopsError::Malformed),
        };
        let before = before.map_or(0.0, |(place, _)| place);
        let place = match place {
            Some(place) => place.max(before),
            None if index == 0 => 0.0,
            None => {
                let next = given.iter().enumerate().skip(index);
                let next = next
                    .filter_map(|(at, (place, _))| Some((at, (*place)?)))
                    .next();
                // A cyclic palette comes to its beginning again one stop after its last.
                let (at, end) = next.unwrap_or((last + usize::from(cyclic), 100.0));
                before + (end - before).max(0.0) / (at + 1 - index) as f32
            }
        };
        stops.push((place, colour));
    }
    Ok(stops)
}

impl fmt::Display for Stops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match (self.cyclic, self.smooth) {
            (false, false) => "",
            (true, false) => "cyclic: ",
            (false, true) => "smooth: ",
            (true, true) => "cyclic smooth: ",
        };
        f.write_str(words)?;
        for (index, (place, colour)) in self.list.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{colour} {place}%")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(text: &str) -> Vec<(f32, String)> {
        let stops: Stops = text.parse().unwrap();
        let stops = stops.list.iter();
        stops
            .map(|(place, colour)| (*place, colour.to_string()))
            .collect()
    }

    #[test]
    fn lists_are_read_as_css_has_them() {
        let stop = |place: f32, colour: &str| (place, colour.to_owned());
        assert_eq!(
            listed("#fff, rgb(255, 0, 0) 20%, blue"),
            [
                stop(0.0, "#ffffff"),
                stop(20.0, "#ff0000"),
                stop(100.0, "#0000ff")
            ]
        );
        assert_eq!(
            listed("linear-gradient(to right, red 10% 30%, hsl(240 100% 50%));"),
            [
                stop(10.0, "#ff0000"),
                stop(30.0, "#ff0000"),
                stop(100.0, "#0000ff")
            ]
        );
        assert_eq!(
            listed("linear-gradient(90deg, red, lime, blue, white)")[1..3],
            [stop(33.333_332, "#00ff00"), stop(66.666_67, "#0000ff")]
        );
        // A place alone is half way between its neighbours' colours.
        let hint = listed("black, 25%, white");
        assert_eq!(hint[1].0, 25.0);
        assert_ne!(
            hint[1].1, "#808080",
            "half way in Oklab is darker than in sRGB"
        );
        // The last of four is followed by the first.
        assert_eq!(
            listed("cyclic: red, lime, blue, white")[3],
            stop(75.0, "#ffffff")
        );
    }

    #[test]
    fn what_is_no_list_is_said_in_a_line() {
        for (text, says) in [
            ("", "''"),
            ("red,, blue", "''"),
            ("red, bleu", "'bleu'"),
            ("red 10, blue", "'red 10'"),
            ("red 110%, blue", "'red 110%'"),
            ("25%, red", "CSS"),
            ("cyclic wild: red, blue", "CSS"),
            ("#12", "'#12'"),
        ] {
            let error = text.parse::<Stops>().unwrap_err().to_string();
            assert!(
                error.contains(says) && !error.contains('\n'),
                "{text}: {error}"
            );
        }
        let many = vec!["red"; MOST_STOPS + 1].join(",");
        assert_eq!(many.parse::<Stops>(), Err(StopsError::TooMany));
    }

    #[test]
    fn cyclic_stops_have_no_seam() {
        for words in ["cyclic", "cyclic smooth"] {
            let stops: Stops = format!("{words}: #102030 10%, gold 50%, #0080ff 80%")
                .parse()
                .unwrap();
            let gradient = stops.gradient();
            let ends = [0.0f32, 1.0].map(|at| gradient.at(at).to_rgba8());
            assert_eq!(ends[0], ends[1], "{words}");
            // It goes on across: neither of the colours beside the seam.
            assert_ne!(ends[0], [16, 32, 48, 255]);
            assert_eq!(gradient.at(0.5).to_rgba8(), [255, 215, 0, 255]);
        }
        let open: Stops = "#102030 10%, gold 50%".parse().unwrap();
        assert!(!open.closes());
        assert_eq!(open.gradient().at(0.0).to_rgba8(), [16, 32, 48, 255]);
    }

    #[test]
    fn one_colour_is_a_palette() {
        for text in [
            "#204060",
            "cyclic smooth: #204060 30%",
            "#204060 50%, #204060 50%",
        ] {
            let gradient = text.parse::<Stops>().unwrap().gradient();
            for at in [0.0, 0.3, 1.0] {
                assert_eq!(gradient.at(at).to_rgba8(), [32, 64, 96, 255], "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(cyclic |smooth |: ?){0,3}((#[0-9a-f]{3,6}|red|[a-z(]{1,5}|) ?(-?[0-9.e]{1,5}%)? ?(, ?)?){0,9}") {
            if let Ok(stops) = text.parse::<Stops>() {
                let again: Stops = stops.to_string().parse().unwrap();
                prop_assert_eq!(&again, &stops);
                let gradient = stops.gradient();
                for i in 0..=16u8 {
                    let _ = gradient.at(f32::from(i) / 16.0).to_rgba8();
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(text in ".{0,60}") {
            let _ = text.parse::<Stops>().map(|stops| stops.gradient().at(0.5));
        }
    }
}
