//! Palettes as other programs write them.

use std::path::Path;

use farm_tests::pictures::Png;
use farm_tests::{folder, submitter};

/// An array of 2 x 200 doubles, from nearly 0 to nearly 2 in each row.
fn npy_ramp() -> Vec<u8> {
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 200), }";
    // As the format wants it: the data begin at a multiple of 64 bytes.
    let header = format!("{header:<117}\n");
    let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    file.extend(header.as_bytes());
    let row = || (0..200).map(|col| f64::from(col.max(1)) * 0.01);
    file.extend(row().chain(row()).flat_map(f64::to_le_bytes));
    file
}

/// The colours of [`npy_ramp`] by a palette, from end to end.
fn ramp(folder: &Path, palette: &str, more: &str) -> Vec<[u8; 3]> {
    std::fs::write(folder.join("ramp.npy"), npy_ramp()).unwrap();
    submitter("colour ramp.npy -o ramp.png -q --mapping linear --colour-range 0 1.99 --palette")
        .arg(palette)
        .args(more.split_whitespace())
        .within(folder)
        .ok();
    Png::read(folder.join("ramp.png")).pixels[..200].to_vec()
}

#[test]
fn palettes_are_taken_as_their_programs_write_them() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    // A comment in brackets, brackets and `;` in quotes and comments; names in any case.
    write(
        "two.ugr",
        "comment {\n  Not { gradient: index=0 color=0 }\n}\nFirst { ; { not this\ngradient:\n  title=\"a } and a ;\" smooth=no \
         index=0 color=255 index=200 color=16711680\n}\nDark Second {\ngradient:\n index=0 color=0 index=200 color=255\n}\n",
    );
    let shown = submitter("info two.ugr").within(&folder).ok();
    assert!(
        shown.stdout.contains("First") && shown.stdout.contains("Dark Second"),
        "{shown:?}"
    );
    let json = submitter("info two.ugr --json").within(&folder).ok().json();
    assert_eq!(
        json["gradients"],
        serde_json::json!(["First", "Dark Second"])
    );
    let close =
        |seen: [u8; 3], expected: [u8; 3]| (0..3).all(|i| seen[i].abs_diff(expected[i]) <= 2);
    let first = ramp(folder.path(), "two.ugr", "");
    // Half way from red to blue, mixed as Ultra Fractal does, and in Oklab where asked for.
    assert!(close(first[50], [127, 0, 128]), "{:?}", first[50]);
    let oklab = ramp(folder.path(), "two.ugr", "--blend oklab");
    assert!(close(oklab[50], [140, 83, 162]), "{:?}", oklab[50]);
    let second = ramp(folder.path(), "two.ugr:dark SECOND", "");
    assert!(close(second[50], [128, 0, 0]), "{:?}", second[50]);
    // More lines than a map has colours, values beyond 8 bits, DOS' end of a file.
    write(
        "long.map",
        &format!("{}\u{1a}", "256 511 0\r\n0 0 257\r\n".repeat(200)),
    );
    write("same.map", &"0 255 0\n0 0 1\n".repeat(128));
    assert_eq!(
        ramp(folder.path(), "long.map", ""),
        ramp(folder.path(), "same.map", "")
    );
    // A gradient of GIMP's first version.
    let segment = "0.0 0.5 1.0 1.0 0.0 0.0 1.0 0.0 0.0 1.0 1.0 0 0\n";
    write("old.ggr", &format!("GIMP Gradient\n1\n{segment}"));
    write("new.ggr", &format!("GIMP Gradient\nName: x\n1\n{segment}"));
    assert_eq!(
        ramp(folder.path(), "old.ggr", ""),
        ramp(folder.path(), "new.ggr", "")
    );
    // A style sheet.
    write(
        "sky.css",
        "/* a sky */\n.sky {\n  BACKGROUND: LINEAR-GRADIENT(100grad, RED 0, #00F 100%);\n}\n",
    );
    let css = ramp(folder.path(), "sky.css", "");
    assert!(close(css[100], [127, 0, 128]), "{:?}", css[100]);
    let oklch = ramp(folder.path(), "linear-gradient(in oklch, red, blue)", "");
    assert!(
        oklch[100][0] > 150 && oklch[100][1] < 30,
        "{:?}",
        oklch[100]
    );
    // Of places beyond the ends, what lies between them; white under what is transparent.
    let beyond = ramp(folder.path(), "black -100%, white 300%", "");
    assert!(
        close(beyond[0], [64; 3]) && close(beyond[199], [128; 3]),
        "{beyond:?}"
    );
    let clear = ramp(folder.path(), "rgb(0 0 0 / 50%), #000", "");
    assert!(
        close(clear[0], [128; 3]) && close(clear[199], [0; 3]),
        "{clear:?}"
    );
}
