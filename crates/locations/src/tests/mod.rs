//! Every format as its documentation has it, and what is none of them.

use proptest::prelude::*;

use colour::{Blend, ColourBy, Mapping, Palette, Repeat, Scheme};
use fractal::{Decimal, Grid, Transform, View};

use crate::formats::*;
use crate::*;

mod formulas;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn at(re: &str, im: &str, zoom: &str) -> View {
    View::Centre {
        re: d(re),
        im: d(im),
        zoom: d(zoom),
    }
}

const RE: &str = "-1.75487766624669276004950889635852869189460661777279314398928397064";

#[test]
fn our_files_come_back_with_every_digit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let bare = Location::at(at(RE, "0", "5.25e1000"), Format::Own);
    let full = Location {
        iterations: Some(10_000),
        escape_radius: Some(0.1 + 0.2),
        z0: Some((1.0 / 3.0, -0.5)),
        formula: Some("sqr add / absx absy pow3 rot{30} add".parse().unwrap()),
        julia: Some([d(RE), d("1e-50")]),
        transform: Transform {
            rotate: -30.1,
            stretch: 55.5,
            stretch_angle: 0.1 + 0.2,
        },
        grid: Some(Grid::Linspace),
        size: Some((7, 5)),
        skip_error_log2: Some(-30),
        counts: Some(fractal::Counts::Settled),
        settling: Some(fractal::Settling {
            again: 7,
            unsettled: 1,
        }),
        period: Some(3),
        minibrot: Some(Minibrot {
            re: Some("-1.75".parse().unwrap()),
            im: Some("0".parse().unwrap()),
            period: 3,
            shape: "cardioid".to_owned(),
            size: "1.9e-2".to_owned(),
            turned: Some(0.0),
        }),
        colours: Some(colour::Scheme {
            range: Some((3.25, 1e6)),
            ..Scheme::default()
        }),
        ..bare.clone()
    };
    let bounds = Location {
        view: View::Bounds {
            xmin: d("-2"),
            xmax: d("0.5"),
            ymin: d(RE),
            ymax: d("1.5"),
        },
        ..bare.clone()
    };
    for location in [bare, full, bounds] {
        std::fs::write(&path, location.text()).unwrap();
        let back = Location::read(&path).unwrap();
        assert_eq!(back, location);
        assert!(back.text().contains(RE));
    }
}

#[test]
fn what_it_took_to_settle_counts_stands_behind_all_else() {
    let mut location = Location::at(at(RE, "0", "5"), Format::Own);
    location.counts = Some(fractal::Counts::Settled);
    location.colours = Some(Scheme::default());
    let before = location.text();
    assert!(before.contains("counts = \"settled\"\n"), "{before}");
    let settling = fractal::Settling {
        again: 7,
        unsettled: 0,
    };
    location.settling = Some(settling);
    // As pictures add it that are written row by row.
    let table = "\n[settling]\nagain = 7\nunsettled = 0\n";
    assert_eq!(location.text(), before + table);
}

#[test]
fn a_kfr_goes_out_and_comes_back() {
    let mut location = Location::at(at(RE, "0.25", "5.25e1000"), Format::Kfr);
    location.iterations = Some(123);
    let text = location.kfr().unwrap();
    assert!(
        text.contains(&format!("Re: {RE}\r\nIm: -0.25\r\n")),
        "{text}"
    );
    assert_eq!(kfr::parse(&text), Ok(location));
}

#[test]
fn colours_go_out_into_a_kfr_and_come_back() {
    let plain = Scheme::default;
    let list = [[0, 7, 100], [237, 255, 255], [255, 170, 0]].map(colour::Rgb);
    let round = Palette::cyclic(&list, false, Blend::Srgb).unwrap();
    let classic = Palette::named("classic").unwrap();
    for (palette, mapping, repeat) in [
        (&round, Mapping::Linear, Repeat::Period(384.0)),
        (&classic, Mapping::Sqrt, Repeat::Period(2048.0)),
        (&round, Mapping::Log, Repeat::Period(3.25)),
        (&round, Mapping::Linear, Repeat::Cycles(4.0)),
    ] {
        let location = Location {
            escape_radius: Some(256.5),
            period: Some(12),
            colours: Some(Scheme {
                palette: palette.clone(),
                colour: ColourBy::Bands,
                mapping,
                repeat: Some(repeat),
                offset: 0.25,
                inside: colour::Rgb([1, 2, 3]),
                ..plain()
            }),
            ..Location::at(at(RE, "0.25", "5.25e1000"), Format::Kfr)
        };
        let back = kfr::parse(&location.kfr().unwrap()).unwrap();
        assert_eq!(back.warnings, [""; 0], "{:?}", location.kfr());
        let (own, theirs) = (
            location.colours.clone().unwrap(),
            back.colours.clone().unwrap(),
        );
        let seen = theirs.palette.in_equal_parts();
        assert_eq!(seen.len(), own.palette.in_equal_parts().len());
        let (
            Some(Repeat::Period(a) | Repeat::Cycles(a)),
            Some(Repeat::Period(b) | Repeat::Cycles(b)),
        ) = (own.repeat, theirs.repeat)
        else {
            panic!("{theirs:?}")
        };
        assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
        let same = Location {
            colours: Some(Scheme {
                palette: own.palette,
                repeat: own.repeat,
                ..theirs
            }),
            ..back
        };
        assert_eq!(same, location);
    }
    // A range that was found has the same ends there.
    for (mapping, method, unit) in [
        (Mapping::Linear, 0, (90.0, 10.0)),
        (Mapping::Log, 3, (91f64.ln(), 11f64.ln())),
    ] {
        let colours = Scheme {
            mapping,
            range: Some((10.0, 90.0)),
            ..plain()
        };
        let text = Location {
            colours: Some(colours),
            ..Location::at(at("0", "0", "1"), Format::Own)
        }
        .kfr()
        .unwrap();
        let said = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap_or_else(|| panic!("{key} in {text}"))
                .parse::<f64>()
                .unwrap()
        };
        assert_eq!(said("ColorMethod: "), f64::from(method));
        let place = |value: f64| {
            (value / said("IterDiv: ") + said("ColorOffset: ") + 1.0).rem_euclid(1024.0)
        };
        assert!(place(unit.1) < 2.0 && place(unit.0) < 2.0, "{text}");
        assert!((unit.0 - unit.1) / said("IterDiv: ") > 1023.0);
    }
}

/// Every line beside a place that has no counterpart here is named, and no other.
#[test]
fn what_a_kfr_says_and_is_not_done_is_named() {
    let place = "Re: 0\r\nIm: 0\r\nZoom: 1\r\nColors: 0,0,0,255,255,255,\r\n";
    for (lines, names) in [
        ("Differences: 3\r\nColorMethod: 7\r\n", "Differences 3"),
        ("Differences: 3\r\nSlopes: 1\r\n", "Differences 3"),
        ("Differences: x\r\n", "Differences x"),
        ("Smooth: 0\r\n", "Smooth 0"),
        (
            "BailoutNormPreset: 3\r\nBailoutNormCustom: 4\r\n",
            "BailoutNormCustom 4",
        ),
        ("BailoutNormPreset: 2\r\n", "BailoutNormPreset 2"),
        (
            "BailoutRadiusPreset: 3\r\nBailoutRadiusCustom: -1\r\n",
            "BailoutRadiusCustom -1",
        ),
        ("SmoothingMethod: 1\r\n", "SmoothingMethod"),
        ("SmoothMethod: 2\r\n", "SmoothingMethod"),
        ("ColorOffset: 5000\r\n", "ColorOffset 5000"),
        ("ColorOffset: a\r\n", "ColorOffset a"),
        ("ColorMethod: 6\r\n", "ColorMethod 6"),
        ("ColorMethod: 9\r\n", "ColorMethod 9"),
        ("ColorMethod: 7\r\nIterDiv: 2\r\n", "IterDiv"),
        ("IterDiv: 0\r\n", "IterDiv 0"),
        ("InteriorColor: 1,2\r\n", "InteriorColor"),
        ("Slopes: 1\r\n", "SlopePower"),
        ("SlopeAngle: up\r\nSlopes: 1\r\n", "SlopeAngle up"),
        ("MultiColor: 1\r\n", "MultiColor 1"),
        ("TextureEnabled: 1\r\n", "TextureEnabled 1"),
        ("UseOpenGL: 1\r\nGLSL: x\r\n", "GLSL"),
        ("ExponentialMap: 1\r\n", "ExponentialMap 1"),
        ("Period: many\r\n", "Period"),
        ("Ratio: 300\r\n", "Ratio 300"),
        ("Colors: 1,2,x\r\n", "Colors"),
        ("Tomorrow: 1\r\n", "Tomorrow 1"),
    ] {
        let read = kfr::parse(&format!("{place}{lines}")).unwrap();
        let said = read.warnings.join(" ");
        assert!(said.contains(names), "{lines:?}: {said:?}");
    }
    let idle = "Differences: 7\r\nColorMethod: 0\r\nSmooth: 1\r\nFlat: 0\r\nBailoutNormPreset: 1\r\nBailoutNormCustom: 4\r\n\
        SmoothMethod: 2\r\nSmoothingMethod: 0\r\nBailoutRadiusPreset: 2\r\nBailoutRadiusCustom: 9\r\nColorOffset: 1023\r\n\
        Slopes: 0\r\nSlopePower: 50\r\nTextureEnabled: 0\r\nTextureResize: 1\r\nUseOpenGL: 0\r\nPeriod: 0\r\nRatio: 360\r\n";
    let read = kfr::parse(&format!("{place}{idle}")).unwrap();
    assert_eq!(read.warnings, [""; 0]);
    let bare = kfr::parse("Re: 0\r\nIm: 0\r\nZoom: 1\r\nIterDiv: 3\r\n").unwrap();
    assert!(
        bare.warnings[0].contains("IterDiv (without Colors)"),
        "{bare:?}"
    );
}

#[test]
fn a_kfr_of_other_hands_is_read() {
    let text = "\u{feff}Re: -0.5\r\nIm: 0.5e-3\r\nZoom: 1.00e050\r\nIterations: 263010\r\nRatio: 360.000000\r\nColors: 0,0,0,\r\nRe: -0.75\r\n";
    let location = kfr::parse(text).unwrap();
    // Its axis points down.
    assert_eq!(location.view, at("-0.75", "-0.5e-3", "1e50"));
    assert_eq!(location.iterations, Some(263_010));
    assert_eq!(location.warnings.len(), 0, "{:?}", location.warnings);
    let more = "RotateAngle: 30\r\nTextureEnabled: 1\r\nNews: 5\r\nIterDiv: 0.5\r\nColorOffset: 256\r\nInteriorColor: 1,2,3,\r\n";
    let down = kfr::parse(&format!("{text}{more}")).unwrap();
    assert_eq!(down.transform.rotate, -30.0);
    let up = kfr::parse(&format!("{text}{more}ImagPointsUp: 1\r\n")).unwrap();
    assert_eq!(
        (up.transform.rotate, &up.view),
        (30.0, &at("-0.75", "0.5e-3", "1e50"))
    );
    assert_eq!(up.warnings.len(), 1);
    assert!(
        up.warnings[0].contains("TextureEnabled 1, News 5"),
        "{up:?}"
    );
    let colours = up.colours.unwrap();
    assert_eq!(colours.repeat, Some(colour::Repeat::Period(512.0)));
    assert_eq!((colours.offset, colours.inside.0), (0.25, [1, 2, 3]));
}

#[test]
fn a_file_of_fraktaler_3_is_read() {
    let location = Location::parse(
        "location.real = \"\"\"-0.\\\n  75\"\"\"\nlocation.imag = \"0.1\"\nlocation.zoom = \"1e30\"\nreference.period = 12\nbailout.iterations = 5000\nbailout.escape_radius = 625.0\ntransform.rotate = 30.0\nimage.width = 1024\n[[formula]]\npower = 2\n",
        false,
    )
    .unwrap();
    assert_eq!(location.view, at("-0.75", "0.1", "1e30"));
    assert_eq!(location.format, Format::Fraktaler3);
    let limits = (location.iterations, location.escape_radius, location.period);
    assert_eq!(limits, (Some(5000), Some(625.0), Some(12)));
    assert_eq!(location.warnings.len(), 0, "{:?}", location.warnings);
    assert_eq!(location.transform.rotate, 30.0);
    // What is not said has the program's defaults.
    let home = Location::parse("bailout.iterations = 5\n", false).unwrap();
    assert_eq!(home.view, at("0", "0", "1"));
    let bare = Location::parse("program = \"fraktaler-3\"\nopencl.platform = 1\n", false).unwrap();
    assert_eq!(
        (bare.iterations, bare.escape_radius),
        (Some(1024), Some(625.0))
    );
    assert!(bare.warnings[0].contains("opencl.platform"), "{bare:?}");
    assert_eq!(bare.size, Some((1024, 576)));
}

#[test]
fn a_file_of_rust_fractal_is_read() {
    let location = Location::parse(
        "real = \"-0.5\"\nimag = \"1\"\nzoom = \"1.00E14\"\niterations = 4036\nrotate = 15\nimage_width = 1000\n",
        false,
    )
    .unwrap();
    assert_eq!(location.view, at("-0.5", "-1", "1e14"));
    assert_eq!(location.format, Format::RustFractal);
    assert_eq!(location.iterations, Some(4036));
    assert_eq!(location.transform.rotate, -15.0);
    assert!(location.warnings.is_empty(), "{:?}", location.warnings);
    // What is not said has the program's defaults.
    let bare = Location::parse("real = 0.5\npalette_offset = 0.25\n", false).unwrap();
    assert_eq!(bare.view, at("0.5", "-0", "1"));
    assert_eq!(
        (bare.iterations, bare.size),
        (Some(1000), Some((1000, 1000)))
    );
    let colours = bare.colours.unwrap();
    assert_eq!(colours.palette.to_string(), "classic");
    assert_eq!(colours.repeat, Some(Repeat::Period(100.0)));
    assert!((colours.offset - 0.1075).abs() < 1e-9, "{}", colours.offset);
    let odd = Location::parse("real = 0\npalette = [1, 2, 3, 4]\n", false).unwrap();
    assert!(odd.warnings[0].contains("palette (no list"), "{odd:?}");
}

#[test]
fn a_file_of_ours_as_people_write_it() {
    let text = "re = -0.743643887037158704752191506114774\nim = 0.131825904205311970493132056385139\nzoom = 1e10\n\
        iterations = 1e6\n[colours]\npalette = \"magma\"\nrepeat = { period = 40 }\nlight = \"30\"\n";
    let read = Location::parse(text, false).unwrap();
    let digits = at(
        "-0.743643887037158704752191506114774",
        "0.131825904205311970493132056385139",
        "1e10",
    );
    assert_eq!((&read.view, read.iterations), (&digits, Some(1_000_000)));
    let expected = Scheme {
        palette: Palette::named("magma").unwrap(),
        mapping: Mapping::Linear,
        repeat: Some(Repeat::Period(40.0)),
        light: colour::Light::new(30.0, 1.5),
        ..Scheme::default()
    };
    assert_eq!(read.colours, Some(expected));
    let dark = Location::parse(
        "re = 0\nim = 0\nzoom = 1\n[colours]\ninside = \"navy\"\n",
        false,
    );
    let expected = Scheme {
        inside: colour::Rgb([0, 0, 128]),
        ..Scheme::default()
    };
    assert_eq!(dark.unwrap().colours, Some(expected));
}

#[test]
fn what_is_no_location_is_one_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = Location::read(&path).unwrap_err().to_string();
        assert!(error.contains(name) && !error.contains('\n'), "{error}");
        error
    };
    for (name, text, says) in [
        ("a.toml", "re = \"0\"\nim = \"0\"\n", "re, im and zoom"),
        (
            "a.toml",
            "re = \"0\"\nim = \"zero\"\nzoom = \"1\"\n",
            "line 2: 'zero'",
        ),
        (
            "a.toml",
            "re = \"0\"\nim = \"0\"\nzoom = \"1\"\nzom = 1\n",
            "line 4",
        ),
        (
            "a.toml",
            "re = \"0\"\nim = \"0\"\nzoom = \"0\"\n",
            "not greater than 0",
        ),
        (
            "a.toml",
            "re = \"0\"\nim = \"0\"\nzoom = \"1\"\nxmin = \"0\"\n",
            "not both",
        ),
        (
            "a.toml",
            "re = \"0\"\nim = \"0\"\nzoom = \"1\"\nwidth = 5\n",
            "both width and height",
        ),
        ("a.toml", "re = \"0\nim", "line 2: "),
        ("a.toml", "", "re, im and zoom"),
        ("a.kfr", "Re: 0\r\nIm: 0\r\n", "Zoom: ..."),
        (
            "a.kfr",
            "Re: 0\r\nIm: 0\r\nZoom: 1e\r\n",
            "line 3: Zoom: '1e'",
        ),
        (
            "a.kfr",
            "Re: 0\r\nIm: 0\r\nZoom: 1\r\nIterations: -4\r\n",
            "line 4: Iterations",
        ),
        (
            "a.kfr",
            "Re: 0\r\nIm: 0\r\nZoom: 1\r\nPower: 1\r\n",
            "line 4: Power 1",
        ),
        (
            "a.kfr",
            "Re: 0\r\nIm: 0\r\nZoom: 1\r\nFractalType: 41\r\n",
            "line 4: FractalType 41 (HPDZ Buffalo)",
        ),
        (
            "a.kfr",
            "Re: 0\r\nIm: 0\r\nZoom: 1\r\nUseHybridFormula: 1\r\nHybridFormula: 1/1|\r\n",
            "line 5: HybridFormula: its loop",
        ),
        ("a.f3.toml", "location.real = \"x\"\n", "location.real: 'x'"),
        (
            "a.f3.toml",
            "location.zoom = \"-1\"\n",
            "not greater than 0",
        ),
        ("a.f3.toml", "location.real = true\n", "line 1"),
        ("a.toml", "re = 0\nim = inf\nzoom = 1\n", "line 2: 'inf'"),
        (
            "a.toml",
            "re = 0\nim = 0\nzoom = 1\niterations = 1.5\n",
            "line 4: iterations: give a whole number",
        ),
        (
            "a.toml",
            "re = 0\nim = 0\nzoom = 1\n[colours]\nbrush = 1\n",
            "line 5",
        ),
        (
            "a.f3.toml",
            "bailout.iterations = 5\n[[formula]]\nopcodes = \"absx sin add\"\n",
            "[[formula]]: there is no formula or operation 'sin'",
        ),
        (
            "a.f3.toml",
            "bailout.iterations = 5\n[[formula]]\npower = 1\n",
            "[[formula]]: 'pow' needs a number",
        ),
        (
            "a.toml",
            "real = true\nimag = \"0\"\nzoom = \"1\"\n",
            "line 1",
        ),
    ] {
        let error = refused(name, text.as_bytes());
        assert!(error.contains(says), "{text:?}: {error}");
    }
    refused("a.bin", b"\xff\xfe\x00");
    refused("a.png", b"\x89PNG\r\n\x1a\nxxxx");
    refused("a.exr", b"\x76\x2f\x31\x01\x02\x00\x00\x00chan");
    refused("long.toml", &vec![b'#'; MAX_BYTES as usize + 1]);
    let nowhere = Location::read(&folder.path().join("none.toml")).unwrap_err();
    assert!(nowhere.to_string().contains("none.toml"), "{nowhere}");
}

/// Texts near to locations: pieces of them, in any order, with anything between.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("Re: ".to_owned()),
        Just("Im: -0.5\r\n".to_owned()),
        Just("Zoom: 1e5\r\n".to_owned()),
        Just("location.real = \"".to_owned()),
        Just("re = \"1\"\nim = \"2\"\nzoom = \"1e5\"\n".to_owned()),
        Just("real = \"1\"\n".to_owned()),
        Just("[[formula]]\n".to_owned()),
        Just("[minibrot]\n".to_owned()),
        "[0-9.eE+-]{0,12}",
        ".{0,12}",
        "\\PC{0,6}\n",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in texts(), is_kfr: bool) {
        match Location::parse(&text, is_kfr) {
            Ok(location) => {
                let again = mandelfarm::parse(&location.text()).unwrap();
                prop_assert_eq!(again.view, location.view);
            }
            Err(error) => prop_assert!(!error.contains('\n') && !error.is_empty(), "{error}"),
        }
    }
}
