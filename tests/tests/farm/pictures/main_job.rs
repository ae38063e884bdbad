//! The main job: one command, in process, from arguments to files.

use std::collections::BTreeSet;

use farm_tests::pictures::{Channel, Exr, Npy, Png};
use farm_tests::programs::{Run, outputs};
use farm_tests::{folder, gpu, naive, names_in, submitter};
use serde_json::Value;

const BLACK: [u8; 3] = [0, 0, 0];
/// What one render may have resident, whatever the size of its picture.
const MOST_KIB: u64 = 600 * 1000;
/// What the peaks of two sizes may differ by: allocators and threads breathe.
const BREATH_KIB: u64 = 64 << 10;

#[test]
fn one_computation_fills_three_kinds_of_file() {
    let folder = folder();
    submitter("render --density 128 --iterations 500 --backend cpu -q")
        .args(outputs(&["a.png", "a.npy", "a.exr"]))
        .within(&folder)
        .ok();
    assert_eq!(names_in(folder.path()), ["a.exr", "a.npy", "a.png"]);
    let (width, height) = (320, 384);
    let npy = Npy::read(folder.path().join("a.npy"));
    let png = Png::read(folder.path().join("a.png"));
    let exr = Exr::read(folder.path().join("a.exr"));
    assert_eq!((npy.width, npy.height), (width, height));
    assert_eq!((png.width, png.height), (width, height));
    assert_eq!((exr.width, exr.height), (width, height));

    let smooth = npy.f32s();
    let (Channel::U32(counts), Channel::F32(fractions)) = (&exr.channels["N"], &exr.channels["NF"])
    else {
        panic!("counts are whole numbers, and fractions are not")
    };
    // As other programs have counts, 1024 more and all ones inside.
    let counts: Vec<u32> = counts.iter().map(|n| n.wrapping_sub(1024)).collect();
    let counts: Vec<u32> = (counts.iter())
        .map(|n| if *n == u32::MAX - 1024 { 0 } else { *n })
        .collect();
    let joined = counts.iter().zip(fractions).map(|(n, fraction)| match n {
        0 => 0.0,
        n => (f64::from(*n) + f64::from(*fraction)) as f32,
    });
    assert!(smooth.iter().copied().eq(joined), "the same values in both");
    for at in 0..width * height {
        assert_eq!(
            smooth[at] == 0.0,
            counts[at] == 0,
            "inside is 0 in both, at {at}"
        );
        assert_eq!(
            png.pixels[at] == BLACK,
            counts[at] == 0,
            "inside is black, at {at}"
        );
    }
    // Plain facts: the middle of the cardioid is inside, the corners are far outside and as computed by hand.
    assert_eq!(counts[height / 2 * width + 224], 0, "-0.25 + 0i");
    for (col, row) in [
        (0, 0),
        (width - 1, 0),
        (0, height - 1),
        (width - 1, height - 1),
    ] {
        let c = (
            -2.0 + (col as f64 + 0.5) / 128.0,
            1.5 - (row as f64 + 0.5) / 128.0,
        );
        let escape = naive::iterate(c, (0.0, 0.0), 500, 256.0);
        let at = row * width + col;
        assert_eq!(counts[at], escape.count, "{c:?}");
        let difference = f64::from(smooth[at]) - naive::smooth(escape, 256.0);
        assert!(difference.abs() < 1e-5, "{c:?}: off by {difference}");
    }
}

#[test]
fn row_zero_is_at_the_top() {
    let folder = folder();
    // The tip of the antenna at -2 on the lower half, so a flipped picture would show.
    let args = "render --xmin -2 --xmax 0.5 --ymin -1.5 --ymax 0 --density 64 --backend cpu -q";
    let counts = |grid: &str| {
        submitter(&format!(
            "{args} --measure iterations -o x.npy --grid {grid}"
        ))
        .within(&folder)
        .ok();
        let npy = Npy::read(folder.path().join("x.npy"));
        let inside = |row: usize| npy.u32s()[row * npy.width..][..npy.width].contains(&0);
        (inside(0), inside(npy.height - 1))
    };
    assert_eq!(
        counts("pixels"),
        (true, false),
        "the real axis is the first row"
    );
    assert_eq!(
        counts("linspace"),
        (false, true),
        "the real axis is the last row"
    );
}

#[test]
fn the_default_is_a_picture_in_this_folder() {
    let folder = folder();
    let done = submitter("render --density 64").within(&folder).ok();
    assert_eq!(names_in(folder.path()), ["mandelbrot.png"]);
    assert_eq!(done.stdout, "", "words go to stderr");
    let png = Png::read(folder.path().join("mandelbrot.png"));
    assert_eq!((png.width, png.height), (160, 192));
    let colours: BTreeSet<[u8; 3]> = png.pixels.iter().copied().collect();
    assert!(
        colours.contains(&BLACK) && colours.len() > 100,
        "{} colours",
        colours.len()
    );
}

#[test]
fn a_file_that_was_there_is_replaced() {
    let folder = folder();
    std::fs::write(folder.path().join("x.npy"), "old").unwrap();
    submitter("render --density 8 -q -o x.npy")
        .within(&folder)
        .ok();
    assert_eq!(Npy::read(folder.path().join("x.npy")).width, 20);
    assert_eq!(names_in(folder.path()), ["x.npy"]);
}

#[test]
fn json_holds_what_is_promised() {
    let folder = folder();
    let done = submitter("render --density 96 --iterations 700 --backend cpu --workers 2 --json")
        .args(["--measure", "iterations"])
        .args(outputs(&["x.npy", "x.png"]))
        .within(&folder)
        .ok();
    let json = done.json();
    let job = json["job"].as_str().expect("job");
    assert_eq!(job.len(), 26, "a ULID: {job}");
    let number = |value: &Value, field: &str| {
        value[field]
            .as_u64()
            .unwrap_or_else(|| panic!("{field}: {value}"))
    };
    assert_eq!(
        (number(&json, "width"), number(&json, "height")),
        (240, 288)
    );
    assert_eq!(number(&json, "pixels"), 240 * 288);
    assert_eq!(number(&json, "redelivered"), 0);
    let counts = Npy::read(folder.path().join("x.npy")).u32s();
    let total: u64 = counts
        .iter()
        .map(|n| if *n == 0 { 700 } else { u64::from(*n) })
        .sum();
    assert_eq!(number(&json, "iterations_total"), total);
    let elapsed = json["elapsed_secs"].as_f64().expect("elapsed_secs");
    assert!(
        elapsed > 0.0 && elapsed <= done.elapsed.as_secs_f64(),
        "{elapsed}"
    );

    let outputs = json["outputs"].as_array().expect("outputs");
    assert_eq!(outputs.len(), 2);
    for (output, name) in outputs.iter().zip(["x.npy", "x.png"]) {
        assert_eq!(output["path"], name);
        let bytes = std::fs::metadata(folder.path().join(name)).unwrap().len();
        assert_eq!(number(output, "bytes"), bytes);
    }
    let workers = json["workers"].as_array().expect("workers");
    assert!(!workers.is_empty());
    let sum = |field: &str| {
        workers
            .iter()
            .map(|worker| number(worker, field))
            .sum::<u64>()
    };
    assert_eq!(sum("strips"), number(&json, "strips"));
    assert_eq!(sum("pixels"), number(&json, "pixels"));
    for worker in workers {
        assert!(
            worker["name"].is_string() && worker["device"].is_string(),
            "{worker}"
        );
        assert_eq!(worker["backend"], "cpu");
        assert!(
            worker["busy_secs"].as_f64().is_some_and(|secs| secs > 0.0),
            "{worker}"
        );
    }
}

#[test]
fn two_workers_in_process_both_work() {
    let folder = folder();
    let done = submitter(
        "render --density 256 --iterations 20000 --backend cpu --workers 2 --json -q -o x.npy",
    )
    .within(&folder)
    .ok();
    assert_eq!(done.json()["workers"].as_array().map(Vec::len), Some(2));
}

/// Peak of one render of the default view, in KiB.
fn peak_kib(density: u32, iterations: u32) -> u64 {
    let folder = folder();
    let args =
        format!("render --density {density} --iterations {iterations} --backend cpu -q -o x.png");
    submitter(&args).within(&folder).ok().peak_kib
}

#[test]
fn memory_does_not_grow_with_the_picture() {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: only Linux tells the peak of another process");
        return;
    }
    // 31, 126 (the main job) and 503 megapixels.
    let (small, main_job, large) = (peak_kib(2048, 50), peak_kib(4096, 1000), peak_kib(8192, 20));
    eprintln!("peaks: {small}, {main_job} and {large} KiB");
    assert!(
        small > 0 && main_job.max(large) < MOST_KIB,
        "{main_job} KiB, {large} KiB"
    );
    assert!(
        large < main_job + BREATH_KIB,
        "four times the pixels: {main_job} -> {large} KiB"
    );
}

#[test]
fn control_the_peak_of_a_hungry_program_is_seen() {
    if !cfg!(target_os = "linux") {
        return;
    }
    // One block of a gigabyte, which is written and read.
    let hungry = Run::any("dd")
        .args(["if=/dev/zero", "of=/dev/null", "bs=1000M", "count=1"])
        .ok();
    assert!(hungry.peak_kib > MOST_KIB, "{hungry:?}");
}

/// Devices of a small render, in lower case.
fn devices(backend: &str) -> String {
    let folder = folder();
    let line = format!("render --density 64 -q -o x.npy --json --backend {backend}");
    let done = submitter(&line).within(&folder).ok();
    done.json()["workers"].to_string().to_lowercase()
}

#[test]
fn left_to_choose_it_takes_no_software_adapter() {
    let devices = devices("auto");
    for software in ["llvmpipe", "lavapipe", "softpipe", "swiftshader"] {
        assert!(!devices.contains(software), "{devices}");
    }
}

#[test]
fn each_back_end_is_what_it_says() {
    assert!(devices("cpu").contains("\"backend\":\"cpu\""));
    if gpu::is_there() {
        let devices = devices("gpu");
        assert!(devices.contains("\"backend\":\"gpu\""), "{devices}");
        assert!(
            !devices.contains("\"backend\":\"cpu\""),
            "pinned: {devices}"
        );
    }
}
