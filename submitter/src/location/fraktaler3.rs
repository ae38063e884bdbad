//! `.f3.toml`, of Fraktaler-3: TOML in tables; what is not said has a default. Its pictures hold the same text.
//!
//! Its zoom is ours: half the picture's height is 2/zoom. See <https://fraktaler.mathr.co.uk>, "Parameters".

use serde::Deserialize;

use super::own::said;
use super::{Format, Location, centre, number};

/// The attribute of its OpenEXR files that holds the text.
pub(super) const ATTRIBUTE: &str = "Fraktaler3";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    location: Place,
    reference: Reference,
    bailout: Bailout,
    transform: Transform,
    formula: Vec<Formula>,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Place {
    real: String,
    imag: String,
    zoom: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    period: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bailout {
    iterations: Option<u64>,
    escape_radius: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Transform {
    reflect: bool,
    rotate: f64,
    stretch_amount: f64,
    exponential_map: bool,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Formula {
    abs_x: bool,
    abs_y: bool,
    neg_x: bool,
    neg_y: bool,
    power: i64,
    opcodes: Option<String>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            real: "0".to_owned(),
            imag: "0".to_owned(),
            zoom: "1".to_owned(),
        }
    }
}

impl Default for Formula {
    fn default() -> Self {
        Self {
            abs_x: false,
            abs_y: false,
            neg_x: false,
            neg_y: false,
            power: 2,
            opcodes: None,
        }
    }
}

impl Formula {
    /// Whether it is z^2 + c.
    fn is_ours(&self) -> bool {
        let plain = !(self.abs_x || self.abs_y || self.neg_x || self.neg_y);
        let squares = |opcodes: &String| opcodes.split_whitespace().eq(["sqr", "add"]);
        plain && self.power == 2 && self.opcodes.as_ref().is_none_or(squares)
    }
}

pub(super) fn parse(text: &str) -> Result<Location, String> {
    let file: File = toml::from_str(text).map_err(|error| said(text, &error))?;
    if !file.formula.iter().all(Formula::is_ours) {
        return Err(
            "[[formula]] is another fractal than the Mandelbrot set (power 2, all else false)"
                .to_owned(),
        );
    }
    let place = &file.location;
    let view = centre(
        number("location.real", &place.real)?,
        number("location.imag", &place.imag)?,
        number("location.zoom", &place.zoom)?,
    )?;
    let transform = &file.transform;
    let mut warnings = Vec::new();
    for (is_set, key, what) in [
        (transform.rotate != 0.0, "rotate", "rotation"),
        (
            transform.stretch_amount != 0.0,
            "stretch_amount",
            "stretching",
        ),
        (transform.reflect, "reflect", "reflection"),
        (
            transform.exponential_map,
            "exponential_map",
            "exponential map",
        ),
    ] {
        if is_set {
            warnings.push(format!(
                "{what} of the location (transform.{key}) is left out"
            ));
        }
    }
    Ok(Location {
        iterations: file.bailout.iterations,
        escape_radius: file.bailout.escape_radius,
        period: Some(file.reference.period).filter(|period| *period > 0),
        warnings,
        ..Location::at(view, Format::Fraktaler3)
    })
}
