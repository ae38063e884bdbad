//! Colours: palettes and their files, mappings, light, samples, noise, depth, and painting anew from data.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use farm_tests::pictures::{Npy, Png};
use farm_tests::programs::Run;
use farm_tests::{folder, names_in, submitter};

/// A view with inside, filaments and smooth parts.
const VIEW: &str =
    "--re -0.7454 --im 0.1131 --zoom 400 --size 96x64 --iterations 600 --backend cpu";
/// Schemes of every kind.
const SCHEMES: &[&str] = &[
    "",
    "--palette classic --period 37.5 --offset 0.3 --inside #204060",
    "--palette viridis --mapping sqrt --cycles 2.5",
    "--colour distance --palette grey",
    "--colour bands --mapping linear --colour-range 20 300",
    "--equalise --palette ember --cycles 2",
    "--light 120 --palette ice --dither",
    "--light 45,0.7 --equalise --depth 16",
    "--samples 4 --palette twilight --period 20",
    "--samples 9 --light 200 --dither",
    "--samples 4 --colour distance --light 90 --equalise",
];

fn render(line: &str, folder: &Path) {
    submitter(&format!("render -q {VIEW} {line}"))
        .within(folder)
        .ok();
}

/// A picture of those arguments.
fn picture(line: &str) -> Png {
    let folder = folder();
    render(&format!("-o x.png {line}"), folder.path());
    Png::read(folder.path().join("x.png"))
}

fn gradient_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/gradients")
        .join(name)
}

/// sRGB value to linear light.
fn light(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    if value <= 0.04045 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

#[test]
fn painted_from_data_is_as_rendered() {
    for scheme in SCHEMES {
        let folder = folder();
        render(
            &format!("-o a.png -o a.exr --measure distance {scheme}"),
            folder.path(),
        );
        submitter(&format!("colour a.exr -o b.png -q {scheme}"))
            .within(&folder)
            .ok();
        let [rendered, painted] =
            ["a.png", "b.png"].map(|name| Png::read(folder.path().join(name)));
        assert!(rendered == painted, "{scheme}");
        let moved = format!("{} --offset 0.37", scheme.replace("--offset 0.3 ", ""));
        let other = format!("colour a.exr -o c.png -q {moved}");
        submitter(&other).within(&folder).ok();
        let other = Png::read(folder.path().join("c.png"));
        assert!(rendered != other, "control: {scheme}");
    }
}

#[test]
fn arrays_are_painted_too() {
    let folder = folder();
    let scheme = "--palette gold --light 120 --samples 4";
    render(&format!("-o a.png -o a.npy {scheme}"), folder.path());
    submitter(&format!("colour a.npy -o b.png -q {scheme}"))
        .within(&folder)
        .ok();
    let [rendered, painted] = ["a.png", "b.png"].map(|name| Png::read(folder.path().join(name)));
    assert_eq!(rendered, painted);
    // The notebook's picture: what left is blank, the rest by |z| from 0 to 2.
    render(
        "--grid linspace --measure stability -o s.npy",
        folder.path(),
    );
    let blank = "colour s.npy -o s.png -q --mapping linear --colour-range 0 2 --inside white";
    submitter(blank).within(&folder).ok();
    let values = Npy::read(folder.path().join("s.npy")).f64s();
    let pixels = Png::read(folder.path().join("s.png")).pixels;
    for (value, pixel) in values.iter().zip(&pixels) {
        assert_eq!(value.is_nan(), *pixel == [255; 3], "{value}: {pixel:?}");
    }
}

/// The array of a type with these values, which lie in the file row by row or column by column.
fn array(descr: &str, by_columns: bool, rows: usize, values: &[u8]) -> Vec<u8> {
    let bytes: usize = descr[2..].parse().unwrap();
    let columns = values.len() / bytes / rows;
    let order = if by_columns { "True" } else { "False" };
    let mut head =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({rows}, {columns}), }}");
    head += &" ".repeat(117 - head.len());
    head.push('\n');
    [b"\x93NUMPY\x01\x00\x76\x00", head.as_bytes(), values].concat()
}

#[test]
fn arrays_of_every_type_and_order_are_painted_alike() {
    let folder = folder();
    let paint = |bytes: &[u8]| {
        std::fs::write(folder.path().join("x.npy"), bytes).unwrap();
        submitter("colour x.npy -o x.png -q --mapping linear --colour-range 0 110")
            .within(&folder)
            .ok();
        submitter("info x.npy").within(&folder).ok();
        Png::read(folder.path().join("x.png")).pixels
    };
    // Whole numbers that each type holds, 8 rows of 13.
    let values: Vec<u8> = (1..=104).collect();
    let expected = paint(&array("|u1", false, 8, &values));
    let columns: Vec<u8> = (0..13)
        .flat_map(|column| (0..8).map(move |row| row * 13 + column + 1))
        .collect();
    for by_columns in [false, true] {
        let values = if by_columns { &columns } else { &values };
        for descr in [
            "|u1", "|i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">u4", "<i4", ">i4", "<u8", ">u8",
            "<i8", ">i8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8",
        ] {
            let mut bytes = Vec::new();
            for value in values {
                let value = *value;
                let little = match &descr[1..] {
                    "f2" => half(value).to_le_bytes().to_vec(),
                    "f4" => f32::from(value).to_le_bytes().to_vec(),
                    "f8" => f64::from(value).to_le_bytes().to_vec(),
                    whole => {
                        let len: usize = whole[1..].parse().unwrap();
                        u64::from(value).to_le_bytes()[..len].to_vec()
                    }
                };
                if descr.starts_with('>') {
                    bytes.extend(little.iter().rev());
                } else {
                    bytes.extend(little);
                }
            }
            assert_eq!(
                paint(&array(descr, by_columns, 8, &bytes)),
                expected,
                "{descr} {by_columns}"
            );
        }
    }
    // Control: the other order is another picture.
    assert_ne!(paint(&array("|u1", true, 8, &values)), expected);
}

/// A whole number from 1 to 127 in half precision.
fn half(value: u8) -> u16 {
    let power = u16::try_from(value.ilog2()).unwrap();
    (15 + power) << 10 | ((u16::from(value) << (10 - power)) & 1023)
}

#[test]
fn strips_do_not_matter() {
    for scheme in SCHEMES {
        let expected = picture(scheme);
        for rows in [1, 7, 64] {
            let got = picture(&format!("{scheme} --strip-rows {rows}"));
            assert!(got == expected, "{scheme}, {rows} rows");
        }
    }
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

/// A run that has to fail with that status, one line that says this, and nothing left but what was there.
fn assert_refused(run: Run, folder: &Path, code: i32, says: &str) {
    let before = names_in(folder);
    let done = run.within(folder).run();
    assert_eq!(done.code, Some(code), "{done:?}");
    let [line] = done.words()[..] else {
        panic!("one line: {done:?}")
    };
    assert!(
        line.starts_with("submitter: ") && line.contains(says),
        "'{says}' in: {line}"
    );
    assert_eq!(names_in(folder), before);
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

#[test]
fn broken_data_are_refused() {
    let folder = folder();
    render("-o a.exr -o a.npy", folder.path());
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    };
    let (exr, npy) = (read("a.exr"), read("a.npy"));
    write("short.exr", &exr[..exr.len() / 2]);
    write("head.exr", &exr[..100]);
    write("short.npy", &npy[..npy.len() - 1]);
    let with = |from: &str, to: &str| {
        let mut bytes = npy.clone();
        let at = bytes
            .windows(from.len())
            .position(|part| part == from.as_bytes());
        let at = at.expect("a header that says so");
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    write("complex.npy", &with("<f4", "<c8"));
    write("text.exr", b"not an image");
    // A block of pixels, and not the head.
    let mut inside = exr.clone();
    let middle = exr.len() * 3 / 4;
    inside[middle..middle + 64].fill(0xff);
    write("inside.exr", &inside);
    for (args, says) in [
        ("short.exr", "short.exr"),
        ("inside.exr", "submitter: inside.exr: "),
        ("head.exr", "head.exr: is no OpenEXR file"),
        ("text.exr", "text.exr: is no OpenEXR file"),
        ("short.npy", "breaks off"),
        ("complex.npy", "no whole or floating numbers"),
        ("none.exr", "none.exr"),
        ("a.exr --colour distance", "DEX and DEY"),
        ("a.npy --colour distance --light 3", "one measure"),
        ("a.exr --samples 49", "96 x 64 samples"),
    ] {
        let run = submitter(&format!("colour -o x.png {args}"));
        assert_refused(run, folder.path(), 1, says);
    }
    for (args, says) in [
        ("a.exr -o x.jpg", "-o x.jpg: a picture is written to .png"),
        ("a.exr -o x.png --cycles 0", "--cycles"),
    ] {
        assert_refused(submitter(&format!("colour {args}")), folder.path(), 2, says);
    }
}

/// What an EXR carries is where the options begin.
#[test]
fn colours_travel_with_the_data() {
    let folder = folder();
    let scheme = "--palette classic --equalise --cycles 2 --samples 4 --inside navy --light 60";
    render(&format!("-o a.png -o a.exr {scheme}"), folder.path());
    let paint = |how: &str| {
        submitter(&format!("colour a.exr -o b.png -q {how}"))
            .within(&folder)
            .ok();
        Png::read(folder.path().join("b.png"))
    };
    let rendered = Png::read(folder.path().join("a.png"));
    assert!(paint("") == rendered);
    let moved = paint("--offset 0.4");
    assert_eq!(
        (moved.width, moved.height),
        (rendered.width, rendered.height)
    );
    assert!(moved != rendered, "control");
    assert!(moved == paint(&format!("--plain {scheme} --offset 0.4")));
    // As if it said nothing: every sample is a pixel, from end to end of the usual palette.
    let plain = paint("--plain");
    assert_eq!(plain.width, 2 * rendered.width);
    assert!(plain.pixels.contains(&[0, 0, 0]) && !rendered.pixels.contains(&[0, 0, 0]));
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
