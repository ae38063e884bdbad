//! The colours of Kalles Fraktaler's files, as far as they have a counterpart here.
//!
//! A palette has 1024 places; a count's place is count / IterDiv + ColorOffset, going round.

use std::f64::consts::LN_2;

use colour::{Blend, ColourBy, Light, Mapping, Palette, Repeat, Rgb, Scheme};

/// Places of a palette.
const PLACES: f64 = 1024.0;
/// Of the kinds of differences the one that is the distance estimate.
const ANALYTIC: f64 = 7.0;
/// Where its light comes from unless a file says otherwise.
const SLOPE_ANGLE: f64 = 45.0;
/// Keys that say nothing without `Colors`.
const OF_COLOURS: [&str; 9] = [
    "IterDiv",
    "ColorMethod",
    "ColorOffset",
    "Differences",
    "InteriorColor",
    "Flat",
    "Slopes",
    "Smooth",
    "MultiColor",
];

/// `R,G,B,R,G,B,...`, all of them.
fn colours(text: &str) -> Option<Vec<Rgb>> {
    let parts = text.trim().trim_end_matches(',').split(',');
    let numbers: Vec<u8> = parts
        .map(|part| part.trim().parse().ok())
        .collect::<Option<_>>()?;
    let (triples, odd) = numbers.as_chunks::<3>();
    odd.is_empty()
        .then(|| triples.iter().map(|colour| Rgb(*colour)).collect())
}

/// The keys of a file, and what of them is left out.
struct Keys<'a, F> {
    value_of: F,
    left_out: &'a mut Vec<String>,
}

impl<'t, F: Fn(&str) -> Option<&'t str>> Keys<'_, F> {
    /// The number of a key, if it says one that `is_right`; else what is usual.
    fn number(&mut self, key: &str, usual: f64, is_right: impl Fn(f64) -> bool) -> f64 {
        let Some(text) = (self.value_of)(key) else {
            return usual;
        };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && is_right(number) => number,
            _ => {
                self.left_out
                    .push(format!("{key} {text:.40} ({usual} is taken)"));
                usual
            }
        }
    }

    fn is_on(&mut self, key: &str) -> bool {
        self.number(key, 0.0, |_| true) != 0.0
    }
}

/// The colours, where the file has any; what of them is left out is told.
pub(crate) fn scheme<'t>(
    value_of: impl Fn(&str) -> Option<&'t str>,
    left_out: &mut Vec<String>,
) -> Option<Scheme> {
    let mut keys = Keys { value_of, left_out };
    if keys.is_on("UseOpenGL") {
        keys.left_out
            .push("GLSL (a program for colours)".to_owned());
    }
    let Some(list) = (keys.value_of)("Colors") else {
        let there = OF_COLOURS
            .into_iter()
            .filter(|key| (keys.value_of)(key).is_some());
        let there: Vec<String> = there.map(|key| format!("{key} (without Colors)")).collect();
        keys.left_out.extend(there);
        return None;
    };
    let palette = colours(list).and_then(|list| Palette::cyclic(&list, false, Blend::Srgb).ok());
    let Some(palette) = palette else {
        keys.left_out
            .push("Colors (no list of colours of three numbers each)".to_owned());
        return None;
    };
    let mut scheme = Scheme {
        palette,
        ..Scheme::default()
    };
    let method = keys.number("ColorMethod", 0.0, |method| method.fract() == 0.0) as i64;
    let is_distance = (5..=8).contains(&method);
    let divisor = keys.number("IterDiv", 1.0, |divisor| divisor > 0.0);
    let period = PLACES * divisor;
    scheme.colour = match keys.is_on("Flat") {
        _ if is_distance => ColourBy::Distance,
        true => ColourBy::Bands,
        false => ColourBy::Smooth,
    };
    (scheme.mapping, scheme.repeat) = match method {
        0 => (Mapping::Linear, Some(Repeat::Period(period))),
        1 => (Mapping::Sqrt, Some(Repeat::Period(period))),
        3 => (Mapping::Log, Some(Repeat::Period(period / LN_2))),
        4 => (Mapping::Linear, Some(Repeat::Cycles(1.0 / divisor))),
        // Over the picture's own range.
        5 => (Mapping::Linear, None),
        8 => (Mapping::Sqrt, None),
        6 | 7 => (Mapping::Log, None),
        _ => {
            keys.left_out
                .push(format!("ColorMethod {method} (log is taken)"));
            (Mapping::Log, None)
        }
    };
    if method == 6 {
        keys.left_out
            .push("ColorMethod 6 (log of the distance is taken)".to_owned());
    }
    if is_distance && (keys.value_of)("IterDiv").is_some() {
        keys.left_out.push("IterDiv (of distances)".to_owned());
    }
    let is_lit = keys.is_on("Slopes");
    let differences = keys.number("Differences", ANALYTIC, |_| true);
    if differences != ANALYTIC && is_distance {
        keys.left_out.push(format!(
            "Differences {differences} (the distance estimate is taken)"
        ));
    } else if differences != ANALYTIC && is_lit {
        keys.left_out
            .push(format!("Differences {differences} (of slopes)"));
    }
    if (keys.value_of)("Smooth").is_some() && !keys.is_on("Smooth") {
        keys.left_out
            .push("Smooth 0 (colours go over into each other)".to_owned());
    }
    scheme.offset =
        keys.number("ColorOffset", 0.0, |offset| (0.0..PLACES).contains(&offset)) / PLACES;
    match (keys.value_of)("InteriorColor").map(colours) {
        None => {}
        Some(Some(list)) if list.len() == 1 => scheme.inside = list[0],
        Some(_) => keys.left_out.push("InteriorColor (no colour)".to_owned()),
    }
    if is_lit {
        // Of its strength only the direction has a counterpart.
        let angle = keys.number("SlopeAngle", SLOPE_ANGLE, |_| true);
        scheme.light = Light::new(angle, 1.5);
        keys.left_out.push("SlopePower and SlopeRatio".to_owned());
    }
    if scheme.check().is_err() {
        keys.left_out.push("Colors (out of range)".to_owned());
        return None;
    }
    Some(scheme)
}

/// Lines of a file for colours, as far as they have a counterpart there: the palette at its places, how values are spread
/// over it (with the ends of the range, where that is known), the inside, bands, and where light comes from.
pub(crate) fn text(scheme: &Scheme) -> String {
    let numbers = |list: &[Rgb]| -> String {
        let numbers = list.iter().flat_map(|colour| colour.0);
        numbers.map(|number| format!("{number},")).collect()
    };
    let mut lines = vec![
        ("Colors", numbers(&scheme.palette.in_equal_parts())),
        ("InteriorColor", numbers(&[scheme.inside])),
        ("Smooth", "1".to_owned()),
        (
            "Flat",
            u8::from(scheme.colour == ColourBy::Bands).to_string(),
        ),
    ];
    let (method, divisor, offset) = spread(scheme);
    lines.push(("ColorMethod", method.to_string()));
    if let Some(divisor) = divisor {
        lines.push(("IterDiv", divisor.to_string()));
    }
    let offset = (offset.rem_euclid(1.0) * PLACES).round() % PLACES;
    lines.push(("ColorOffset", offset.to_string()));
    lines.push(("Differences", ANALYTIC.to_string()));
    lines.push(("Slopes", u8::from(scheme.light.is_some()).to_string()));
    if let Some(light) = scheme.light {
        lines.push(("SlopeAngle", light.angle.round().to_string()));
    }
    let lines = lines.into_iter();
    lines
        .map(|(key, value)| format!("{key}: {value}\r\n"))
        .collect()
}

/// The colour method, its divisor where it has one, and the place where the palette begins.
fn spread(scheme: &Scheme) -> (u8, Option<f64>, f64) {
    let (of_counts, of_distances) = match scheme.mapping {
        Mapping::Linear => (0, 5),
        Mapping::Sqrt => (1, 8),
        // Ranks are likest to that.
        Mapping::Log | Mapping::Rank => (3, 7),
    };
    if scheme.colour == ColourBy::Distance {
        return (of_distances, None, scheme.offset);
    }
    let value = |count: f64| match scheme.mapping {
        Mapping::Linear => count,
        Mapping::Sqrt => count.max(0.0).sqrt(),
        Mapping::Log | Mapping::Rank => libm::log1p(count.max(0.0)),
    };
    let cycles = match scheme.repeat {
        Some(Repeat::Period(period)) => {
            let unit = if scheme.mapping == Mapping::Log {
                LN_2
            } else {
                1.0
            };
            return (of_counts, Some(period * unit / PLACES), scheme.offset);
        }
        Some(Repeat::Cycles(cycles)) => cycles,
        None => 1.0,
    };
    let range = scheme.range.map(|(low, high)| (value(low), value(high)));
    match range.filter(|(low, high)| low < high) {
        Some((low, high)) => {
            let period = (high - low) / cycles;
            (
                of_counts,
                Some(period / PLACES),
                scheme.offset - low / period,
            )
        }
        // Over the picture's range.
        None => (4, Some(1.0 / cycles), scheme.offset),
    }
}
