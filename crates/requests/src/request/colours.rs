//! How pixels are coloured.

use colour::{ColourBy, Depth, Light, Mapping, Palette, Rgb, Samples};
use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, PickFirst, serde_as};

/// Colours. What is not requested is as the location's own colours have it, or as it suits.
#[serde_as]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ColourRequest {
    /// The palette: a name, or stops as CSS has them. Palettes in files are among the means.
    pub palette: Option<Palette>,
    /// Where colours between a palette's stops are mixed: a word of CSS's, such as `oklab`.
    pub blend: Option<String>,
    /// What is coloured.
    #[serde(alias = "color")]
    pub colour: Option<ColourBy>,
    /// How it is spread over the palette.
    pub mapping: Option<Mapping>,
    /// Spread it so that every colour gets as much of the picture's outside.
    #[serde(alias = "equalize")]
    pub equalise: bool,
    /// Values at the palette's two ends.
    #[serde(alias = "color-range")]
    #[serde_as(as = "Option<(PickFirst<(_, DisplayFromStr)>, PickFirst<(_, DisplayFromStr)>)>")]
    pub colour_range: Option<(f64, f64)>,
    /// Run through the palette once every so many counts (of what the mapping makes of them).
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub period: Option<f64>,
    /// Run through the palette so many times over the picture's range.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub cycles: Option<f64>,
    /// Where on the palette to begin, as a share of it, 0 to 1.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub offset: Option<f64>,
    /// Colour of the inside.
    pub inside: Option<Rgb>,
    /// Light on the smooth count as a relief: `ANGLE` or `ANGLE,HEIGHT`.
    pub light: Option<Light>,
    /// No light, also where the location has one.
    pub no_light: bool,
    /// Samples of a pixel, whose mean it is.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub samples: Option<Samples>,
    /// Blue noise in place of rounding to 8 bits.
    pub dither: bool,
    /// No noise, also where the location has it.
    pub no_dither: bool,
    /// Bits of a channel.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub depth: Option<Depth>,
}
