//! Plans of pictures, what is refused, and what files make them compute.

use clap::Parser;
use fractal::{BackendChoice, Counts, Measure};
use pictures::ColourFormat;
use render::plan::{Output, OutputKind, Place};
use requests::plan::picture::picture;

use super::planned;
use crate::cli::{Cli, Command};

#[test]
fn the_main_job_is_the_notebooks_view() {
    let plan = planned("--density 4096").unwrap();
    assert_eq!((plan.frame.width, plan.frame.height), (10240, 12288));
    assert_eq!(
        plan.outputs,
        [Output {
            path: "mandelbrot.png".into(),
            kind: OutputKind::Colours(ColourFormat::Png)
        }]
    );
    assert!(matches!(plan.place, Place::InProcess { workers: 1, .. }));
    assert!(plan.warnings.is_empty());
}

#[test]
fn what_cannot_be_is_one_line() {
    for (line, says) in [
        ("--density 0", "--density 0 is not greater than 0"),
        ("--density -5", "--density -5 is not greater than 0"),
        (
            "--density 1e10",
            "bounds and --density 1e10 make a picture of more than 2^17 samples a side",
        ),
        (
            "--density 0.1",
            "a picture of 0 x 0 samples is not within 1 x 1 and 131072 x 131072",
        ),
        (
            "--density 100000",
            "a picture of 250000 x 300000 samples is not within 1 x 1 and 131072 x 131072",
        ),
        (
            "--xmin 1",
            "bounds out of order: xmin 1 is not below xmax 0.5",
        ),
        ("--re 0 --im 0 --zoom 0", "zoom 0 is not greater than 0"),
        (
            "--re 0 --im 0 --zoom 1 --size 0x5",
            "a picture of 0 x 5 samples is not within 1 x 1 and 131072 x 131072",
        ),
        (
            "--iterations 0",
            "an iteration limit of 0 is not within 1 and 9007199254740992",
        ),
        (
            "--escape-radius -1",
            "escape radius -1.0 is not over 0 and at most 1e9",
        ),
        (
            "--skip-error-log2 -60",
            "an error of 2^-60 in a skipped step is not within 2^-52 and 2^-8",
        ),
        (
            "--counts settled --measure stability -o a.npy",
            "settled counts are counts: stability alone has none",
        ),
        (
            "--counts settled --backend gpu",
            "settled counts are computed by processors alone: not with --backend gpu",
        ),
        (
            "--counts settled --arithmetic double-single",
            "settled counts of this view are made in f64 or in delta-f64: not with --arithmetic double-single",
        ),
        (
            "-o picture",
            "-o picture: write to .png, .jpg, .webp, .tiff, .avif, .npy, .exr, .kfr or .toml",
        ),
        ("-o a.png -o a.png", "-o a.png: given twice"),
        (
            "--density 4096 --strip-rows 1000",
            "--strip-rows 1000: strips of this picture have at most 102 rows (4 MiB)",
        ),
        (
            "--colour-range 5 5",
            "--colour-range 5.0 5.0: the low end must be below the high end, and both finite",
        ),
    ] {
        assert_eq!(planned(line).unwrap_err().to_string(), says, "{line}");
    }
}

fn measures(line: &str) -> Vec<Measure> {
    planned(line).unwrap().frame.measures.iter().collect()
}

#[test]
fn a_job_asks_for_the_measures_its_files_need() {
    assert_eq!(
        measures("-o a.PNG -o b.npy -o c.exr --measure stability"),
        [
            Measure::Iterations,
            Measure::Smooth,
            Measure::Stability,
            Measure::Fraction
        ]
    );
    assert_eq!(
        measures("-o a.exr --channels n,t"),
        [Measure::Iterations, Measure::Phase]
    );
    assert_eq!(
        measures("-o a.exr --channels NF,RGB --colour distance --light 90"),
        [Measure::Smooth, Measure::Distance, Measure::Fraction]
    );
    assert_eq!(
        measures("-o a.exr --channels DE --iterations 9007199254740992"),
        [Measure::Distance, Measure::Direction]
    );
    assert_eq!(
        measures("-o a.exr --iterations 9007199254740992"),
        [Measure::Fraction, Measure::LongIterations]
    );
}

#[test]
fn an_exr_holds_the_same_in_any_company() {
    let planned_alone = planned("-o a.exr --measure distance").unwrap();
    let (alone, frame) = (planned_alone.outputs[0].clone(), planned_alone.frame);
    let colours = planned_alone.colours;
    let among = planned("-o a.exr -o b.npy -o c.png --measure distance").unwrap();
    assert_eq!(alone, among.outputs[0]);
    let measures: Vec<_> = alone.kind.measures(&frame, &colours).iter().collect();
    let expected = [Measure::Iterations, Measure::Distance, Measure::Fraction];
    assert_eq!(measures, expected);
}

#[test]
fn one_file_under_two_names_is_given_twice() {
    let twice = planned("-o a.png -o ./a.png").unwrap_err();
    assert_eq!(twice.to_string(), "-o ./a.png: given twice");
}

#[test]
fn adapters_alone_are_not_asked_for_what_they_lack() {
    for line in ["-o a.exr --channels T", "-o a.npy --measure direction"] {
        let says = planned(&format!("{line} --backend gpu")).unwrap_err();
        assert!(says.to_string().contains("--backend gpu"), "{says}");
        // Left to choose, it is the processors' from the start, and that is said.
        let plan = planned(line).unwrap();
        assert_eq!(plan.backend, BackendChoice::Cpu);
        assert!(plan.warnings[0].contains("no adapter"), "{line}");
        let asked = planned(&format!("{line} --backend cpu")).unwrap();
        assert!(asked.warnings.is_empty(), "{line}");
    }
    let long = "-o a.npy --measure iterations --iterations 9007199254740992";
    assert_eq!(planned(long).unwrap().backend, BackendChoice::Cpu);
    assert!(planned(&format!("{long} --backend gpu")).is_err());
    let any = planned("-o a.exr --channels N,NF,distance,RGB").unwrap();
    assert_eq!((any.backend, any.warnings.len()), (BackendChoice::Auto, 0));
    planned("-o a.exr --channels N,NF,distance --backend gpu").unwrap();
}

#[test]
fn a_run_of_a_sweep_is_a_render_of_the_same_picture() {
    let options = "--density 96 --iterations 70 --grid linspace --measure stability --strip-rows 5";
    let words = format!("submitter scale {options}");
    let Command::Scale(args) = Cli::parse_from(words.split(' ')).command else {
        unreachable!("those words are `scale`")
    };
    let (request, means) = args.split(vec!["x.npy".into()]).unwrap();
    let ours = picture(request, &means).unwrap();
    let typed = planned(&format!("{options} -o x.npy")).unwrap();
    assert_eq!(ours.frame, typed.frame);
    assert_eq!((ours.strips, ours.outputs), (typed.strips, typed.outputs));
    assert_eq!(ours.journal, None);
}

#[test]
fn counts_are_settled_where_that_is_typed_or_a_location_says_so() {
    let counts = |line: &str| planned(line).unwrap().frame.counts;
    assert_eq!(counts(""), Counts::Fast);
    assert_eq!(counts("--counts fast"), Counts::Fast);
    assert_eq!(counts("--counts settled"), Counts::Settled);
    // Beside counts stability is what it always is.
    assert_eq!(
        counts("--counts settled --measure stability -o a.npy -o a.png"),
        Counts::Settled
    );
    let settled = planned("--counts settled").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("place.toml");
    std::fs::write(&file, settled.location(None).text()).unwrap();
    let place = format!("--location {}", file.display());
    assert_eq!(counts(&place), Counts::Settled);
    assert_eq!(counts(&format!("{place} --counts fast")), Counts::Fast);
}

#[test]
fn formulas_and_julia_sets_have_home_views_of_their_own() {
    let ship = planned("--formula burning-ship --density 4").unwrap();
    assert_eq!(ship.frame.formula.operations(), "absx absy sqr add");
    assert_eq!((ship.frame.width, ship.frame.height), (15, 12));
    assert_eq!(ship.backend, BackendChoice::Auto);
    assert!(
        ship.location(None)
            .text()
            .contains("formula = \"burning-ship\"")
    );
    // Negative numbers, and all their digits.
    let c = ["-0.80000000000000000000000000000000001", "-1e-50"];
    let julia = planned(&format!("--julia {} {} --density 8", c[0], c[1])).unwrap();
    let kept = julia.frame.julia.clone().unwrap();
    assert_eq!(kept.each_ref().map(|part| part.as_str()), c);
    assert_eq!(julia.frame.width, julia.frame.height);
    assert!(
        !planned("--density 4")
            .unwrap()
            .location(None)
            .text()
            .contains("formula")
    );
    // A side that is typed is kept.
    let sided = planned("--formula tricorn --xmin -1 --density 4").unwrap();
    assert_eq!((sided.frame.width, sided.frame.height), (10, 16));
}
