//! A picture is made again from itself, whatever it was made with, and painted anew from its data.

use std::path::Path;

use farm_tests::pictures::Png;
use farm_tests::{digest, folder, submitter};
use serde_json::Value;

/// A small view of inside, near and far.
const VIEW: &str = "--re -0.6 --im 0.05 --zoom 1.5";
const SIZE: &str = "--size 40x30 --iterations 300";
/// A view where steps are skipped.
const DEEP: &str = "--re -1.768778833 --im 0.001738996 --zoom 1e16 --iterations 3000 --size 24x16";

fn info(folder: &Path, file: &str) -> Value {
    let line = format!("info --json {file}");
    let said = submitter(&line).within(folder).ok().json();
    assert_eq!(said["location"]["warnings"], serde_json::json!([]));
    said["location"].clone()
}

/// Makes a picture, makes it again from each of its files, and paints it from its data: all are the same to the byte.
fn made_again(options: &str, colours: &str) {
    let folder = folder();
    let bytes = |name: &str| digest(folder.path().join(name));
    let render = |line: &str| {
        let line = format!("render -q --json --backend cpu --no-journal {line}");
        submitter(&line).within(&folder).ok().json()
    };
    let channels = "--channels N,NF,distance";
    let first = render(&format!("{options} {colours} {channels} -o a.png -o a.exr"));
    let place = info(folder.path(), "a.png");
    assert_eq!(info(folder.path(), "a.exr"), place, "{options} {colours}");
    for from in ["a.png", "a.exr"] {
        let again = render(&format!("--location {from} {channels} -o b.png -o b.exr"));
        for (a, b) in [("a.png", "b.png"), ("a.exr", "b.exr")] {
            assert_eq!(bytes(a), bytes(b), "{b} of {from}: {options} {colours}");
        }
        for key in ["width", "height", "colour_range", "iterations_total"] {
            assert_eq!(
                again[key], first[key],
                "{key} of {from}: {options} {colours}"
            );
        }
    }
    // Painted from data, which know their place and colours: the same picture, which says the same of itself.
    let line = "colour a.exr -q --json -o c.png";
    let painted = submitter(line).within(&folder).ok().json();
    assert_eq!(
        bytes("c.png"),
        bytes("a.png"),
        "colour: {options} {colours}"
    );
    assert_eq!(info(folder.path(), "c.png"), place, "{options} {colours}");
    let said = &place["colours"];
    for key in ["palette", "colour", "mapping", "samples", "depth", "inside"] {
        assert_eq!(
            painted["colours"][key], said[key],
            "{key}: {options} {colours}"
        );
    }
    if !said["range"].is_null() {
        assert_eq!(
            painted["colour_range"], said["range"],
            "{options} {colours}"
        );
        assert_eq!(first["colour_range"], said["range"], "{options} {colours}");
    }
}

#[test]
fn every_setting_of_a_view_is_in_its_files() {
    for options in [
        "",
        "--rotate 33.3",
        "--rotate 90 --stretch 40 --stretch-angle 20",
        "--escape-radius 2.5",
        "--z0 0.1 -0.05",
        "--grid linspace",
    ] {
        made_again(&format!("{VIEW} {SIZE} {options}"), "");
    }
    made_again(&format!("{VIEW} --size 37x23 --iterations 77"), "");
    let bounds = "--xmin=-1.7 --xmax=0.3 --ymin=-0.7 --ymax=0.8 --density 20 --iterations 200";
    made_again(bounds, "");
    for options in ["", "--skip-error-log2 -24", "--rotate 12"] {
        made_again(&format!("{DEEP} {options}"), "--palette magma --equalise");
    }
}

#[test]
fn every_setting_of_colours_is_in_their_files() {
    for colours in [
        "--palette viridis",
        "--palette #000,gold,#fff",
        "--palette red,blue --blend oklab",
        "--colour bands",
        "--colour distance",
        "--colour distance --samples 4",
        "--colour distance --colour-range 0.5 9",
        "--mapping sqrt",
        "--mapping linear --cycles 3",
        "--colour-range 5 90",
        "--period 40",
        "--period 4 --mapping log --offset 0.3",
        "--equalise",
        "--equalise --cycles 2 --samples 4",
        "--inside navy",
        "--light 120",
        "--light -30,0.7 --samples 9",
        "--colour distance --light 45,2",
        "--dither",
        "--dither --samples 4 --light 60",
        "--depth 16",
        "--depth 16 --colour distance --samples 4 --rotate 5",
    ] {
        made_again(&format!("{VIEW} {SIZE}"), colours);
    }
}

/// Every one of these changes the picture, so that it would be seen if it were lost.
#[test]
fn control_settings_are_seen() {
    let folder = folder();
    let made = |line: &str| {
        let line = format!("render -q --backend cpu --no-journal {line} -o x.png");
        submitter(&line).within(&folder).ok();
        Png::read(folder.path().join("x.png"))
    };
    let plain = made(&format!("{VIEW} {SIZE}"));
    for more in [
        "--rotate 33.3",
        "--stretch 40",
        "--escape-radius 2.5",
        "--z0 0.1 -0.05",
        "--grid linspace",
        "--colour bands",
        "--colour distance",
        "--mapping sqrt",
        "--period 40",
        "--equalise",
        "--inside navy",
        "--light 120",
        "--dither",
        "--samples 4",
    ] {
        assert_ne!(made(&format!("{VIEW} {SIZE} {more}")), plain, "{more}");
    }
}

/// A dive takes over what its place says of skipped steps, and its key frames say so.
#[test]
fn a_dive_skips_no_more_than_its_place_allows() {
    let folder = folder();
    let place = "re = -1.768778833\nim = 0.001738996\nzoom = 1e16\niterations = 3e3\nskip_error_log2 = -24\n";
    std::fs::write(folder.path().join("place.toml"), place).expect("a file");
    let line = "zoom -q --backend cpu --location place.toml --from 1e15 --size 32x18 --fps 2 --keep keys -o %02d.png";
    submitter(line).within(&folder).ok();
    let says = |folder: &Path| {
        let files = std::fs::read_dir(folder).expect("a folder");
        let mut said = files
            .flatten()
            .filter_map(|file| std::fs::read(file.path()).ok());
        said.any(|bytes| bytes.windows(15).any(|word| word == b"skip_error_log2"))
    };
    assert!(says(&folder.path().join("keys")));
    // Control: of others nothing is said.
    let usual = place.replace("skip_error_log2 = -24\n", "");
    std::fs::write(folder.path().join("place.toml"), usual).expect("a file");
    submitter(&line.replace("keys", "usual"))
        .within(&folder)
        .ok();
    assert!(!says(&folder.path().join("usual")));
}
