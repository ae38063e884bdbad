//! Colours: what was typed, over what a location's own colours say, over what suits.

use crate::cli::colour::ColourArgs;
use crate::colour::{
    ColourBy, Depth, GradientError, Mapping, Palette, Repeat, Rgb, Samples, Scheme, SchemeError,
    palette_of,
};

/// Palette where none is given.
const PALETTE: &str = "plasma";

/// Why colours cannot be, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ColourError {
    /// There is no such palette.
    #[error(transparent)]
    Palette(#[from] GradientError),
    /// The palette has no stops.
    #[error(
        "--blend: the palette {0} is a formula, and has no stops between which colours are mixed"
    )]
    Blend(String),
    /// The options do not go together.
    #[error(transparent)]
    Scheme(#[from] SchemeError),
}

/// The colours where nothing is said.
#[must_use]
pub fn plain() -> Scheme {
    Scheme {
        palette: Palette::named(PALETTE).unwrap_or_else(|| unreachable!("it is among the names")),
        colour: ColourBy::Smooth,
        mapping: Mapping::Log,
        range: None,
        repeat: None,
        offset: 0.0,
        inside: Rgb([0, 0, 0]),
        light: None,
        samples: Samples::ONE,
        dither: false,
        depth: Depth::Eight,
    }
}

/// `base` with what was typed in its place.
///
/// # Errors
/// A palette that is none, or options that do not go together.
pub fn scheme(args: &ColourArgs, base: Scheme) -> Result<Scheme, ColourError> {
    let mut scheme = base;
    if let Some(palette) = &args.palette {
        scheme.palette = palette_of(palette)?;
    }
    if let Some(blend) = args.blend {
        scheme.palette = (scheme.palette.blended(blend.into()))
            .ok_or_else(|| ColourError::Blend(scheme.palette.to_string()))?;
    }
    if let Some(colour) = args.colour {
        let measure = scheme.measure();
        scheme.colour = colour.into();
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
    scheme.check()?;
    Ok(scheme)
}

/// How values are spread over the palette: of these options each puts aside those of the base that contradict it.
fn spread(args: &ColourArgs, scheme: &mut Scheme) {
    if args.equalise {
        scheme.mapping = Mapping::Rank;
        scheme.range = None;
        scheme.repeat = (scheme.repeat).filter(|repeat| matches!(repeat, Repeat::Cycles(_)));
    }
    if let Some(mapping) = args.mapping {
        scheme.mapping = mapping.into();
    }
    if let Some([low, high]) = args.colour_range.as_deref() {
        scheme.range = Some((*low, *high));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanError;
    use crate::plan::tests::planned;

    #[test]
    fn what_is_typed_is_the_scheme() {
        let colours = |line: &str| planned(line).unwrap().colours;
        assert_eq!(colours(""), plain());
        let all = colours(
            "--palette classic --colour distance --mapping sqrt --cycles 3 --offset 0.25 --inside navy \
             --light -45,2 --samples 9 --dither",
        );
        assert_eq!(all.palette.to_string(), "classic");
        assert_eq!(
            (all.colour, all.mapping),
            (ColourBy::Distance, Mapping::Sqrt)
        );
        assert_eq!((all.repeat, all.offset), (Some(Repeat::Cycles(3.0)), 0.25));
        assert_eq!((all.inside, all.samples.side()), (Rgb([0, 0, 128]), 3));
        assert_eq!(
            all.light.map(|light| (light.angle, light.height)),
            Some((-45.0, 2.0))
        );
        assert!(all.dither);
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Scheme>(&text).unwrap(), all);
        for (line, palette) in [
            ("--palette red,blue", "#ff0000 0%, #0000ff 100%"),
            (
                "--palette red,blue --blend oklab",
                "oklab: #ff0000 0%, #0000ff 100%",
            ),
            (
                "--palette oklab:red,blue --blend srgb",
                "#ff0000 0%, #0000ff 100%",
            ),
        ] {
            assert_eq!(colours(line).palette.to_string(), palette, "{line}");
        }
        assert_eq!(colours("--period 40").mapping, Mapping::Linear);
        assert_eq!(colours("--period 40 --mapping log").mapping, Mapping::Log);
        assert_eq!(colours("--equalise --cycles 2").mapping, Mapping::Rank);
        assert_eq!(colours("--colour-range 5 9").range, Some((5.0, 9.0)));
    }

    #[test]
    fn samples_make_the_frame_denser_and_displace_it() {
        let plan = planned("--density 20 --samples 9").unwrap();
        assert_eq!((plan.frame.width, plan.frame.height), (150, 180));
        assert_eq!(plan.frame.grid, fractal::Grid::Displaced);
        let linspace = planned("--density 20 --samples 9 --grid linspace").unwrap_err();
        assert!(matches!(linspace, PlanError::Samples));
    }

    #[test]
    fn what_makes_no_sense_is_one_line() {
        for (line, says) in [
            ("--blend oklab", "--blend: the palette plasma"),
            ("--palette nothing", "no palette has that name"),
            ("--colour-range 5 5", "--colour-range 5.0 5.0"),
            ("--period 0", "--period 0.0"),
            ("--cycles -1", "--cycles -1.0"),
            ("--offset 1.5", "--offset 1.5"),
            ("--dither --depth 16", "--dither is for 8 bits"),
        ] {
            let error = planned(line).unwrap_err().to_string();
            assert!(
                error.contains(says) && !error.contains('\n'),
                "{line}: {error}"
            );
        }
    }

    #[test]
    fn options_win_over_a_pictures_own_colours() {
        let base = Scheme {
            repeat: Some(Repeat::Period(50.0)),
            mapping: Mapping::Linear,
            ..plain()
        };
        let typed = |line: &str| {
            let words = ["submitter", "render"]
                .into_iter()
                .chain(line.split_whitespace());
            let cli = <crate::cli::Cli as clap::Parser>::try_parse_from(words).unwrap();
            let crate::cli::Command::Render(args) = cli.command else {
                unreachable!()
            };
            args.colours
        };
        let over = |line: &str| scheme(&typed(line), base.clone()).unwrap();
        assert_eq!(over(""), base);
        assert_eq!(over("--palette turbo").repeat, base.repeat);
        assert_eq!(over("--equalise").repeat, None);
        assert_eq!(over("--colour-range 1 2").repeat, None);
        assert_eq!(over("--cycles 4").repeat, Some(Repeat::Cycles(4.0)));
        let rich = Scheme {
            light: crate::colour::Light::new(30.0, 2.0),
            dither: true,
            ..plain()
        };
        let over_rich = |line: &str| scheme(&typed(line), rich.clone()).unwrap();
        assert_eq!(over_rich(""), rich);
        assert_eq!(over_rich("--no-light --no-dither"), plain());
        let ranged = Scheme {
            range: Some((3.0, 9.0)),
            ..plain()
        };
        let over = |line: &str| scheme(&typed(line), ranged.clone()).unwrap().range;
        assert_eq!(over("--colour bands --palette gold"), Some((3.0, 9.0)));
        assert_eq!(over("--colour distance"), None);
        let both = over("--colour distance --colour-range 1 2");
        assert_eq!(both, Some((1.0, 2.0)));
    }
}
