//! Colours in a file of our own of which some may be missing: those are the usual ones.

use serde::{Deserialize, Serialize};

use colour::{ColourBy, Depth, Light, Mapping, Palette, Repeat, Rgb, Samples, Scheme};

/// Colours, which are written whole and read in part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Partial", into = "Scheme")]
pub(crate) struct Colours(pub(crate) Scheme);

/// What a file says of them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Partial {
    palette: Option<Palette>,
    colour: Option<ColourBy>,
    mapping: Option<Mapping>,
    range: Option<(f64, f64)>,
    repeat: Option<Repeat>,
    offset: Option<f64>,
    inside: Option<Rgb>,
    light: Option<Light>,
    samples: Option<Samples>,
    dither: Option<bool>,
    depth: Option<Depth>,
}

impl From<Partial> for Colours {
    fn from(said: Partial) -> Self {
        let usual = Scheme::default();
        // As with `--period`: counts by themselves.
        let mapping = match said.repeat {
            Some(Repeat::Period(_)) => Mapping::Linear,
            _ => usual.mapping,
        };
        Self(Scheme {
            palette: said.palette.unwrap_or(usual.palette),
            colour: said.colour.unwrap_or(usual.colour),
            mapping: said.mapping.unwrap_or(mapping),
            range: said.range,
            repeat: said.repeat,
            offset: said.offset.unwrap_or(usual.offset),
            inside: said.inside.unwrap_or(usual.inside),
            light: said.light,
            samples: said.samples.unwrap_or(usual.samples),
            dither: said.dither.unwrap_or(usual.dither),
            depth: said.depth.unwrap_or(usual.depth),
        })
    }
}

impl From<Colours> for Scheme {
    fn from(colours: Colours) -> Self {
        colours.0
    }
}
