//! `.toml`, of rust-fractal: `real`, `imag` and `zoom` as text, such as `"1.00E14"`, beside settings of that program.
//!
//! Its zoom is ours: half the picture's height is 2/zoom. See <https://github.com/rust-fractal/rust-fractal-core>.

use fractal::Formula;
use serde::Deserialize;

use super::shared::{centre, keys, left_out_warning, number};
use super::toml_error::toml_error;
use crate::location::{Format, Location};
use colour::{Blend, ColourBy, Mapping, Palette, Repeat, Rgb, Scheme};

#[derive(Debug, Deserialize)]
#[serde(default)]
struct File {
    real: String,
    imag: String,
    zoom: String,
    iterations: u64,
    rotate: f64,
    fractal_type: Option<String>,
    fractal_power: Option<i64>,
    image_width: u32,
    image_height: u32,
    palette: Option<Vec<u8>>,
    palette_iteration_span: f64,
    palette_offset: f64,
    coloring_type: Option<String>,
}

/// What that program takes where a file is silent.
impl Default for File {
    fn default() -> Self {
        Self {
            real: "-0.75".to_owned(),
            imag: "0".to_owned(),
            zoom: "1".to_owned(),
            iterations: 1000,
            rotate: 0.0,
            fractal_type: None,
            fractal_power: None,
            image_width: 1000,
            image_height: 1000,
            palette: None,
            palette_iteration_span: 100.0,
            palette_offset: 0.0,
            coloring_type: None,
        }
    }
}

/// Its own palette has the colours of one of ours, and begins with another of them: the black one.
const PALETTE: &str = "classic";
const BLACK_AT: f64 = 0.8575;

/// Keys that are read.
const TAKEN: [&str; 13] = [
    "real",
    "imag",
    "zoom",
    "iterations",
    "rotate",
    "fractal_type",
    "fractal_power",
    "image_width",
    "image_height",
    "palette",
    "palette_iteration_span",
    "palette_offset",
    "coloring_type",
];

impl File {
    /// What it iterates. Its burning ship is a square, whatever the power.
    fn formula(&self) -> Result<Formula, String> {
        let kind = self.fractal_type.as_deref().unwrap_or("mandelbrot");
        let power = self.fractal_power.unwrap_or(2);
        let unknown = format!(
            "fractal_type {kind:.40}, fractal_power {power}: neither a Mandelbrot set nor a burning ship"
        );
        let operations = match (kind.to_ascii_lowercase().as_str(), power) {
            ("mandelbrot", 2) => "sqr add".to_owned(),
            ("mandelbrot", 3..) => format!("pow{power} add"),
            ("burningship", _) => "absx absy sqr add".to_owned(),
            _ => return Err(unknown),
        };
        (operations.parse()).map_err(|error| format!("fractal_power {power}: {error}"))
    }

    /// Its palette, or that program's own, and where it begins.
    fn palette(&self, left_out: &mut Vec<String>) -> Option<(Palette, f64)> {
        let own = || Some((Palette::named(PALETTE)?, BLACK_AT));
        let Some(list) = &self.palette else {
            return own();
        };
        let (list, odd) = list.as_chunks::<3>();
        let list: Vec<Rgb> = list.iter().map(|colour| Rgb(*colour)).collect();
        match Palette::cyclic(&list, true, Blend::Oklab) {
            Ok(palette) if odd.is_empty() => Some((palette, 0.0)),
            _ => {
                left_out.push("palette (no list of colours of three numbers each)".to_owned());
                own()
            }
        }
    }

    /// Its colours.
    fn colours(&self, left_out: &mut Vec<String>) -> Option<Scheme> {
        let said = self.coloring_type.as_deref().map(str::to_ascii_lowercase);
        let colour = match said.as_deref() {
            None | Some("smooth_iteration" | "smooth") => ColourBy::Smooth,
            Some("step_iteration" | "step") => ColourBy::Bands,
            Some("distance") => ColourBy::Distance,
            Some(other) => {
                left_out.push(format!("coloring_type {other:.40}"));
                ColourBy::Smooth
            }
        };
        let (palette, begin) = self.palette(left_out)?;
        let scheme = Scheme {
            palette,
            colour,
            mapping: Mapping::Linear,
            repeat: Some(Repeat::Period(self.palette_iteration_span)),
            offset: (begin + self.palette_offset).rem_euclid(1.0),
            ..Scheme::default()
        };
        if scheme.check().is_ok() {
            return Some(scheme);
        }
        left_out.push("palette (its span or offset is out of range)".to_owned());
        None
    }
}

pub(crate) fn parse(text: &str) -> Result<Location, String> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
    let formula = file.formula()?.mirrored();
    // Its axis points down: its picture is ours of the conjugate, which turns the other way.
    let view = centre(
        number("real", &file.real)?,
        number("imag", &file.imag)?.negated(),
        number("zoom", &file.zoom)?,
    )?;
    let table: toml::Table = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
    let mut left_out = keys(&table);
    left_out.retain(|key| !TAKEN.contains(&key.as_str()));
    let mut location = Location::at(view, Format::RustFractal);
    location.transform.rotate = 0.0 - file.rotate;
    (location.transform.check()).map_err(|error| error.to_string())?;
    location.formula = Some(formula).filter(|formula| !formula.is_mandelbrot());
    location.iterations = Some(file.iterations);
    location.size = Some((file.image_width, file.image_height));
    location.colours = file.colours(&mut left_out);
    location.warnings.extend(left_out_warning(left_out));
    Ok(location)
}
