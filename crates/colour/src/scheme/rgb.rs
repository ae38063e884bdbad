//! One colour, as it is written in files and on the command line.

use std::fmt;
use std::str::FromStr;

use colorgrad::Color;
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// An sRGB colour of 8 bits a channel; as text like `#00a0ff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct Rgb(pub [u8; 3]);

/// Why a text is no colour.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RgbError {
    /// The colour is none.
    #[error(
        "'{0}' is no colour: give one as CSS has it, such as '#000764', 'gold' or 'rgb(0 7 100)'"
    )]
    Colour(String),
    /// The colour lets through what is not there.
    #[error(
        "'{0}' is transparent, and there is nothing below it: give the colour that is to be seen"
    )]
    Transparent(String),
}

/// A colour as CSS has it. The library takes digits without `#` for one as well.
pub(super) fn colour_of(text: &str) -> Option<Color> {
    let is_bare_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!is_bare_hex).then(|| text.parse().ok()).flatten()
}

impl FromStr for Rgb {
    type Err = RgbError;

    fn from_str(text: &str) -> Result<Self, RgbError> {
        let colour = colour_of(text.trim()).ok_or_else(|| RgbError::Colour(text.to_owned()))?;
        match colour.to_rgba8() {
            [r, g, b, u8::MAX] => Ok(Self([r, g, b])),
            _ => Err(RgbError::Transparent(text.to_owned())),
        }
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}
