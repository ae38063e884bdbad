//! Palettes and their files, mappings, noise, depth and samples.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use farm_tests::pictures::{Npy, Png};
use farm_tests::{folder, submitter};

use super::setup::{assert_refused, light, picture, render};

fn gradient_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/gradients")
        .join(name)
}

#[test]
fn every_palette_and_format_has_its_colours() {
    let folder = folder();
    render("-o a.npy", folder.path());
    let named = [
        "plasma",
        "viridis",
        "magma",
        "inferno",
        "cividis",
        "turbo",
        "cubehelix",
        "spectral",
        "rainbow",
        "sinebow",
        "classic",
        "gold",
        "ice",
        "ember",
        "aurora",
        "dusk",
        "opal",
        "forest",
        "twilight",
        "grey",
    ];
    let ugr = gradient_file("two.ugr").display().to_string();
    let files = ["two.ugr", "waves.map", "sunrise.ggr", "stops.css"]
        .map(|name| gradient_file(name).display().to_string());
    let lists = [
        "gold, 35%, #f00".to_owned(),
        "cyclic smooth: navy, #fff 30%, teal".to_owned(),
        format!("{ugr}:signal red"),
    ];
    let palettes = named
        .map(str::to_owned)
        .into_iter()
        .chain(files)
        .chain(lists);
    let mut seen = BTreeSet::new();
    for palette in palettes {
        submitter("colour a.npy -o a.png -q --palette")
            .arg(&palette)
            .within(&folder)
            .ok();
        let pixels = Png::read(folder.path().join("a.png")).pixels;
        assert!(seen.insert(pixels), "{palette} is like another");
    }
    // Its second gradient is red and black, and nothing else.
    submitter("colour a.npy -o a.png -q --palette")
        .arg(format!("{ugr}:SIGNAL RED"))
        .within(&folder)
        .ok();
    let pixels = Png::read(folder.path().join("a.png")).pixels;
    assert!(pixels.iter().all(|[_, g, b]| (*g, *b) == (0, 0)));
    assert!(pixels.iter().any(|[r, ..]| *r > 200));
}

#[test]
fn broken_palettes_are_refused_before_anything_is_computed() {
    let folder = folder();
    for (name, text, says) in [
        (
            "a.ugr",
            "Harbour {\ngradient:\n  index=0 color=red\n}",
            "line 3: color=",
        ),
        ("b.ugr", "no gradient at all", "b.ugr: holds no gradient"),
        ("c.map", "GIF89a\n1 2 3\n", "c.map: line 1"),
        (
            "d.ggr",
            "GIMP Gradient\nName: x\n1\n0 0.5 1 0 0 0 1\n",
            "d.ggr: invalid segment (line 4)",
        ),
        ("e.css", "red, bleu", "'bleu'"),
        ("f.gif", "GIF89a", ".ugr, .map, .ggr or .css"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let run = submitter("render --density 8 -o x.png --palette").arg(name);
        assert_refused(run, folder.path(), 2, says);
    }
    for (args, says) in [
        (&["--palette", "none.ugr"][..], "none.ugr: "),
        (&["--palette", "gold, oops"], "'oops'"),
        (&["--palette", "plasmo"], "plasma, viridis"),
        (&["--period", "0"], "--period 0.0"),
        (&["--offset", "7"], "--offset 7.0"),
        (&["--samples", "5"], "1, 4, 9"),
        (&["--depth", "12"], "8 or 16"),
        (&["--light", "left"], "ANGLE"),
        (&["--inside", "blackish"], "'blackish'"),
        (&["--inside", "#00ff0080"], "transparent"),
        (&["--blend", "oklab"], "--blend: the palette plasma"),
        (&["--period", "3", "--equalise"], "--equalise"),
        (&["--dither", "--depth", "16"], "--dither"),
        (&["--samples", "4", "--grid", "linspace"], "--grid linspace"),
    ] {
        let run = submitter("render --density 8 -o x.png").args(args);
        assert_refused(run, folder.path(), 2, says);
    }
}

/// Values that wait for the last of them need a disk that holds them.
#[test]
fn equalised_pictures_need_space_on_the_disk() {
    let folder = folder();
    let data = "render -q --density 400 --iterations 50 -o a.exr";
    submitter(data).within(&folder).ok();
    let script = "mount -t tmpfs -o size=4m none \"$0\" || exit 77; \"$@\"";
    let isolation = ["--user", "--map-root-user", "--mount", "sh", "-c", script];
    let mount = folder.path().join("small");
    std::fs::create_dir(&mount).unwrap();
    let mount = mount.to_string_lossy();
    let all: Vec<&str> = isolation.into_iter().chain([&*mount]).collect();
    let on_small_disk = |line: &str| submitter(line).within(&folder).under("unshare", &all).run();
    for line in [
        "colour a.exr -o small/x.png -q --equalise",
        "render -q --density 400 --iterations 50 -o small/x.png --equalise",
    ] {
        let done = on_small_disk(line);
        if done.code == Some(77) || done.stderr.contains("unshare") {
            eprintln!("SKIPPED: no disk can be mounted here: {}", done.stderr);
            return;
        }
        assert_eq!(done.code, Some(1), "{done:?}");
        let says = "MB and its disk has 4 MB free";
        assert!(done.stderr.contains(says), "{done:?}");
        assert_eq!(done.words().len(), 1, "{done:?}");
    }
    let done = on_small_disk("colour a.exr -o small/x.png -q");
    assert_eq!(done.code, Some(0), "control: {done:?}");
}

/// Every tenth of the palette gets a tenth of the outside, and what escapes later never comes earlier on it.
#[test]
fn equalised_pictures_use_the_palette_evenly() {
    let tenths = |how: &str| {
        let folder = folder();
        render(
            &format!("-o a.png -o a.npy --palette black,white --blend oklab {how}"),
            folder.path(),
        );
        let smooth = Npy::read(folder.path().join("a.npy")).f32s();
        let grey = Png::read(folder.path().join("a.png")).pixels;
        let mut outside: Vec<(f32, u8)> = (smooth.into_iter().zip(grey))
            .filter(|(smooth, _)| *smooth != 0.0)
            .map(|(smooth, [grey, ..])| (smooth, grey))
            .collect();
        outside.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        assert!(outside.is_sorted_by_key(|(_, grey)| *grey), "{how}");
        let mut counts = [0.0f64; 10];
        for (_, grey) in &outside {
            // Oklab's lightness of a grey is the cube root of its light.
            let place = (light(*grey).cbrt() * 10.0).min(9.0);
            counts[place as usize] += 100.0 / outside.len() as f64;
        }
        counts
    };
    let equalised = tenths("--equalise");
    assert!(
        equalised.iter().all(|share| (share - 10.0).abs() < 2.0),
        "{equalised:?}"
    );
    let plain = tenths("--mapping linear");
    assert!(
        plain.iter().any(|share| (share - 10.0).abs() > 10.0),
        "control: {plain:?}"
    );
}

#[test]
fn sixteen_bits_tell_more_colours_apart() {
    let folder = folder();
    render("-o a.exr", folder.path());
    let paint = |how: &str| {
        submitter(&format!("colour a.exr -o x.png -q --mapping linear {how}"))
            .within(&folder)
            .ok();
        Png::read_deep(folder.path().join("x.png"))
    };
    let (eight, sixteen) = (paint(""), paint("--depth 16"));
    assert_eq!((eight.bits, sixteen.bits), (8, 16));
    let distinct = |pixels: &[[u16; 3]]| pixels.iter().collect::<BTreeSet<_>>().len();
    assert!(distinct(&sixteen.pixels) > 3 * distinct(&eight.pixels));
    for (a, b) in eight.pixels.iter().zip(&sixteen.pixels) {
        for (a, b) in a.iter().zip(b) {
            assert!(
                (f64::from(*a) - f64::from(*b) / 257.0).abs() < 2.0,
                "{a} {b}"
            );
        }
    }
}

/// In squares of eight, the mean of a picture with noise is nearer to that of 16 bits than without.
#[test]
fn noise_keeps_what_rounding_loses() {
    let folder = folder();
    // A slow slope: few values of 8 bits.
    submitter("render -q --re -3 --im 2 --zoom 60 --size 128x128 -o a.npy")
        .within(&folder)
        .ok();
    let paint = |how: &str| {
        let line = format!("colour a.npy -o x.png -q --palette #101018,#14141c {how}");
        submitter(&line).within(&folder).ok();
        let picture = Png::read_deep(folder.path().join("x.png"));
        let most = f64::from((1u32 << picture.bits) - 1);
        let mut means = [0.0f64; 256];
        for (at, pixel) in picture.pixels.iter().enumerate() {
            means[at / 1024 * 16 + at % 128 / 8] += f64::from(pixel[0]) / most * 255.0 / 64.0;
        }
        means
    };
    let exact = paint("--depth 16");
    let error = |means: [f64; 256]| {
        let squares = means.iter().zip(&exact).map(|(a, b)| (a - b).powi(2));
        (squares.sum::<f64>() / 256.0).sqrt()
    };
    let (rounded, noisy) = (error(paint("")), error(paint("--dither")));
    assert!(noisy < rounded / 3.0, "{noisy} {rounded}");
    assert!(rounded > 0.05, "control: {rounded}");
}

#[test]
fn more_samples_come_nearer_to_very_many() {
    let light_of = |samples: u32| -> Vec<f64> {
        let scheme = format!("--palette grey --period 9 --samples {samples}");
        picture(&scheme)
            .pixels
            .iter()
            .map(|[grey, ..]| light(*grey))
            .collect()
    };
    let reference = light_of(64);
    let error = |samples: u32| {
        let squares = light_of(samples)
            .into_iter()
            .zip(&reference)
            .map(|(a, b)| (a - b).powi(2));
        (squares.sum::<f64>() / reference.len() as f64).sqrt()
    };
    let errors = [1, 4, 16].map(error);
    assert!(
        errors[1] < 0.7 * errors[0] && errors[2] < 0.7 * errors[1],
        "{errors:?}"
    );
}
