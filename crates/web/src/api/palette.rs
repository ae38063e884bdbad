//! `GET /api/palettes`: names. `POST /api/palette`: the colours of one, as the painter lays them out.

use colour::{Palette, palette_names};
use serde::Deserialize;

use crate::answer::{Answer, Problem, bytes, json, with};

/// Steps of a turn, and one more for its end.
const STEPS: u32 = 1 << 12;

/// A palette, by its name or its stops.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaletteRequest {
    palette: String,
}

/// The names of all palettes.
pub fn names() -> Answer {
    json(&palette_names().collect::<Vec<_>>())
}

/// Red, green and blue in sRGB, 0 to 1, as little-endian floats: at the start of each step of a turn, and at its end.
pub fn answer(wanted: &PaletteRequest) -> Result<Answer, Problem> {
    let palette: Palette = wanted.palette.parse().map_err(Problem::unfit)?;
    let (colours, closes) = palette.colours(STEPS);
    let body: Vec<u8> = (colours.iter().flatten())
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let answer = bytes("application/octet-stream", body);
    Ok(with(
        answer,
        "palette-closes",
        if closes { "true" } else { "false" },
    ))
}
