//! A scheme: everything that decides the colours of a picture, complete, printable and serialisable.
//!
//! It is what the journal keeps, what pictures hold in their text, and what the command line changes.

use std::fmt;
use std::str::FromStr;

use fractal::{Measure, MeasureSet};
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::palette::Palette;
use super::rgb::Rgb;

/// Palette where none is given.
const PALETTE: &str = "plasma";

/// Most samples along a side of a pixel.
const MOST_SIDE: u32 = 8;
/// Longest period, most cycles: beyond them nothing is seen.
const MOST_REPEAT: f64 = 1e15;

/// Everything that decides the colours of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// The colours.
    pub palette: Palette,
    /// What is coloured.
    pub colour: ColourBy,
    /// How values are spread over the palette.
    pub mapping: Mapping,
    /// Values at the palette's ends; found from the picture when `None`. Without meaning for [`Mapping::Rank`] and
    /// for a period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// Whether the palette comes again; once from end to end when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// Where on the palette the colours begin, as a share of it, 0 to 1.
    pub offset: f64,
    /// Colour of the inside.
    pub inside: Rgb,
    /// Light from the side, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light: Option<Light>,
    /// Samples of a pixel.
    pub samples: Samples,
    /// Whether noise takes the place of rounding; only where there are 8 bits.
    pub dither: bool,
    /// Bits of a pixel's channel.
    pub depth: Depth,
}

/// What is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColourBy {
    /// The smooth iteration count.
    Smooth,
    /// Whole iteration counts: the smooth one, rounded down.
    Bands,
    /// The exterior distance estimate, in pixels.
    Distance,
}

/// How values are spread over the palette: what grows evenly along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mapping {
    /// log2(1 + value - low); with a period log2(1 + value).
    Log,
    /// sqrt(value - low); with a period sqrt(value).
    Sqrt,
    /// The value.
    Linear,
    /// The share of the picture's outside that has less: each colour on as much of the picture as every other.
    Rank,
}

/// How the palette comes again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// Once for so much of the mapped value, whatever the picture's range.
    Period(f64),
    /// So many times over the picture's range.
    Cycles(f64),
}

/// Light from the side on the smooth count as a relief (Arnaud Chéritat's normal map, from differences of
/// neighbours).
#[derive(Clone, Copy, Debug, PartialEq, SerializeDisplay, DeserializeFromStr)]
pub struct Light {
    /// Where it comes from, in degrees: 0 from the right, 90 from above.
    pub angle: f64,
    /// Its height against its distance: small is dramatic.
    pub height: f64,
}

/// Bits of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Depth {
    /// 8.
    Eight,
    /// 16.
    Sixteen,
}

/// How many samples a pixel is the mean of: the square of a whole number from 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Samples {
    side: u32,
}

/// What must be known of the whole picture before any of it can be painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// The range of its values.
    Range,
    /// The ranks of its values.
    Ranks,
}

/// What is wrong with a scheme, in one line that begins with the field's name where one field is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SchemeError {
    /// The range is empty.
    #[error("colour-range {0:?} {1:?}: the low end must be below the high end, and both finite")]
    Range(f64, f64),
    /// The period is none.
    #[error("period {0:?}: give a number greater than 0 and at most {MOST_REPEAT:e}")]
    Period(f64),
    /// The number of cycles is none.
    #[error("cycles {0:?}: give a number greater than 0 and at most {MOST_REPEAT:e}")]
    Cycles(f64),
    /// The offset is none.
    #[error("offset {0:?}: give a share of the palette from 0 to 1")]
    Offset(f64),
    /// Ranks have no period.
    #[error("period counts values, and equalise ranks them: use cycles with it")]
    RankPeriod,
    /// A range decides nothing with ranks or a period.
    #[error("colour-range has no meaning with {0}")]
    IdleRange(&'static str),
    /// 16 bits need no noise.
    #[error("dither is for 8 bits: not with depth 16")]
    Dither,
    /// The light is none.
    #[error("'{0}' is no light: give ANGLE or ANGLE,HEIGHT, with a height from 0 to 100")]
    Light(String),
    /// The number of samples is none.
    #[error("{0} is no number of samples: give 1, 4, 9, 16, 25, 36, 49 or 64")]
    Samples(u32),
    /// The depth is none.
    #[error("{0} is no depth: give 8 or 16")]
    Depth(u8),
}

impl Default for Scheme {
    /// The colours where nothing is said.
    fn default() -> Self {
        Self {
            palette: Palette::named(PALETTE)
                .unwrap_or_else(|| unreachable!("it is among the names")),
            colour: ColourBy::Smooth,
            mapping: Mapping::Log,
            range: None,
            repeat: None,
            offset: 0.0,
            inside: Rgb([0, 0, 0]),
            light: None,
            samples: Samples::ONE,
            dither: false,
            depth: Depth::Eight,
        }
    }
}

impl Scheme {
    /// Checks that it makes sense.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn check(&self) -> Result<(), SchemeError> {
        let positive = |value: f64| value > 0.0 && value <= MOST_REPEAT;
        match self.repeat {
            Some(Repeat::Period(period)) if !positive(period) => {
                return Err(SchemeError::Period(period));
            }
            Some(Repeat::Cycles(cycles)) if !positive(cycles) => {
                return Err(SchemeError::Cycles(cycles));
            }
            Some(Repeat::Period(_)) if self.mapping == Mapping::Rank => {
                return Err(SchemeError::RankPeriod);
            }
            _ => {}
        }
        if let Some((low, high)) = self.range {
            if !(low < high && (high - low).is_finite()) {
                return Err(SchemeError::Range(low, high));
            }
            if self.mapping == Mapping::Rank {
                return Err(SchemeError::IdleRange("equalise"));
            }
            if let Some(Repeat::Period(_)) = self.repeat {
                return Err(SchemeError::IdleRange("period"));
            }
        }
        if !(0.0..=1.0).contains(&self.offset) {
            return Err(SchemeError::Offset(self.offset));
        }
        if self.dither && self.depth == Depth::Sixteen {
            return Err(SchemeError::Dither);
        }
        if let Some(light) = self.light {
            Light::new(light.angle, light.height)
                .ok_or_else(|| SchemeError::Light(light.to_string()))?;
        }
        Ok(())
    }

    /// What must be known of the whole picture first.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match (self.mapping, self.repeat, self.range) {
            (Mapping::Rank, ..) => Needs::Ranks,
            (_, Some(Repeat::Period(_)), _) | (_, _, Some(_)) => Needs::Nothing,
            _ => Needs::Range,
        }
    }

    /// Values at the palette's ends: those given, or those that were `found` among samples. What is given and written
    /// down is in pixels, and distances come in spacings of samples. 0 to 1 where there are no ends.
    #[must_use]
    pub fn ends(&self, found: (f64, f64)) -> (f64, f64) {
        match self.needs() {
            Needs::Range => self.in_pixels(found),
            Needs::Nothing | Needs::Ranks => self.range.unwrap_or((0.0, 1.0)),
        }
    }

    /// A range of values as samples have them, as pixels do.
    #[must_use]
    pub fn in_pixels(&self, (low, high): (f64, f64)) -> (f64, f64) {
        let scale = self.scale();
        (low * scale, high * scale)
    }

    /// What a sample's value is multiplied by to be a pixel's.
    #[must_use]
    pub fn scale(&self) -> f64 {
        match self.colour {
            ColourBy::Distance => 1.0 / f64::from(self.samples.side()),
            ColourBy::Smooth | ColourBy::Bands => 1.0,
        }
    }

    /// The measure whose values it spreads over the palette.
    #[must_use]
    pub fn measure(&self) -> Measure {
        match self.colour {
            ColourBy::Smooth | ColourBy::Bands => Measure::Smooth,
            ColourBy::Distance => Measure::Distance,
        }
    }

    /// The measures that it paints from.
    #[must_use]
    pub fn measures(&self) -> MeasureSet {
        let measures = MeasureSet::default().with(self.measure());
        match self.light {
            Some(_) => measures.with(Measure::Smooth),
            None => measures,
        }
    }
}

impl Light {
    /// Height of a light where none is given.
    const HEIGHT: f64 = 1.5;

    /// `None` for an angle that is no number, or a height that is not within 0 and 100.
    #[must_use]
    pub fn new(angle: f64, height: f64) -> Option<Self> {
        let is_light = angle.is_finite() && (0.0..=100.0).contains(&height);
        is_light.then_some(Self { angle, height })
    }
}

impl FromStr for Light {
    type Err = SchemeError;

    fn from_str(text: &str) -> Result<Self, SchemeError> {
        let parsed = match text.split_once(',') {
            Some((angle, height)) => (angle.trim().parse(), height.trim().parse()),
            None => (text.trim().parse(), Ok(Self::HEIGHT)),
        };
        let light = match parsed {
            (Ok(angle), Ok(height)) => Self::new(angle, height),
            _ => None,
        };
        light.ok_or_else(|| SchemeError::Light(text.to_owned()))
    }
}

impl fmt::Display for Light {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.angle, self.height)
    }
}

impl Samples {
    /// One.
    pub const ONE: Self = Self { side: 1 };

    /// Samples along a side of a pixel.
    #[must_use]
    pub const fn side(self) -> u32 {
        self.side
    }

    /// Columns and rows of the pixels that columns and rows of samples make up; `None` where they do not come out even.
    #[must_use]
    pub const fn pixels(self, (width, height): (u32, u32)) -> Option<(u32, u32)> {
        if width.is_multiple_of(self.side) && height.is_multiple_of(self.side) {
            Some((width / self.side, height / self.side))
        } else {
            None
        }
    }
}

impl TryFrom<u32> for Samples {
    type Error = SchemeError;

    fn try_from(count: u32) -> Result<Self, SchemeError> {
        (1..=MOST_SIDE)
            .find(|side| side * side == count)
            .map(|side| Self { side })
            .ok_or(SchemeError::Samples(count))
    }
}

impl From<Samples> for u32 {
    fn from(samples: Samples) -> Self {
        samples.side * samples.side
    }
}

impl FromStr for Samples {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count: u32 = text.parse().map_err(|_| "give a whole number".to_owned())?;
        Self::try_from(count).map_err(|error| error.to_string())
    }
}

impl TryFrom<u8> for Depth {
    type Error = SchemeError;

    fn try_from(bits: u8) -> Result<Self, SchemeError> {
        match bits {
            8 => Ok(Self::Eight),
            16 => Ok(Self::Sixteen),
            _ => Err(SchemeError::Depth(bits)),
        }
    }
}

impl From<Depth> for u8 {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::Eight => 8,
            Depth::Sixteen => 16,
        }
    }
}

impl FromStr for Depth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bits: u8 = text.parse().map_err(|_| "give 8 or 16".to_owned())?;
        Self::try_from(bits).map_err(|error| error.to_string())
    }
}
