//! Plans of sequences, and what is refused.

use std::path::PathBuf;

use clap::Parser;
use colour::{ColourBy, Mapping, Repeat, Samples};
use fractal::{Grid, Measure, View};
use requests::plan::refused::PlanError;
use zoom::ZoomPlan;

use crate::cli::{Cli, Command};

fn planned(line: &str) -> Result<ZoomPlan, PlanError> {
    let words = ["submitter", "zoom"]
        .into_iter()
        .chain(line.split_whitespace());
    let Command::Zoom(args) = Cli::try_parse_from(words).unwrap().command else {
        unreachable!()
    };
    let (request, means) = args.split().unwrap();
    requests::plan::sequence::sequence(&request, &means)
}

const PLACE: &str = "--re -0.75 --im 0.1";

#[test]
fn key_frames_are_an_octave_apart_and_end_where_the_sequence_does() {
    let plan = planned(&format!("{PLACE} --to 1e4 --size 640x360")).unwrap();
    assert_eq!(plan.keys(), (0, 14), "1e4 is 13.3 octaves");
    assert_eq!(plan.timing.frames, (13.28771f64 * 30.0).round() as u32);
    let (first, _) = plan.frame(0);
    assert!((first - 1e4f64.log2()).abs() < 1e-9);
    assert_eq!(plan.frame(plan.timing.frames - 1), (0.0, 0.0));
    let zoom = |depth| match plan.key(depth, |_| PathBuf::new()).unwrap().frame.view {
        View::Centre { zoom, .. } => zoom.to_f64(),
        View::Bounds { .. } => unreachable!(),
    };
    assert!((zoom(3) / zoom(4) - 2.0).abs() < 1e-12);
    // A pixel of the deepest key frame is that of the last frame over 1.18, but for whole rows.
    let key = plan.key(0, |_| PathBuf::new()).unwrap().frame;
    let last = 4.0 / 1e4 / 360.0;
    assert!((key.pixel_spacing() * plan.ratio / last - 1.0).abs() < 1e-9);
    assert_eq!(
        (plan.ratio, key.width, key.height),
        (426.0 / 360.0, 766, 434)
    );
}

#[test]
fn the_way_out_is_the_way_in_backwards() {
    let line = format!("{PLACE} --to 100 --rotate 90 --ease 0.5");
    let (there, back) = (
        planned(&line).unwrap(),
        planned(&format!("{line} --reverse")).unwrap(),
    );
    let last = there.timing.frames - 1;
    for frame in [0, 1, last / 3, last] {
        assert_eq!(there.frame(frame), back.frame(last - frame));
    }
    assert_eq!(there.upright, (1470, 1470));
}

#[test]
fn what_cannot_be_is_one_line() {
    for (line, says) in [
        ("--to 5", "no place given"),
        (PLACE, "no --to given"),
        (&format!("{PLACE} --to 0"), "zoom 0 is not"),
        (&format!("{PLACE} --to 5 --from 9"), "--reverse"),
        (&format!("{PLACE} --to 5 --fps 0"), "--fps 0 is not over 0"),
        (
            &format!("{PLACE} --to 5 --ease 9 --duration 3"),
            "--ease 9 takes 18 s",
        ),
        (
            &format!("{PLACE} --to 1e900 --fps 1000 --seconds-per-octave 9"),
            "frames are over",
        ),
        (&format!("{PLACE} --to 5 -o x.avi"), "-o x.avi: write to"),
        (&format!("{PLACE} --to 5 -o x.png"), "-o x.png: write to"),
        (&format!("{PLACE} --to 5 --size 641x360"), "even sides"),
        (&format!("{PLACE} --to 5 --size 0x0"), "0 x 0"),
        (
            &format!("{PLACE} --to 5 --key-samples 99"),
            "within 0.25 and 10",
        ),
        ("--reuse /nowhere", "/nowhere"),
        (
            &format!("{PLACE} --to 5 --samples 4 --key-samples 2"),
            "--samples: not with --key-samples",
        ),
        (
            &format!("{PLACE} --to 5 --depth 16 --encoder-option pix_fmt=yuv444p"),
            "pix_fmt=yuv444p keeps 8 bits",
        ),
        (
            &format!("{PLACE} --to 5 --depth 16 --size 641x360"),
            "yuv420p10le need even sides",
        ),
    ] {
        let error = planned(line).unwrap_err().to_string();
        assert!(
            error.contains(says) && !error.contains('\n'),
            "{line}: {error}"
        );
    }
    assert!(planned(&format!("{PLACE} --to 5 --size 641x360 -o %d.png")).is_ok());
    assert!(
        planned(&format!(
            "{PLACE} --to 5 --size 641x360 --encoder-option pix_fmt=yuv444p"
        ))
        .is_ok()
    );
}

#[test]
fn a_preview_is_small() {
    let plan = planned(&format!("{PLACE} --to 100 --preview")).unwrap();
    assert_eq!((plan.size, plan.fps), ((320, 180), 15.0));
}

#[test]
fn iteration_limits_grow_with_the_octaves_where_asked_for() {
    let limits = |more: &str| {
        let plan = planned(&format!("{PLACE} --to 1024 --iterations 1100 {more}")).unwrap();
        [0, 5, 10].map(|depth| {
            plan.key(depth, |_| PathBuf::new())
                .unwrap()
                .frame
                .iterations
        })
    };
    assert_eq!(limits(""), [1100; 3]);
    assert_eq!(limits("--shallow-iterations 100"), [1100, 600, 100]);
}

/// A location file with such colours, as its plan; options come after it.
fn of_location(text: &str, more: &str) -> Result<ZoomPlan, PlanError> {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("place.toml");
    let head = "re = \"-0.75\"\nim = \"0.1\"\nzoom = \"1e4\"\niterations = 700\n";
    std::fs::write(&file, format!("{head}{text}")).unwrap();
    planned(&format!("--location {} {more}", file.display()))
}

#[test]
fn a_places_own_colours_are_those_of_its_sequence() {
    let colours = |repeat: &str| {
        format!(
            "[colours]\npalette = \"magma\"\ncolour = \"bands\"\nmapping = \"log\"\n{repeat}offset = 0.25\n\
             inside = \"#010203\"\nsamples = 4\ndither = true\ndepth = 8\n"
        )
    };
    let said = |repeat: &str, more: &str| of_location(&colours(repeat), more).unwrap().colours;
    let period = said("repeat = {period = 3.0}\n", "");
    assert_eq!(
        (period.palette.to_string().as_str(), period.colour),
        ("magma", ColourBy::Bands)
    );
    assert_eq!((period.offset, period.inside.0), (0.25, [1, 2, 3]));
    assert_eq!(
        (period.mapping, period.repeat),
        (Mapping::Log, Some(Repeat::Period(3.0)))
    );
    // How its file was made does not matter to frames.
    assert_eq!((period.samples, period.dither), (Samples::ONE, false));
    // A range that is that of one zoom gives way to what suits all of them.
    let range = said("range = [9.0, 80.0]\n", "");
    assert_eq!(
        range.mapping,
        planned(&format!("{PLACE} --to 9")).unwrap().colours.mapping
    );
    assert_eq!((range.range, range.offset), (None, 0.25));
    let typed = said("", "--palette ice --period 50 --inside red");
    assert_eq!(typed.palette.to_string(), "ice");
    assert_eq!(
        (typed.repeat, typed.inside.0),
        (Some(Repeat::Period(50.0)), [255, 0, 0])
    );
}

#[test]
fn what_a_place_says_of_the_iteration_is_that_of_its_key_frames() {
    let plan = of_location("escape_radius = 100.0\nz0 = [0.1, 0.0]\n", "--to 50").unwrap();
    let frame = plan.key(0, |_| PathBuf::new()).unwrap().frame;
    assert_eq!((frame.escape_radius, frame.z0), (100.0, (0.1, 0.0)));
    assert_eq!(frame.iterations, 700);
    // Deltas begin at 0: no view of such a sequence is computed by them.
    let is_by_deltas = |text: &str| {
        let plan = of_location(text, "--to 1e20").unwrap();
        plan.key(0, |_| PathBuf::new()).unwrap().arithmetic.deltas
    };
    assert!(!is_by_deltas("z0 = [0.1, 0.0]\n"));
    assert!(is_by_deltas(""));
}

#[test]
fn samples_make_key_frames_denser_and_distances_are_theirs_too() {
    let key = |more: &str| {
        let plan = planned(&format!("{PLACE} --to 50 --size 640x360 {more}")).unwrap();
        (plan.key(0, |_| PathBuf::new()).unwrap(), plan)
    };
    let (plain, _) = key("");
    let (dense, plan) = key("--samples 4");
    assert_eq!((dense.frame.width, dense.frame.height), (1520, 858));
    assert_eq!(dense.frame.grid, Grid::Pixels);
    assert_eq!(
        plan.colours.samples,
        Samples::ONE,
        "they are averaged by the filter"
    );
    assert_eq!(plain.outputs.len(), 1);
    let (distance, plan) = key("--colour distance --light 30");
    assert_eq!(
        distance.frame.measures.iter().collect::<Vec<_>>(),
        [Measure::Smooth, Measure::Distance]
    );
    assert_eq!(distance.outputs.len(), 2);
    assert_eq!(
        (plan.colours.mapping, plan.colours.repeat),
        (Mapping::Log, None)
    );
    let (deep, plan) = key("--depth 16");
    assert_eq!(plan.video.as_ref().unwrap().pixel_format(), "yuv420p10le");
    assert_eq!(deep.frame, plain.frame);
}
