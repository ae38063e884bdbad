//! Files as other programs have them: locations come in, pictures say where they were made, and data go out.

use std::path::{Path, PathBuf};
use std::process::Command;

use farm_tests::house::top;
use farm_tests::pictures::{Channel, Exr, Npy, Png};
use farm_tests::{digest, folder, naive, names_in, submitter};

/// What Kalles Fraktaler adds to counts, and its count of the inside.
const BIAS: u32 = 1024;

const INSIDE: u32 = u32::MAX;

fn place(name: &str) -> String {
    let path: PathBuf = top().join("tests/data/locations").join(name);
    path.to_string_lossy().into_owned()
}

/// Renders a location small, and gives the digest of its counts.
fn counts(folder: &Path, location: &str, more: &str) -> u64 {
    submitter("render -q --backend cpu --size 48x32 --measure iterations -o x.npy")
        .args(["--location", location])
        .args(more.split_whitespace())
        .within(folder)
        .ok();
    digest(folder.join("x.npy"))
}

#[test]
fn a_place_is_the_same_in_every_format() {
    let folder = folder();
    let expected = counts(folder.path(), &place("place.toml"), "");
    for name in ["place.kfr", "place.f3.toml", "place-rust-fractal.toml"] {
        assert_eq!(counts(folder.path(), &place(name), ""), expected, "{name}");
    }
    // Controls: options win over the file, and the file's iterations are taken.
    for more in ["--zoom 4e8", "--iterations 40"] {
        assert_ne!(
            counts(folder.path(), &place("place.kfr"), more),
            expected,
            "{more}"
        );
    }
    // The imaginary axis of a .kfr points down unless it says otherwise.
    let up = std::fs::read_to_string(place("place.kfr")).unwrap() + "ImagPointsUp: 1\r\n";
    std::fs::write(folder.path().join("up.kfr"), up).unwrap();
    assert_ne!(counts(folder.path(), "up.kfr", ""), expected);
}

#[test]
fn a_place_goes_out_as_others_have_it() {
    let folder = folder();
    let expected = counts(folder.path(), &place("place.toml"), "");
    submitter("render -q -o there.kfr -o back.toml")
        .args(["--location", &place("place.f3.toml")])
        .within(&folder)
        .ok();
    assert_eq!(
        names_in(folder.path()),
        ["back.toml", "there.kfr", "x.npy"],
        "nothing else is made"
    );
    let kfr = std::fs::read_to_string(folder.path().join("there.kfr")).unwrap();
    for line in [
        "Re: -1.768778833\r\n",
        "Im: 0.001738996\r\n",
        "Zoom: 4.5e8\r\n",
        "Iterations: 5000\r\n",
    ] {
        assert!(kfr.contains(line), "{kfr}");
    }
    for name in ["there.kfr", "back.toml"] {
        assert_eq!(counts(folder.path(), name, ""), expected, "{name}");
    }
}

/// A view whose picture has inside, near and far.
const VIEW: &str = "--re -0.6 --im 0.05 --zoom 1.5 --size 96x72 --iterations 400 --backend cpu -q";

#[test]
fn a_picture_is_made_again_from_itself() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    submitter(&format!(
        "render {VIEW} --escape-radius 64 --z0 0.1 0 --palette magma -o a.png -o a.exr"
    ))
    .within(&folder)
    .ok();
    for from in ["a.png", "a.exr"] {
        submitter("render --backend cpu -q -o again.png -o again.exr")
            .args(["--location", from])
            .within(&folder)
            .ok();
        assert_eq!(digest(at("again.exr")), digest(at("a.exr")), "{from}");
        let (again, first) = (Png::read(at("again.png")), Png::read(at("a.png")));
        assert_eq!((again.width, again.height), (96, 72));
        assert_eq!(again, first, "{from}");
    }
    // Controls: options win.
    for (more, same_size) in [
        ("--escape-radius 32", true),
        ("--palette viridis", true),
        ("--size 32x24", false),
    ] {
        submitter("render --location a.png --backend cpu -q -o other.png")
            .args(more.split_whitespace())
            .within(&folder)
            .ok();
        let other = Png::read(at("other.png"));
        assert_eq!(other.width == 96, same_size, "{more}");
        assert_ne!(other, Png::read(at("a.png")), "{more}");
    }
    // One that says nothing is refused in a line.
    let silent = submitter("render --location silent.png -q -o x.png").within(&folder);
    let bytes = std::fs::read(at("a.png")).unwrap();
    let names = bytes.windows(10).enumerate();
    let names: Vec<usize> = names
        .filter(|(_, name)| *name == b"Mandelfarm")
        .map(|(at, _)| at)
        .collect();
    assert!(!names.is_empty());
    let mut bytes = bytes;
    // A chunk's check is over its name, too: a decoder drops it, or calls it broken.
    for name in names {
        bytes[name] = b'X';
    }
    std::fs::write(at("silent.png"), bytes).unwrap();
    let refused = silent.run();
    assert_eq!(refused.words().len(), 1, "{refused:?}");
    assert!(refused.stderr.contains("silent.png"), "{refused:?}");
}

fn singles(exr: &Exr, name: &str) -> Vec<f32> {
    match &exr.channels[name] {
        Channel::F32(values) => values.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

fn wholes(exr: &Exr, name: &str) -> Vec<u32> {
    match &exr.channels[name] {
        Channel::U32(values) => values.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn channels_are_those_of_kalles_fraktaler() {
    let folder = folder();
    submitter(&format!(
        "render {VIEW} --channels N,NF,T,DE,distance -o x.exr -o x.npy --measure smooth"
    ))
    .within(&folder)
    .ok();
    let exr = Exr::read(folder.path().join("x.exr"));
    let names: Vec<&str> = exr.channels.keys().map(String::as_str).collect();
    assert_eq!(names, ["DEX", "DEY", "N", "NF", "T", "distance"]);
    let (n, nf, t) = (wholes(&exr, "N"), singles(&exr, "NF"), singles(&exr, "T"));
    let (dex, dey) = (singles(&exr, "DEX"), singles(&exr, "DEY"));
    let distance = singles(&exr, "distance");
    let smooth = Npy::read(folder.path().join("x.npy")).f32s();
    let (mut outside, mut off, mut uphill) = (0, 0, 0);
    for at in 0..n.len() {
        if n[at] == INSIDE {
            let others = [nf[at], t[at], dex[at], dey[at], distance[at], smooth[at]];
            assert_eq!(others, [0.0; 6], "inside, at {at}");
            continue;
        }
        outside += 1;
        let count = n[at] - BIAS;
        assert_eq!(
            (f64::from(count) + f64::from(nf[at])) as f32,
            smooth[at],
            "at {at}"
        );
        // |DE| is half the distance estimate.
        assert!((2.0 * dex[at].hypot(dey[at]) - distance[at]).abs() <= 1e-5 * distance[at]);
        // The last z by a plain loop, and its angle.
        let (col, row) = ((at % 96) as f64, (at / 96) as f64);
        let spacing = 4.0 / 1.5 / 72.0;
        let c = (-0.6 + (col - 47.5) * spacing, 0.05 - (row - 35.5) * spacing);
        let (z, d) = last(c, 400);
        let turns = z.1.atan2(z.0) / std::f64::consts::TAU;
        let near = |a: f64, b: f64| ((a - b + 0.5).rem_euclid(1.0) - 0.5).abs() < 1e-4;
        off += usize::from(!near(f64::from(t[at]), turns));
        // z/(dz/dc): its angle is the direction in which the picture's distance grows, rows running downwards.
        let direction = z.1.atan2(z.0) - d.1.atan2(d.0);
        let own = f64::from(dey[at]).atan2(f64::from(dex[at]));
        let turn = std::f64::consts::TAU;
        uphill += usize::from(near(own / turn, direction / turn));
    }
    assert!(outside > 3000, "{outside}");
    assert!(
        off * 50 < outside && (outside - uphill) * 50 < outside,
        "{off} {uphill} of {outside}"
    );
    // Control: without the derivative's angle most directions are others.
    let plain = (0..n.len()).filter(|at| {
        n[*at] != INSIDE
            && (f64::from(dey[*at]).atan2(f64::from(dex[*at])) / std::f64::consts::TAU
                - f64::from(t[*at]))
            .rem_euclid(1.0)
                < 1e-4
    });
    assert!(plain.count() * 10 < outside);
}

/// Where the orbit of `c` leaves the escape radius 256, and its derivative there.
fn last(c: (f64, f64), limit: u32) -> ((f64, f64), (f64, f64)) {
    let (mut z, mut d) = ((0.0f64, 0.0f64), (0.0f64, 0.0f64));
    for _ in 0..limit {
        d = (
            2.0 * (z.0 * d.0 - z.1 * d.1) + 1.0,
            2.0 * (z.0 * d.1 + z.1 * d.0),
        );
        z = (z.0 * z.0 - z.1 * z.1 + c.0, 2.0 * z.0 * z.1 + c.1);
        if z.0.hypot(z.1) > 256.0 {
            break;
        }
    }
    (z, d)
}

/// sRGB value of linear light (IEC 61966-2-1), 0 to 255; what is brighter than white is white.
fn srgb(light: f32) -> f64 {
    let light = f64::from(light).min(1.0);
    255.0
        * if light <= 0.003_130_8 {
            12.92 * light
        } else {
            1.055 * light.powf(1.0 / 2.4) - 0.055
        }
}

/// The colours of an EXR are those of the picture beside it, and its data are what they are without them.
#[test]
fn an_exr_opens_as_a_picture() {
    for scheme in [
        "--palette classic",
        "--palette dusk --light 120 --inside navy",
        "--palette turbo --equalise --light 40",
        "--colour distance --palette grey --measure distance",
    ] {
        let folder = folder();
        let line = format!("render {VIEW} {scheme} --strip-rows 7 -o x.exr");
        submitter(&format!("{line} --channels N,NF,distance,RGB -o x.png"))
            .within(&folder)
            .ok();
        let exr = Exr::read(folder.path().join("x.exr"));
        let names: Vec<&str> = exr.channels.keys().map(String::as_str).collect();
        assert_eq!(names, ["B", "G", "N", "NF", "R", "distance"]);
        let [r, g, b] = ["R", "G", "B"].map(|name| match &exr.channels[name] {
            Channel::F16(values) => values.clone(),
            other => panic!("{other:?}"),
        });
        let png = Png::read(folder.path().join("x.png")).pixels;
        let mut colours = std::collections::BTreeSet::new();
        for (at, pixel) in png.iter().enumerate() {
            colours.insert(*pixel);
            for (own, light) in pixel.iter().zip([r[at], g[at], b[at]]) {
                let exact = srgb(light);
                let off = (f64::from(*own) - exact).abs();
                assert!(off < 2.0, "{scheme}, at {at}: {own} is not {exact}");
            }
        }
        assert!(colours.len() > 20, "control: {scheme}");
        submitter(&format!("{line} --channels N,NF,distance"))
            .within(&folder)
            .ok();
        let bare = Exr::read(folder.path().join("x.exr"));
        for (name, channel) in &bare.channels {
            assert!(exr.channels[name] == *channel, "{scheme}: {name}");
        }
    }
}

/// Of several samples a pixel, every one has its colour: their mean is the pixel's.
#[test]
fn samples_of_an_exr_have_their_own_colours() {
    let folder = folder();
    let scheme = "--samples 4 --light 200 --palette ice";
    submitter(&format!(
        "render {VIEW} {scheme} --channels RGB -o x.exr -o x.png"
    ))
    .within(&folder)
    .ok();
    let (exr, png) = (
        Exr::read(folder.path().join("x.exr")),
        Png::read(folder.path().join("x.png")),
    );
    assert_eq!((exr.width, exr.height), (2 * png.width, 2 * png.height));
    let Channel::F16(green) = &exr.channels["G"] else {
        panic!("{:?}", exr.channels.keys())
    };
    let mut differ = 0;
    for (at, pixel) in png.pixels.iter().enumerate() {
        let first = at / png.width * 2 * exr.width + at % png.width * 2;
        let four = [first, first + 1, first + exr.width, first + exr.width + 1];
        let four = four.map(|at| green[at]);
        let exact = srgb(four.iter().sum::<f32>() / 4.0);
        assert!((f64::from(pixel[1]) - exact).abs() < 2.0, "at {at}");
        differ += usize::from(four.iter().any(|light| *light != four[0]));
    }
    assert!(differ > png.pixels.len() / 4, "control: {differ}");
}

#[test]
fn counts_beyond_32_bits_are_two_channels() {
    let folder = folder();
    let deep = "--re -0.7436438870371587 --im 0.13182590420531197 --zoom 1e11 --size 16x9 --backend cpu -q";
    submitter(&format!("render {deep} --iterations 5000 -o short.exr"))
        .within(&folder)
        .ok();
    submitter(&format!(
        "render {deep} --iterations 4294967000 -o long.exr"
    ))
    .within(&folder)
    .ok();
    let short = Exr::read(folder.path().join("short.exr"));
    let long = Exr::read(folder.path().join("long.exr"));
    assert_eq!(long.channels.keys().collect::<Vec<_>>(), ["N0", "N1", "NF"]);
    let (n, n0, n1) = (
        wholes(&short, "N"),
        wholes(&long, "N0"),
        wholes(&long, "N1"),
    );
    let escaped: Vec<usize> = (0..n.len()).filter(|at| n[*at] != INSIDE).collect();
    assert!(!escaped.is_empty());
    for at in escaped {
        assert_eq!((n0[at], n1[at]), (n[at], 0), "at {at}");
    }
}

#[test]
fn other_tools_read_our_exr() {
    let tool = "exrheader";
    if Command::new(tool).arg("--help").output().is_err() {
        let required = std::env::var("FARM_TOOLS").is_ok_and(|wanted| wanted == "require");
        assert!(
            !required,
            "FARM_TOOLS=require, and {tool} is missing (Debian: openexr)"
        );
        eprintln!("SKIPPED: {tool} is missing (Debian: openexr); ./tests/run installs it");
        return;
    }
    let folder = folder();
    submitter(&format!("render {VIEW} --channels N,NF,T,DE,RGB -o x.exr"))
        .within(&folder)
        .ok();
    let shown = Command::new(tool)
        .arg(folder.path().join("x.exr"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.status.success(), "{shown:?}");
    for line in [
        "Iterations (type int): 400",
        "IterationsBias (type int): 1024",
        "KallesFraktaler2+ (type string): \"Re: -0.6",
        "N, 32-bit unsigned integer",
        "NF, 32-bit floating-point",
        "DEX, 32-bit floating-point",
        "T, 32-bit floating-point",
        "R, 16-bit floating-point",
        "B, 16-bit floating-point",
    ] {
        assert!(text.contains(line), "no '{line}' in {text}");
    }
    // OpenEXR's own library unpacks every value: of stretches that are stored, compressed, and both in one block.
    submitter("render -q --re -0.6 --im 0.05 --zoom 1.5 --size 2000x90 --channels N,NF,T,DE,distance,RGB -o y.exr")
        .within(&folder)
        .ok();
    let paths = ["y.exr", "bare.exr"].map(|name| folder.path().join(name));
    let copied = Command::new("exrmaketiled")
        .args(["-z", "none"])
        .args(&paths)
        .output();
    let copied = copied.unwrap();
    assert!(copied.status.success(), "{copied:?}");
    assert_eq!(Exr::read(&paths[0]), Exr::read(&paths[1]));
}

#[test]
fn info_tells_what_files_hold() {
    let folder = folder();
    submitter(&format!(
        "render {VIEW} -o a.png -o a.exr -o a.npy --measure stability"
    ))
    .within(&folder)
    .ok();
    let info = |file: &str| {
        submitter("info --json")
            .args([file])
            .within(&folder)
            .ok()
            .json()
    };
    for file in ["a.png", "a.exr"] {
        let said = info(file);
        assert_eq!(
            (said["width"].as_u64(), said["height"].as_u64()),
            (Some(96), Some(72))
        );
        assert_eq!(said["location"]["re"], "-0.6", "{said}");
        assert_eq!(said["location"]["iterations"], 400);
        assert!(
            said["software"]
                .as_str()
                .unwrap()
                .starts_with("Mandelfarm ")
        );
    }
    // Ranges are those of the values.
    let npy = Npy::read(folder.path().join("a.npy")).f64s();
    let most = npy
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .fold(0.0, f64::max);
    let said = info("a.npy");
    assert_eq!(said["channels"][0]["range"][1].as_f64(), Some(most));
    let nan = npy.iter().filter(|value| value.is_nan()).count() as u64;
    assert_eq!(said["channels"][0]["nan"].as_u64(), Some(nan));
    let exr = Exr::read(folder.path().join("a.exr"));
    let inside = wholes(&exr, "N").iter().filter(|n| **n == INSIDE).count() as u64;
    let said = info("a.exr");
    assert_eq!(said["channels"][0]["name"], "N");
    assert_eq!(said["channels"][0]["inside"].as_u64(), Some(inside));
    // Locations, and for people.
    let said = info(&place("place.kfr"));
    assert_eq!(
        (&said["kind"], &said["location"]["format"]),
        (&"location".into(), &"kfr".into())
    );
    let said = submitter("info").args([place("place.f3.toml")]).ok();
    for words in ["Fraktaler-3", "4.5e8", "period           15"] {
        assert!(said.stdout.contains(words), "{said:?}");
    }
    // What is nothing of the kind, and what breaks off, are one line.
    std::fs::write(folder.path().join("x.bin"), [0xff; 100]).unwrap();
    let whole = std::fs::read(folder.path().join("a.exr")).unwrap();
    std::fs::write(folder.path().join("cut.exr"), &whole[..whole.len() / 2]).unwrap();
    let whole = std::fs::read(folder.path().join("a.npy")).unwrap();
    std::fs::write(folder.path().join("cut.npy"), &whole[..whole.len() / 2]).unwrap();
    for name in ["x.bin", "cut.exr", "cut.npy", "none"] {
        let refused = submitter("info").args([name]).within(&folder).run();
        assert_eq!(refused.words().len(), 1, "{refused:?}");
        assert!(refused.stderr.contains(name), "{refused:?}");
    }
}

#[test]
fn control_a_plain_loop_tells_directions_apart() {
    // One step further the angle is another: what the channels are compared with can differ.
    let (z, _) = last((-0.6, 0.8), 400);
    let escape = naive::iterate((-0.6, 0.8), (0.0, 0.0), 400, 256.0);
    assert!(escape.count > 0 && z.0.hypot(z.1) > 256.0);
    let doubled = (z.0 * z.0 - z.1 * z.1, 2.0 * z.0 * z.1);
    let turn = |z: (f64, f64)| z.1.atan2(z.0);
    assert!((turn(z) - turn(doubled)).abs() > 1e-3);
}
