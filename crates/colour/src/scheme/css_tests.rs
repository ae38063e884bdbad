//! Gradients of CSS as pages write them.

use super::*;

fn listed(text: &str) -> Vec<(f32, String)> {
    let stops: Stops = text
        .parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let text = stops.to_string();
    let list = text.split_once(": ").map_or(&*text, |(_, list)| list);
    let stop = |stop: &str| {
        let (colour, place) = stop.rsplit_once(' ').unwrap();
        (
            place.trim_end_matches('%').parse().unwrap(),
            colour.to_owned(),
        )
    };
    list.split(", ").map(stop).collect()
}

fn stop(place: f32, colour: &str) -> (f32, String) {
    (place, colour.to_owned())
}

#[test]
fn lists_are_read_as_css_has_them() {
    assert_eq!(
        listed("#fff, rgb(255, 0, 0) 20%, blue"),
        [
            stop(0.0, "#ffffff"),
            stop(20.0, "#ff0000"),
            stop(100.0, "#0000ff")
        ]
    );
    assert_eq!(
        listed("linear-gradient(to right, red 10% 30%, hsl(240 100% 50%));"),
        [
            stop(10.0, "#ff0000"),
            stop(30.0, "#ff0000"),
            stop(100.0, "#0000ff")
        ]
    );
    assert_eq!(
        listed("linear-gradient(90deg, red, lime, blue, white)")[1..3],
        [stop(33.333_332, "#00ff00"), stop(66.666_67, "#0000ff")]
    );
    // The last of four is followed by the first.
    assert_eq!(
        listed("cyclic: red, lime, blue, white")[3],
        stop(75.0, "#ffffff")
    );
    // None lies before one before it.
    assert_eq!(
        listed("red, lime 60%, blue 20%, white")[1..3],
        [stop(60.0, "#00ff00"), stop(60.0, "#0000ff")]
    );
}

#[test]
fn everything_that_css_allows_in_a_gradient_is_taken() {
    let plain = listed("red 0%, blue 100%");
    for same in [
        "red 0, blue 100%",
        "0% red, 100% blue",
        "RED, BLUE",
        "#F00, #00F",
        "#F00F, RGB(0 0 255 / 100%)",
        "rgba(255, 0, 0, 1), hsl(0.6666667TURN 100% 50%)",
        "hsl(0grad 100% 50%), hsl(4.18879rad 100% 50%)",
        "LINEAR-GRADIENT(TO RIGHT, RED, BLUE)",
        "linear-gradient(100grad, red, blue)",
        "linear-gradient(.25turn, red, blue)",
        "linear-gradient(1.5708RAD, red, blue)",
        "linear-gradient(-90DEG, red, blue)",
        "linear-gradient(0, red, blue)",
        "linear-gradient(to top left, red, blue);",
        "-webkit-linear-gradient(left, red, blue)",
        "linear-gradient( /* from */ red 0%, /* to */ blue 100% )",
        "/* a sky */\n.sky {\n  color: white;\n  background: linear-gradient(to right, red, blue) no-repeat;\n}\n.x { color: lime }",
        ".a{background:-moz-linear-gradient(top, lime, lime);background:linear-gradient(red,blue)}",
        "background-image: linear-gradient(red, blue);",
        "--sky: linear-gradient(red, blue)",
    ] {
        assert_eq!(listed(same), plain, "{same}");
    }
    // Where colours are mixed.
    for (text, words) in [
        ("in oklab, red, blue", "oklab: "),
        ("linear-gradient(in oklab, red, blue)", "oklab: "),
        ("linear-gradient(90deg in OKLCH, red, blue)", "oklch: "),
        (
            "linear-gradient(in oklch longer hue to right, red, blue)",
            "oklch-longer: ",
        ),
        ("linear-gradient(to right in srgb, red, blue)", "#"),
        ("oklab: linear-gradient(in srgb, red, blue)", "#"),
        ("cyclic oklab smooth: red, blue", "cyclic smooth oklab: "),
        ("red, blue", "#"),
    ] {
        let stops = text.parse::<Stops>().unwrap().to_string();
        assert!(stops.starts_with(words), "{text}: {stops}");
    }
    // Beyond the ends: what lies between them is seen.
    let beyond: Stops = "black -100%, white 300%".parse().unwrap();
    let seen = [0.0, 0.5, 1.0].map(|at| beyond.gradient().at(at).to_rgba8()[0]);
    assert_eq!(seen, [64, 96, 128]);
    assert!(!beyond.closes());
    let same_ends: Stops = "red -100%, blue 50%, red 300%".parse().unwrap();
    assert!(!same_ends.closes(), "{same_ends}");
    let hard: Stops = "red 50%, blue 50%".parse().unwrap();
    let seen = [0.49, 0.51].map(|at| hard.gradient().at(at).to_rgba8());
    assert_eq!(seen, [[255, 0, 0, 255], [0, 0, 255, 255]]);
}

#[test]
fn a_place_alone_is_half_way_and_the_way_bends() {
    let hint: Stops = "black, 25%, white".parse().unwrap();
    let gradient = hint.gradient();
    // CSS: the share of white is t to the power of log 0.5 / log 0.25, which is its root.
    for at in [0.0625f32, 0.25, 0.5, 0.8] {
        let seen = gradient.at(at).to_rgba8()[0];
        let expected = (at.sqrt() * 255.0).round() as u8;
        assert!(seen.abs_diff(expected) <= 1, "{at}: {seen}, {expected}");
    }
    assert_eq!(listed("black, 0%, white")[1], stop(0.0, "#ffffff"));
    assert_eq!(listed("black, 100%, white")[1], stop(100.0, "#000000"));
}

#[test]
fn what_is_transparent_lies_over_white() {
    assert_eq!(
        listed("rgb(255 0 0 / 50%), #0000ff80, transparent, rgba(0, 0, 0, 0.2)"),
        [
            stop(0.0, "#ff8080"),
            stop(33.333_332, "#7f7fff"),
            stop(66.666_67, "#ffffff"),
            stop(100.0, "#cccccc")
        ]
    );
}

#[test]
fn what_is_no_list_is_said_in_a_line() {
    for (text, says) in [
        ("", "''"),
        ("red,, blue", "''"),
        ("red, bleu", "'bleu'"),
        ("red 10, blue", "'red 10'"),
        ("red 10px, blue", "'red 10px'"),
        ("red 1% 2% 3%, blue", "'red 1% 2% 3%'"),
        ("red nan%, blue", "'red nan%'"),
        ("red 1e9%, blue", "'red 1e9%'"),
        ("123, 456", "'123'"),
        ("cyclic: red 110%, blue", "CSS"),
        ("25%, red", "CSS"),
        ("red, 10%, 20%, blue", "CSS"),
        ("cyclic wild: red, blue", "CSS"),
        ("cyclic wild: linear-gradient(red, blue)", "CSS"),
        ("linear-gradient(red, blue", "CSS"),
        ("linear-gradient(red, blue), lime", "CSS"),
        ("#12", "'#12'"),
        ("linear-gradient(in hsl, red, blue)", "oklch"),
        (
            "linear-gradient(in oklch up hue, red, blue)",
            "'in oklch up hue'",
        ),
        ("radial-gradient(circle, red, blue)", "'radial-gradient'"),
        (
            "repeating-linear-gradient(red, blue 20%)",
            "'repeating-linear-gradient'",
        ),
        (".a { color: red }", "CSS"),
    ] {
        let error = text.parse::<Stops>().unwrap_err().to_string();
        assert!(
            error.contains(says) && !error.contains('\n'),
            "{text}: {error}"
        );
    }
    let many = vec!["red"; MOST_STOPS + 1].join(",");
    assert_eq!(many.parse::<Stops>(), Err(StopsError::TooMany));
}
