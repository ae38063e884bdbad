//! `.toml`, of rust-fractal: `real`, `imag` and `zoom` as text, such as `"1.00E14"`, beside settings of that program.
//!
//! Its zoom is ours: half the picture's height is 2/zoom. See <https://github.com/rust-fractal/rust-fractal-core>.

use serde::Deserialize;

use super::own::said;
use super::{Format, Location, centre, number};

#[derive(Debug, Deserialize)]
struct File {
    real: String,
    imag: String,
    zoom: String,
    iterations: Option<u64>,
    #[serde(default)]
    rotate: f64,
}

pub(super) fn parse(text: &str) -> Result<Location, String> {
    let file: File = toml::from_str(text).map_err(|error| said(text, &error))?;
    let view = centre(
        number("real", &file.real)?,
        number("imag", &file.imag)?,
        number("zoom", &file.zoom)?,
    )?;
    let mut location = Location::at(view, Format::RustFractal);
    location.iterations = file.iterations;
    if file.rotate != 0.0 {
        let warning = format!(
            "rotation of the location (rotate {}) is left out",
            file.rotate
        );
        location.warnings.push(warning);
    }
    Ok(location)
}
