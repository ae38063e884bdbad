//! Painting anew from data: what is painted is what was rendered, from every array.

use farm_tests::pictures::{Npy, Png};
use farm_tests::{folder, submitter};

use super::setup::{assert_refused, picture, render};

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
        (
            "a.exr -o x.gif",
            "-o x.gif: a picture is written to .png, .jpg",
        ),
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
