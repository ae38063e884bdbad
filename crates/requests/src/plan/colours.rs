//! Colours: what is requested, over what a location's own colours say, over what suits.

use colour::{Blend, Depth, Mapping, Repeat, Scheme};

use super::palettes::palette_of;
use super::refused::{ColourError, PlanError};
use crate::request::ColourRequest;

/// `base` with what is requested in its place; `file` is a palette that is in one.
///
/// # Errors
/// A palette that is none, or options that do not go together.
pub fn scheme(args: &ColourRequest, file: Option<&str>, base: Scheme) -> Result<Scheme, PlanError> {
    check_request(args)?;
    let mut scheme = base;
    if let Some(palette) = &args.palette {
        scheme.palette = palette.clone();
    }
    if let Some(file) = file {
        scheme.palette = palette_of(file).map_err(ColourError::from)?;
    }
    if let Some(word) = &args.blend {
        scheme.palette = (scheme.palette.blended(blend(word)?))
            .ok_or_else(|| ColourError::Blend(scheme.palette.to_string()))?;
    }
    if let Some(colour) = args.colour {
        let measure = scheme.measure();
        scheme.colour = colour;
        if scheme.measure() != measure {
            // It was a range of other values.
            scheme.range = None;
        }
    }
    spread(args, &mut scheme);
    if let Some(offset) = args.offset {
        scheme.offset = offset;
    }
    if let Some(inside) = args.inside {
        scheme.inside = inside;
    }
    scheme.light = (args.light).or(scheme.light.filter(|_| !args.no_light));
    if let Some(samples) = args.samples {
        scheme.samples = samples;
    }
    if let Some(depth) = args.depth {
        scheme.depth = depth;
        scheme.dither &= depth == Depth::Eight;
    }
    scheme.dither = args.dither || (scheme.dither && !args.no_dither);
    scheme.check().map_err(ColourError::from)?;
    Ok(scheme)
}

fn blend(word: &str) -> Result<Blend, ColourError> {
    Blend::of(word).ok_or_else(|| ColourError::Space(word.to_owned()))
}

/// Checks what is requested, whatever it is put over. Reads no file.
///
/// # Errors
/// Options that contradict each other, or a word that is none.
pub fn check_request(args: &ColourRequest) -> Result<(), PlanError> {
    let given = [
        ("mapping", args.mapping.is_some(), &["equalise"][..]),
        (
            "colour-range",
            args.colour_range.is_some(),
            &["period", "equalise"],
        ),
        ("period", args.period.is_some(), &["cycles", "equalise"]),
        ("light", args.light.is_some(), &["no-light"]),
        ("dither", args.dither, &["no-dither"]),
    ];
    let is_given = |name: &str| match name {
        "equalise" => args.equalise,
        "period" => args.period.is_some(),
        "cycles" => args.cycles.is_some(),
        "no-light" => args.no_light,
        _ => args.no_dither,
    };
    for (name, is_there, others) in given {
        if let Some(other) = others.iter().find(|other| is_there && is_given(other)) {
            return Err(PlanError::Together(name, other));
        }
    }
    if let Some(word) = &args.blend {
        blend(word)?;
    }
    Ok(())
}

/// How values are spread over the palette: of these options each puts aside those of the base that contradict it.
fn spread(args: &ColourRequest, scheme: &mut Scheme) {
    if args.equalise {
        scheme.mapping = Mapping::Rank;
        scheme.range = None;
        scheme.repeat = (scheme.repeat).filter(|repeat| matches!(repeat, Repeat::Cycles(_)));
    }
    if let Some(mapping) = args.mapping {
        scheme.mapping = mapping;
    }
    if let Some(range) = args.colour_range {
        scheme.range = Some(range);
        scheme.repeat = (scheme.repeat).filter(|repeat| matches!(repeat, Repeat::Cycles(_)));
        if scheme.mapping == Mapping::Rank {
            scheme.mapping = Mapping::Log;
        }
    }
    if let Some(cycles) = args.cycles {
        scheme.repeat = Some(Repeat::Cycles(cycles));
    }
    if let Some(period) = args.period {
        scheme.repeat = Some(Repeat::Period(period));
        scheme.range = None;
        if args.mapping.is_none() {
            scheme.mapping = Mapping::Linear;
        }
    }
}
