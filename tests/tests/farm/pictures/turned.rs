//! Turned and stretched views: in stills and sequences, and in every file that carries them.

use std::path::Path;

use farm_tests::pictures::{Npy, Png};
use farm_tests::{digest, folder, submitter};

const PLACE: &str = "--re -0.7436 --im 0.1318 --zoom 30 --backend cpu";
const TURN: &str = "--rotate 33 --stretch 40 --stretch-angle 20";
const SIDE: usize = 48;

/// Counts of a square picture.
fn counts(folder: &Path, options: &str) -> Vec<u32> {
    let line = format!("render -q --size {SIDE}x{SIDE} --measure iterations -o x.npy {options}");
    submitter(&line).within(folder).ok();
    Npy::read(folder.join("x.npy")).u32s()
}

/// A square picture turned clockwise by a quarter.
fn clockwise<T: Copy>(picture: &[T], side: usize) -> Vec<T> {
    let place = |index: usize| (side - 1 - index % side) * side + index / side;
    (0..picture.len())
        .map(|index| picture[place(index)])
        .collect()
}

#[test]
fn quarter_turns_show_the_picture_turned_clockwise() {
    let folder = folder();
    let mut expected = counts(folder.path(), PLACE);
    for degrees in ["90", "180", "-90"] {
        expected = clockwise(&expected, SIDE);
        let turned = counts(folder.path(), &format!("{PLACE} --rotate {degrees}"));
        assert!(turned == expected, "{degrees}");
    }
    // The control, and once around.
    assert!(counts(folder.path(), PLACE) != expected);
    expected = clockwise(&expected, SIDE);
    assert!(counts(folder.path(), &format!("{PLACE} --rotate 360")) == expected);
    // By bounds as well, at a depth of its own, and whoever computes which rows.
    let bounds = "--xmin -0.78 --xmax -0.7 --ymin 0.09 --ymax 0.17 --density 600 --backend cpu";
    let upright = counts_of(folder.path(), bounds);
    let turned = counts_of(
        folder.path(),
        &format!("{bounds} --rotate 90 --strip-rows 5 --workers 2"),
    );
    assert!(turned == clockwise(&upright, SIDE));
}

/// Counts of a view by bounds, which says its size itself.
fn counts_of(folder: &Path, options: &str) -> Vec<u32> {
    let line = format!("render -q --measure iterations -o x.npy {options}");
    submitter(&line).within(folder).ok();
    let picture = Npy::read(folder.join("x.npy"));
    assert_eq!((picture.width, picture.height), (SIDE, SIDE));
    picture.u32s()
}

#[test]
fn a_turned_picture_is_made_again_from_every_file_of_ours() {
    let folder = folder();
    let within = folder.path();
    let line =
        format!("render -q {PLACE} {TURN} --size 60x40 --samples 4 -o a.png -o a.exr -o a.toml");
    submitter(&line).within(within).ok();
    let expected = digest(within.join("a.png"));
    for file in ["a.png", "a.exr", "a.toml"] {
        let line = format!("render -q --backend cpu --location {file} -o again.png");
        submitter(&line).within(within).ok();
        assert_eq!(digest(within.join("again.png")), expected, "{file}");
        let said = submitter(&format!("info --json {file}"))
            .within(within)
            .ok();
        let place = &said.json()["location"];
        assert_eq!(
            (&place["rotate"], &place["stretch"], &place["stretch_angle"]),
            (&33.0.into(), &40.0.into(), &20.0.into()),
            "{file}"
        );
        // An option changes just that, and the control.
        let line = format!("render -q --backend cpu --location {file} --rotate 34 -o again.png");
        submitter(&line).within(within).ok();
        assert_ne!(digest(within.join("again.png")), expected, "{file}");
    }
    // What is painted anew keeps its place.
    submitter("colour -q a.exr -o b.png").within(within).ok();
    let line = "render -q --backend cpu --location b.png -o again.png";
    submitter(line).within(within).ok();
    assert_eq!(
        digest(within.join("again.png")),
        digest(within.join("b.png"))
    );
    let text = std::fs::read_to_string(within.join("a.toml")).unwrap();
    assert!(text.contains("stretch_angle = 20.0"), "{text}");
    let planned = submitter("plan --json --location a.toml")
        .within(within)
        .ok();
    assert_eq!(planned.json()["transform"]["rotate"], 33.0);
    let upright = submitter(&format!("plan --json {PLACE}")).ok().json();
    assert!(upright.get("transform").is_none(), "{upright}");
    // A list of jobs has the same options.
    std::fs::write(
        within.join("jobs.toml"),
        "[[job]]\nre = \"-0.7436\"\nim = \"0.1318\"\nzoom = 30\nbackend = \"cpu\"\nsize = \"60x40\"\n\
         samples = 4\nrotate = 33\nstretch = 40\nstretch-angle = 20\noutput = \"listed.png\"\n",
    )
    .unwrap();
    submitter("batch -q jobs.toml").within(within).ok();
    assert_eq!(digest(within.join("listed.png")), expected);
}

#[test]
fn turns_that_cannot_be_are_refused_in_a_line() {
    let folder = folder();
    std::fs::write(
        folder.path().join("flat.toml"),
        "re = \"0\"\nim = \"0\"\nzoom = \"1\"\nstretch = 1e9\n",
    )
    .unwrap();
    for (options, says) in [
        ("--stretch 1001", "stretch of 1001.0 is not within 1000"),
        ("--rotate nan", "rotation of NaN degrees"),
        ("--stretch 5 --stretch-angle 1e7", "angle of stretching"),
        ("--location flat.toml", "stretch of 1000000000.0"),
    ] {
        let place = if options.contains("location") {
            ""
        } else {
            PLACE
        };
        let line = format!("render {place} {options} -o x.png");
        let refused = submitter(&line).within(&folder).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(says), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
}

#[test]
fn frames_of_a_turned_sequence_are_those_of_the_upright_one_turned() {
    let folder = folder();
    let within = folder.path();
    let sequence =
        format!("--from 20 --to 80 --size {SIDE}x{SIDE} --fps 2 --iterations 400 --backend cpu -q");
    let centre = "--re -0.7436438870371587 --im 0.13182590420531197";
    for (name, place) in [
        ("upright", centre.to_owned()),
        ("turned", format!("{centre} --view-rotate 90 --keep keys")),
    ] {
        let line = format!("zoom {place} {sequence} -o {name}/%02d.png");
        submitter(&line).within(within).ok();
    }
    // The same from a location, and from key frames that are there.
    std::fs::write(
        within.join("place.toml"),
        "re = \"-0.7436438870371587\"\nim = \"0.13182590420531197\"\nzoom = \"80\"\nrotate = 90\n",
    )
    .unwrap();
    let line = format!("zoom --location place.toml {sequence} -o placed/%02d.png");
    submitter(&line).within(within).ok();
    submitter("zoom --reuse keys --fps 2 -q -o again/%02d.png")
        .within(within)
        .ok();
    let frame = |name: &str, at: usize| within.join(format!("{name}/{at:02}.png"));
    for at in 0..4 {
        let expected = digest(frame("turned", at));
        assert_eq!(digest(frame("placed", at)), expected);
        assert_eq!(digest(frame("again", at)), expected);
        let [upright, turned] = ["upright", "turned"].map(|name| Png::read(frame(name, at)).pixels);
        let apart = |a: &[[u8; 3]], b: &[[u8; 3]]| -> u32 {
            let pairs = a.iter().flatten().zip(b.iter().flatten());
            pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
        };
        // Rows and columns are summed in another order.
        let values = (3 * upright.len()) as u32;
        assert!(
            apart(&clockwise(&upright, SIDE), &turned) * 4 < values,
            "frame {at}"
        );
        assert!(
            apart(&upright, &turned) > 10 * values,
            "frame {at}: the control"
        );
    }
    let refused = submitter("zoom --reuse keys --view-rotate 10 -o x/%02d.png")
        .within(within)
        .run();
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[test]
fn a_minibrot_stands_upright_where_that_is_asked_for() {
    let folder = folder();
    let line = "locate -q --json --re -0.1 --im 0.95 --zoom 8";
    let found = submitter(line).within(&folder).ok().json();
    assert!(found.get("rotate").is_none(), "{found}");
    let upright = submitter(&format!("{line} --upright")).ok().json();
    assert_eq!(upright["rotate"], found["minibrot"]["turned"]);
    let kept = submitter(&format!("{line} --rotate 12")).ok().json();
    assert_eq!(kept["rotate"], 12.0);
}
