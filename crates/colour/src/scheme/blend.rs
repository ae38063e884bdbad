//! How colours are mixed: the space whose straight lines lead from one to the other.

use std::fmt;

use colorgrad::{BlendMode, Color};

use super::rgb::Rgb;

/// Steps between two stops whose way is bent in Oklab.
const HUE_STEPS: u16 = 32;
/// Chroma below which a colour is a grey, whose hue says nothing; the greys of 8 bits have less than a tenth of it.
const GREY: f32 = 4e-4;
const TURN: f32 = std::f32::consts::TAU;

/// Where colours are mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blend {
    /// sRGB's own numbers, as most programs and CSS do.
    #[default]
    Srgb,
    /// Linear light.
    Linear,
    /// Oklab: a mixture is as light as it looks it should be.
    Oklab,
    /// Oklab by lightness, chroma and hue.
    Oklch(Hue),
}

/// Which way a hue goes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    /// The shorter.
    Shorter,
    /// The longer.
    Longer,
    /// Upwards.
    Increasing,
    /// Downwards.
    Decreasing,
}

/// All of them, by the word for each.
const WORDS: [(&str, Blend); 7] = [
    ("srgb", Blend::Srgb),
    ("srgb-linear", Blend::Linear),
    ("oklab", Blend::Oklab),
    ("oklch", Blend::Oklch(Hue::Shorter)),
    ("oklch-longer", Blend::Oklch(Hue::Longer)),
    ("oklch-increasing", Blend::Oklch(Hue::Increasing)),
    ("oklch-decreasing", Blend::Oklch(Hue::Decreasing)),
];

impl Blend {
    /// The one of a word: CSS's name of the space, and for another way round than the shorter that behind a `-`.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let known = WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, blend)| *blend)
    }

    /// The library's, for colours that [`Self::straight`] has laid out.
    pub(super) fn mode(self) -> BlendMode {
        match self {
            Self::Srgb => BlendMode::Rgb,
            Self::Linear => BlendMode::LinearRgb,
            Self::Oklab | Self::Oklch(_) => BlendMode::Oklab,
        }
    }

    /// Stops between which straight lines are right: more of them where hues go round.
    pub(super) fn straight(self, stops: &[(f32, Rgb)]) -> Vec<(f32, Color)> {
        let mut list = Vec::with_capacity(stops.len());
        let mut before: Option<(f32, Rgb)> = None;
        for &(place, colour) in stops {
            if let (Self::Oklch(_), Some((from, start))) = (self, before)
                && from < place
                && start != colour
            {
                list.extend((1..HUE_STEPS).map(|step| {
                    let share = f32::from(step) / f32::from(HUE_STEPS);
                    (
                        from + share * (place - from),
                        self.mix(start, colour, share),
                    )
                }));
            }
            list.push((place, colour.as_color()));
            before = Some((place, colour));
        }
        list
    }

    /// What lies between two colours, at a share of the way from 0 to 1.
    pub(super) fn mix(self, from: Rgb, to: Rgb, share: f32) -> Color {
        let [from, to] = [from, to].map(Rgb::as_color);
        let between = |from: [f32; 4], to: [f32; 4]| {
            std::array::from_fn(|part| from[part] + share * (to[part] - from[part]))
        };
        match self {
            Self::Srgb => Color::from(between(from.to_array(), to.to_array())),
            Self::Linear => {
                let [r, g, b, a] = between(from.to_linear_rgba(), to.to_linear_rgba());
                Color::from_linear_rgba(r, g, b, a)
            }
            Self::Oklab => {
                let [l, a, b, alpha] = between(from.to_oklaba(), to.to_oklaba());
                Color::from_oklaba(l, a, b, alpha)
            }
            Self::Oklch(way) => {
                let [mut from, mut to] = [from, to].map(|colour| colour.to_oklcha());
                // A grey takes the other's hue.
                match (from[1] < GREY, to[1] < GREY) {
                    (true, false) => from[2] = to[2],
                    (false, true) => to[2] = from[2],
                    _ => {}
                }
                to[2] = from[2] + way.turn(to[2] - from[2]);
                let [l, c, h, alpha] = between(from, to);
                Color::from_oklcha(l, c, h, alpha)
            }
        }
    }
}

impl Hue {
    /// A difference of two hues, in radians, this way round.
    fn turn(self, difference: f32) -> f32 {
        let up = difference.rem_euclid(TURN);
        match self {
            Self::Shorter if up > TURN / 2.0 => up - TURN,
            Self::Longer if up > 0.0 && up < TURN / 2.0 => up - TURN,
            Self::Shorter | Self::Longer | Self::Increasing => up,
            Self::Decreasing if up > 0.0 => up - TURN,
            Self::Decreasing => up,
        }
    }
}

impl fmt::Display for Blend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(_, blend)| blend == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_mixed_where_asked_for() {
        let [red, blue] = [Rgb([255, 0, 0]), Rgb([0, 0, 255])];
        let half = |word: &str| {
            let blend = Blend::of(word).unwrap();
            assert_eq!(blend.to_string(), word);
            Rgb::nearest(&blend.mix(red, blue, 0.5).clamp()).0
        };
        assert_eq!(half("srgb"), [128, 0, 128]);
        assert_eq!(half("srgb-linear"), [188, 0, 188]);
        // As browsers have them.
        assert_eq!(half("oklab"), [140, 83, 162]);
        let [shorter, longer] = ["oklch", "oklch-longer"].map(half);
        assert!(shorter[0] > 150 && shorter[1] < 30, "magenta: {shorter:?}");
        assert!(longer[1] > 120 && longer[0] < 30, "green: {longer:?}");
        assert_eq!(half("oklch-increasing"), longer);
        assert_eq!(half("oklch-decreasing"), shorter);
        assert_eq!(Blend::of("hsl"), None);
    }

    #[test]
    fn greys_take_the_other_colours_hue() {
        let blend = Blend::Oklch(Hue::Shorter);
        let half = blend.mix(Rgb([255; 3]), Rgb([0, 0, 255]), 0.5).to_oklcha();
        let blue = Rgb([0, 0, 255]).as_color().to_oklcha();
        assert!((half[2] - blue[2]).abs() < 1e-3, "{half:?}");
    }
}
