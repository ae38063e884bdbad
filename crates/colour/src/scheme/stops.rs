//! Stops: colours at places, and how they are joined. As text the list of a CSS gradient, so that a palette of any
//! origin can be printed, kept and typed again.
//!
//! ```text
//! gold, 35%, #f00
//! cyclic smooth: #000764 0%, #206bcb 16%, #edffff 42%, #ffaa00 64.25%, #000200 85.75%
//! oklab: black, white
//! ```

use std::fmt;

use colorgrad::{CatmullRomGradient, Color, Gradient, GradientBuilder, LinearGradient};

use super::blend::Blend;
use super::rgb::{Rgb, colour_of};

/// Most stops of a palette.
pub const MOST_STOPS: usize = 4096;
/// Most bytes of a list of stops as text.
pub(super) const MOST_BYTES: usize = 64 * MOST_STOPS;
/// Stops of a cyclic palette that are repeated beyond each of its ends: a curve knows two neighbours.
const BEYOND: usize = 2;

/// Colours at places in order, of which those from 0 to 100 percent are seen, and how they are joined.
#[derive(Clone, Debug, PartialEq)]
pub struct Stops {
    /// Place in percent, and colour; at least one.
    list: Vec<(f32, Rgb)>,
    /// Whether the last colour goes over into the first.
    cyclic: bool,
    /// Whether colours are joined by curves and not by straight lines.
    smooth: bool,
    /// Where colours are mixed.
    blend: Blend,
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
    /// A space that colours are not mixed in.
    #[error("'{0}': colours are mixed in srgb, srgb-linear, oklab or oklch")]
    Space(String),
    /// A gradient of another kind.
    #[error("'{0}' is no palette: give a linear-gradient")]
    Function(String),
    /// Over a limit.
    #[error("over {MOST_STOPS} colours, or too long a text")]
    TooMany,
}

impl Stops {
    /// Colours at places from 0 to 1, as tests name them.
    #[cfg(test)]
    pub fn colours_at(&self, places: &[f32]) -> Vec<[u8; 3]> {
        let gradient = self.gradient();
        let colour = |at: &f32| Rgb::nearest(&gradient.at(*at)).0;
        places.iter().map(colour).collect()
    }

    /// Stops at `list`, places in percent, in any order.
    ///
    /// # Errors
    /// When there are none or too many, a place is no number, or of a cyclic palette is outside 0 to 100.
    pub fn new(
        mut list: Vec<(f32, Rgb)>,
        cyclic: bool,
        smooth: bool,
        blend: Blend,
    ) -> Result<Self, StopsError> {
        if list.len() > MOST_STOPS {
            return Err(StopsError::TooMany);
        }
        let is_place = |place: f32| match cyclic {
            true => (0.0..=100.0).contains(&place),
            false => place.is_finite(),
        };
        if list.is_empty() || !list.iter().all(|(place, _)| is_place(*place)) {
            return Err(StopsError::Malformed);
        }
        list.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Ok(Self {
            list,
            cyclic,
            smooth,
            blend,
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The same colours, mixed elsewhere.
    pub fn blended(self, blend: Blend) -> Self {
        Self { blend, ..self }
    }

    /// Whether the end goes over into the beginning without a seam.
    pub fn closes(&self) -> bool {
        let end = |at: f32| Rgb::nearest(&self.gradient().at(at).clamp());
        self.cyclic || end(0.0) == end(1.0)
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
        if let [first, .., last] = list[..]
            && first.0 == last.0
        {
            // All at one place, which is a step: nothing of it is flat to the library.
            list.insert(0, (first.0 - 1.0, first.1));
            list.push((last.0 + 1.0, last.1));
        }
        let list = self.blend.straight(&list);
        let colours: Vec<Color> = list.iter().map(|(_, colour)| *colour).collect();
        let places: Vec<f32> = list.iter().map(|(place, _)| place / 100.0).collect();
        let mut builder = GradientBuilder::new();
        builder
            .colors(&colours)
            .domain(&places)
            .mode(self.blend.mode());
        let built: Option<Box<dyn Gradient>> = if self.smooth {
            (builder.build::<CatmullRomGradient>().ok()).map(|gradient| Box::new(gradient) as _)
        } else {
            (builder.build::<LinearGradient>().ok()).map(|gradient| Box::new(gradient) as _)
        };
        // One colour alone is no gradient to the library.
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

    /// A colour as CSS has it, over white where it is transparent: as on a page.
    pub(super) fn on_paper(text: &str) -> Option<Self> {
        Some(Self::over(&colour_of(text)?, 1.0))
    }

    /// What is seen of a colour that lies over a grey, which is 0 to 1.
    pub(super) fn over(colour: &Color, grey: f32) -> Self {
        let [r, g, b, alpha] = colour.clone().clamp().to_array();
        let seen = |value: f32| grey + alpha * (value - grey);
        Self::nearest(&Color::new(seen(r), seen(g), seen(b), 1.0))
    }

    /// From the library, to the nearest.
    pub(super) fn nearest(colour: &Color) -> Self {
        let [r, g, b, _] = colour.to_rgba8();
        Self([r, g, b])
    }
}

impl fmt::Display for Stops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blend = self.blend.to_string();
        let words = [
            (self.cyclic, "cyclic"),
            (self.smooth, "smooth"),
            (self.blend != Blend::default(), &*blend),
        ];
        let words: Vec<&str> = (words.iter().filter(|(is_so, _)| *is_so))
            .map(|(_, word)| *word)
            .collect();
        if !words.is_empty() {
            write!(f, "{}: ", words.join(" "))?;
        }
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
        fn any_text_is_read_or_refused(text in "(cyclic |smooth |oklab |: ?){0,3}((#[0-9a-f]{3,8}|red|RGB[(]1 2 3 / 5%[)]|in oklch|[a-z(]{1,5}|) ?(-?[0-9.e]{1,5}%)? ?(, ?)?){0,9}") {
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
