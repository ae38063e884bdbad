//! `GET /api/palettes`: names. `POST /api/palette`: the colours of one, as the painter lays them out.

use colour::{Palette, palette_names};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Problem, bytes, json, with};

/// Steps of a turn, and one more for its end.
const STEPS: u32 = 1 << 12;

/// A palette, by its name or its stops.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaletteRequest {
    palette: String,
}

/// The names of all palettes.
#[utoipa::path(
    get,
    path = "/api/palettes", operation_id = "palettes",
    responses(
        (status = 200, description = "Their names.", body = [String]),
        super::super::responses::Problems
    )
)]
pub fn names() -> Answer {
    json(&palette_names().collect::<Vec<_>>())
}

/// The colours of a palette, by its name or its stops.
///
/// Red, green and blue in sRGB, 0 to 1, as little-endian floats: at the start of each step of a turn, and at its end.
#[utoipa::path(
    post,
    path = "/api/palette", operation_id = "palette",
    request_body = PaletteRequest,
    responses(
        (status = 200, description = "The colours.", body = [u8], content_type = "application/octet-stream"),
        super::super::responses::Problems
    )
)]
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
