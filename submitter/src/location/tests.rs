//! Every format as its documentation has it, and what is none of them.

use proptest::prelude::*;

use super::*;

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
        transform: Transform {
            rotate: -30.1,
            stretch: 55.5,
            stretch_angle: 0.1 + 0.2,
        },
        grid: Some(Grid::Linspace),
        size: Some((7, 5)),
        skip_error_log2: Some(-30),
        period: Some(3),
        minibrot: Some(Minibrot {
            re: Some("-1.75".parse().unwrap()),
            im: Some("0".parse().unwrap()),
            period: 3,
            shape: "cardioid".to_owned(),
            size: "1.9e-2".to_owned(),
            turned: 0.0,
        }),
        colours: Some(crate::colour::Scheme {
            range: Some((3.25, 1e6)),
            ..crate::plan::colours::plain()
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
fn a_kfr_goes_out_and_comes_back() {
    let mut location = Location::at(at(RE, "0.25", "5.25e1000"), Format::Kfr);
    location.iterations = Some(123);
    let text = location.kfr();
    assert!(
        text.contains(&format!("Re: {RE}\r\nIm: -0.25\r\n")),
        "{text}"
    );
    assert_eq!(kfr::parse(&text), Ok(location));
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
    assert_eq!(colours.repeat, Some(crate::colour::Repeat::Period(512.0)));
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
    let place = "real = \"0\"\nimag = \"0\"\nzoom = \"1\"\n";
    let ship = Location::parse(&format!("{place}fractal_type = \"BurningShip\"\n"), false);
    assert!(ship.unwrap_err().contains("another fractal"));
    let cubic = Location::parse(&format!("{place}fractal_power = 3\n"), false);
    assert!(cubic.unwrap_err().contains("fractal_power 3"));
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
            "Re: 0\r\nIm: 0\r\nZoom: 1\r\nPower: 3\r\n",
            "Power 3",
        ),
        (
            "a.kfr",
            "Re: 0\r\nIm: 0\r\nZoom: 1\r\nFractalType: 1\r\n",
            "FractalType 1",
        ),
        ("a.f3.toml", "location.real = \"x\"\n", "location.real: 'x'"),
        (
            "a.f3.toml",
            "location.zoom = \"-1\"\n",
            "not greater than 0",
        ),
        ("a.f3.toml", "location.real = 1.5\n", "line 1"),
        (
            "a.f3.toml",
            "bailout.iterations = 5\n[[formula]]\nabs_x = true\n",
            "another fractal",
        ),
        (
            "a.toml",
            "real = 0.5\nimag = \"0\"\nzoom = \"1\"\n",
            "line 1",
        ),
        ("a.toml", "real = \"0\"\nimag = \"0\"\n", "zoom"),
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
                let again = own::parse(&location.text()).unwrap();
                prop_assert_eq!(again.view, location.view);
            }
            Err(error) => prop_assert!(!error.contains('\n') && !error.is_empty(), "{error}"),
        }
    }
}
