//! The colours of a sequence: what is requested, over what the place's own file says, over what suits sequences.

use colour::{ColourBy, Depth, Mapping, Repeat, Samples, Scheme};

use super::colours::scheme;
use super::refused::PlanError;
use crate::request::ColourRequest;

/// How far the square root of the smooth count goes while the palette does once.
const PERIOD: f64 = 8.0;

/// The colours where nothing is said. Counts: by their square root, over and over; so views of every depth have colours
/// of their own, and a pixel keeps its colour on the way. Distances, which are in pixels and so alike at every depth: once
/// through the palette over those of the whole sequence.
fn usual(colour: ColourBy) -> Scheme {
    let spread = match colour {
        ColourBy::Smooth | ColourBy::Bands => Scheme {
            mapping: Mapping::Sqrt,
            repeat: Some(Repeat::Period(PERIOD)),
            ..Scheme::default()
        },
        ColourBy::Distance => Scheme::default(),
    };
    Scheme { colour, ..spread }
}

/// `said`, the colours of a picture of the last frame's place, for frames of all zooms: how values are spread is kept where
/// that does not depend on the picture's own range, and nothing of how its file was made.
fn for_all_zooms(said: &Scheme, colour: ColourBy) -> Scheme {
    let usual = usual(colour);
    let knows_no_range = matches!(said.repeat, Some(Repeat::Period(_)))
        || said.mapping == Mapping::Rank
        || colour == ColourBy::Distance;
    let spread = if knows_no_range && said.measure() == usual.measure() {
        said
    } else {
        &usual
    };
    Scheme {
        palette: said.palette.clone(),
        colour,
        mapping: spread.mapping,
        range: None,
        repeat: spread.repeat,
        offset: said.offset,
        inside: said.inside,
        light: said.light,
        samples: Samples::ONE,
        dither: false,
        depth: Depth::Eight,
    }
}

/// The colours of a sequence, over what the place's own file says; and how many samples of a pixel were asked for, which is
/// up to its key frames.
///
/// # Errors
/// A palette that is none, or options that do not go together.
pub(super) fn colours(
    args: &ColourRequest,
    file: Option<&str>,
    said: Option<&Scheme>,
) -> Result<(Scheme, Option<Samples>), PlanError> {
    let colour = args.colour.or(said.map(|said| said.colour));
    let colour = colour.unwrap_or(ColourBy::Smooth);
    let base = said.map_or_else(|| usual(colour), |said| for_all_zooms(said, colour));
    let scheme = Scheme {
        samples: Samples::ONE,
        ..scheme(args, file, base)?
    };
    Ok((scheme, args.samples))
}
