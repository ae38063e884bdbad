//! Colours as they are typed.

use colour::{ColourBy, Mapping, Repeat, Rgb, Scheme};
use requests::plan::colours::scheme;
use requests::plan::refused::PlanError;

use super::{planned, request};

#[test]
fn what_is_typed_is_the_scheme() {
    let colours = |line: &str| planned(line).unwrap().colours;
    assert_eq!(colours(""), Scheme::default());
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
        ..Scheme::default()
    };
    let typed = |line: &str| request(line).0.colours;
    let over = |line: &str| scheme(&typed(line), None, base.clone()).unwrap();
    assert_eq!(over(""), base);
    assert_eq!(over("--palette turbo").repeat, base.repeat);
    assert_eq!(over("--equalise").repeat, None);
    assert_eq!(over("--colour-range 1 2").repeat, None);
    assert_eq!(over("--cycles 4").repeat, Some(Repeat::Cycles(4.0)));
    let rich = Scheme {
        light: colour::Light::new(30.0, 2.0),
        dither: true,
        ..Scheme::default()
    };
    let over_rich = |line: &str| scheme(&typed(line), None, rich.clone()).unwrap();
    assert_eq!(over_rich(""), rich);
    assert_eq!(over_rich("--no-light --no-dither"), Scheme::default());
    let ranged = Scheme {
        range: Some((3.0, 9.0)),
        ..Scheme::default()
    };
    let over = |line: &str| scheme(&typed(line), None, ranged.clone()).unwrap().range;
    assert_eq!(over("--colour bands --palette gold"), Some((3.0, 9.0)));
    assert_eq!(over("--colour distance"), None);
    let both = over("--colour distance --colour-range 1 2");
    assert_eq!(both, Some((1.0, 2.0)));
}
