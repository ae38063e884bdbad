//! `.toml`, of rust-fractal: `real`, `imag` and `zoom` as text, such as `"1.00E14"`, beside settings of that program.
//!
//! Its zoom is ours: half the picture's height is 2/zoom. See <https://github.com/rust-fractal/rust-fractal-core>.

use serde::Deserialize;

use super::own::said;
use super::{Format, Location, centre, mirrored, number};
use crate::colour::{Blend, ColourBy, Mapping, Palette, Repeat, Rgb, Scheme};
use crate::plan::colours::plain;

#[derive(Debug, Deserialize)]
struct File {
    real: String,
    imag: String,
    zoom: String,
    iterations: Option<u64>,
    #[serde(default)]
    rotate: f64,
    fractal_type: Option<String>,
    fractal_power: Option<i64>,
    image_width: Option<u32>,
    image_height: Option<u32>,
    palette: Option<Vec<u8>>,
    palette_iteration_span: Option<f64>,
    palette_offset: Option<f64>,
    coloring_type: Option<String>,
}

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
    /// Its colours, where it has a palette.
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
        let list = self.palette.as_deref()?.as_chunks::<3>().0;
        let list: Vec<Rgb> = list.iter().map(|colour| Rgb(*colour)).collect();
        let palette = Palette::cyclic(&list, true, Blend::Oklab).ok()?;
        let scheme = Scheme {
            palette,
            colour,
            mapping: Mapping::Linear,
            repeat: Some(Repeat::Period(self.palette_iteration_span.unwrap_or(100.0))),
            offset: self.palette_offset.unwrap_or(0.0).rem_euclid(1.0),
            ..plain()
        };
        if scheme.check().is_ok() {
            return Some(scheme);
        }
        left_out.push("palette (its span or offset is out of range)".to_owned());
        None
    }
}

pub(super) fn parse(text: &str) -> Result<Location, String> {
    let file: File = toml::from_str(text).map_err(|error| said(text, &error))?;
    let kind = file.fractal_type.as_deref().unwrap_or("mandelbrot");
    let power = file.fractal_power.unwrap_or(2);
    if !kind.eq_ignore_ascii_case("mandelbrot") || power != 2 {
        return Err(format!(
            "fractal_type {kind:.40}, fractal_power {power}: another fractal than the Mandelbrot set, power 2"
        ));
    }
    // Its axis points down: its picture is ours of the conjugate, which turns the other way.
    let view = centre(
        number("real", &file.real)?,
        mirrored(number("imag", &file.imag)?),
        number("zoom", &file.zoom)?,
    )?;
    let table: toml::Table = toml::from_str(text).map_err(|error| said(text, &error))?;
    let mut left_out = super::keys(&table);
    left_out.retain(|key| !TAKEN.contains(&key.as_str()));
    let mut location = Location::at(view, Format::RustFractal);
    location.transform.rotate = 0.0 - file.rotate;
    (location.transform.check()).map_err(|error| error.to_string())?;
    location.iterations = file.iterations;
    location.size = file.image_width.zip(file.image_height);
    location.colours = file.colours(&mut left_out);
    location.warnings.extend(super::left_out(left_out));
    Ok(location)
}
