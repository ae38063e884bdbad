//! The colours of Kalles Fraktaler's files, as far as they have a counterpart here.
//!
//! A palette has 1024 places; a count's place is count / IterDiv + ColorOffset, going round.

use crate::colour::{Blend, ColourBy, Light, Mapping, Palette, Repeat, Rgb, Scheme};
use crate::plan::colours::plain;

/// Places of a palette.
const PLACES: f64 = 1024.0;

/// The escape radius that a file asks for. `SmoothMethod: 0` alone says none: what it meant changed with that program's
/// versions.
pub(super) fn escape_radius<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<f64> {
    let Some(preset) = value("BailoutRadiusPreset") else {
        return matches!(value("SmoothMethod")?, "1" | "2").then_some(2.0);
    };
    match preset {
        "1" | "2" => Some(2.0),
        "3" => value("BailoutRadiusCustom")?
            .parse()
            .ok()
            .filter(|radius: &f64| radius.is_finite() && *radius > 0.0),
        _ => Some(1e4),
    }
}

/// `R,G,B,R,G,B,...`
fn colours(text: &str) -> Vec<Rgb> {
    let numbers: Vec<u8> = (text.split(','))
        .map_while(|part| part.trim().parse().ok())
        .collect();
    let triples = numbers.as_chunks::<3>().0.iter();
    triples.map(|colour| Rgb(*colour)).collect()
}

/// The colours, where the file has any, and what of them is left out.
pub(super) fn scheme<'a>(value: impl Fn(&str) -> Option<&'a str>) -> (Option<Scheme>, Vec<String>) {
    let mut left_out = Vec::new();
    let number = |key: &str| value(key).and_then(|value| value.parse::<f64>().ok());
    let is_on = |key: &str| number(key).is_some_and(|value| value != 0.0);
    if is_on("UseOpenGL") {
        left_out.push("GLSL (a program for colours)".to_owned());
    }
    let Some(list) = value("Colors") else {
        return (None, left_out);
    };
    let Ok(palette) = Palette::cyclic(&colours(list), false, Blend::Srgb) else {
        left_out.push("Colors (no list of colours)".to_owned());
        return (None, left_out);
    };
    let mut scheme = Scheme { palette, ..plain() };
    let divisor = match number("IterDiv") {
        Some(divisor) if divisor.is_finite() && divisor > 0.0 => divisor,
        None => 1.0,
        Some(_) => {
            left_out.push("IterDiv (not greater than 0)".to_owned());
            1.0
        }
    };
    let period = PLACES * divisor;
    let method = number("ColorMethod").unwrap_or(0.0) as i64;
    scheme.colour = match is_on("Flat") {
        true => ColourBy::Bands,
        false => ColourBy::Smooth,
    };
    (scheme.mapping, scheme.repeat) = match method {
        0 => (Mapping::Linear, Some(Repeat::Period(period))),
        1 => (Mapping::Sqrt, Some(Repeat::Period(period))),
        3 => (
            Mapping::Log,
            Some(Repeat::Period(period / std::f64::consts::LN_2)),
        ),
        4 => (Mapping::Linear, Some(Repeat::Cycles(1.0 / divisor))),
        5..=8 => {
            // From the estimate, whatever differences that program takes for it, and over the picture's own range.
            scheme.colour = ColourBy::Distance;
            left_out.push("IterDiv (of distances)".to_owned());
            (Mapping::Log, None)
        }
        _ => {
            left_out.push(format!("ColorMethod {method} (log is taken)"));
            (Mapping::Log, None)
        }
    };
    let offset = number("ColorOffset").unwrap_or(0.0) / PLACES;
    scheme.offset = if (0.0..=1.0).contains(&offset) {
        offset
    } else {
        0.0
    };
    if let Some([inside, ..]) = value("InteriorColor").map(colours).as_deref() {
        scheme.inside = *inside;
    }
    if is_on("Slopes") {
        // Of its strength only the direction has a counterpart.
        scheme.light = Light::new(number("SlopeAngle").unwrap_or(45.0), 1.5);
        left_out.push("SlopePower and SlopeRatio".to_owned());
    }
    if scheme.check().is_err() {
        left_out.push("Colors (out of range)".to_owned());
        return (None, left_out);
    }
    (Some(scheme), left_out)
}
