//! Colours of sequences: those that go by pixels, finer ones than 8 bits, and those that come with a place.

use std::path::Path;

use farm_tests::pictures::Png;
use farm_tests::programs::Run;
use farm_tests::similarity::ssim;
use farm_tests::{folder, names_in, submitter};

/// A place whose neighbourhood is full of detail, from views that are iterated plainly to deltas.
const PLACE: &str = "--re -0.10109636384562 --im 0.95628651080914 --iterations 1000 --backend cpu";
const SIZE: &str = "--size 256x144";
/// Frames of a sequence of six octaves.
const FRAMES: usize = 90;
/// Frames that are compared with direct renders: at a key frame, just past one, between two, near the next one.
const TIMES: [usize; 4] = [30, 32, 67, 88];

fn frame(place: &Path, folder: &str, number: usize) -> Png {
    Png::read(place.join(format!("{folder}/{number}.png")))
}

/// Renders frames directly, with as many samples as a pixel may have, and compares.
fn compare(place: &Path, name: &str, colours: &str, least: f64) {
    let mut sum = 0.0;
    for number in TIMES {
        let zoom = 2e3 * (6.0 * number as f64 / (FRAMES - 1) as f64).exp2();
        let line = format!(
            "render -q {PLACE} {SIZE} {colours} --samples 16 --zoom {zoom} --no-journal -o direct.png"
        );
        submitter(&line).within(place).ok();
        let direct = Png::read(place.join("direct.png"));
        let alike = ssim(&frame(place, name, number), &direct);
        eprintln!("{name} {number}: {alike:.4}");
        sum += alike;
        // Control: another time is another picture.
        let other = ssim(&frame(place, name, (number + 40) % FRAMES), &direct);
        assert!(other < alike - 0.1, "{name} {number}: {other}");
    }
    let mean = sum / TIMES.len() as f64;
    assert!(mean > least, "{name}: {mean}");
    // No step from frame to frame is unlike those beside it: key frames are near those at 15, 30, 45 and 60.
    let steps: Vec<f64> = (10..66)
        .map(|at| ssim(&frame(place, name, at), &frame(place, name, at + 1)))
        .collect();
    for (at, three) in (11..).zip(steps.windows(3)) {
        let beside = three[0].min(three[2]);
        assert!(
            three[1] > beside - 0.02,
            "{name}: a jump after frame {at}: {three:?}"
        );
    }
}

#[test]
fn light_and_distances_are_those_of_each_frame() {
    let place = folder();
    let distance = "--palette viridis --colour distance --mapping log --colour-range 0 40";
    let line = format!(
        "zoom -q --json {PLACE} {SIZE} {distance} --from 2e3 --to 1.28e5 --fps 15 --keep keys -o distance/%d.png"
    );
    let done = submitter(&line).within(place.path()).ok().json();
    assert_eq!(done["frames"], FRAMES, "{done}");
    compare(place.path(), "distance", distance, 0.95);
    // The same key frames have what a light needs.
    let light = "--palette plasma --mapping log --colour-range 8 400 --light 135,1";
    let line = format!("zoom -q --json --reuse keys --fps 15 {light} -o light/%d.png");
    let done = submitter(&line).within(place.path()).ok().json();
    assert_eq!(done["key_frames_made"], 0, "{done}");
    compare(place.path(), "light", light, 0.9);
    let dark = light.replace("135", "-45");
    submitter(&format!(
        "zoom -q --reuse keys --fps 15 {dark} -o dark/%d.png"
    ))
    .within(place.path())
    .ok();
    let [light, dark] = ["light", "dark"].map(|name| frame(place.path(), name, 50));
    assert!(ssim(&light, &dark) < 0.8, "control: light from elsewhere");
    // Both at once, ranked, and the reverse: it has the same frames.
    let both = "zoom -q --reuse keys --fps 15 --colour distance --light 30 --equalise";
    for (name, more) in [("both", ""), ("back", "--reverse")] {
        submitter(&format!("{both} {more} -o {name}/%d.png"))
            .within(place.path())
            .ok();
    }
    let (there, back) = (
        frame(place.path(), "both", 20),
        frame(place.path(), "back", FRAMES - 21),
    );
    assert!(there == back);
}

#[test]
fn key_frames_without_distances_say_so_and_samples_are_theirs() {
    let place = folder();
    let line = format!(
        "zoom -q --json {PLACE} --size 64x36 --from 2e3 --to 8e3 --fps 5 --keep keys -o %d.png"
    );
    let plain = submitter(&line).within(place.path()).ok().json();
    for (more, says) in [
        ("--colour distance", "hold no distances"),
        ("--samples 4", "--samples: not with --reuse"),
    ] {
        let refused = submitter(&format!("zoom -q --reuse keys -o x.mp4 {more}"))
            .within(place.path())
            .run();
        assert_eq!(
            (refused.code, refused.words().len()),
            (Some(2), 1),
            "{refused:?}"
        );
        assert!(refused.stderr.contains(says), "{refused:?}");
    }
    let dense = line.replace("--keep keys", "--samples 4 --colour distance");
    let dense = submitter(&dense).within(place.path()).ok().json();
    let width = |report: &serde_json::Value| report["key_width"].as_f64().expect("a width") - 8.0;
    assert!((width(&dense) / width(&plain) - 2.0).abs() < 0.1, "{dense}");
}

#[test]
fn frames_of_16_bits_and_noise_hold_what_8_bits_do_not() {
    let place = folder();
    // Slow colours: a whole octave of counts is a part of the palette.
    let colours = "--palette grey --mapping log --period 40";
    let line = format!(
        "zoom -q {PLACE} --size 128x72 --from 4 --to 8 --fps 8 {colours} --keep keys -o eight/%d.png"
    );
    submitter(&line).within(place.path()).ok();
    let line = format!("zoom -q --reuse keys --fps 8 {colours}");
    for (name, more) in [("sixteen", "--depth 16"), ("noisy", "--dither")] {
        submitter(&format!("{line} {more} -o {name}/%d.png"))
            .within(place.path())
            .ok();
    }
    let read =
        |name: &str, at: usize| Png::read_deep(place.path().join(format!("{name}/{at}.png")));
    let [eight, sixteen, noisy] = ["eight", "sixteen", "noisy"].map(|name| read(name, 5));
    assert_eq!([eight.bits, sixteen.bits, noisy.bits], [8, 16, 8]);
    let levels = |picture: &farm_tests::pictures::DeepPng| {
        let tones = picture.pixels.iter().map(|pixel| pixel[1]);
        tones.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(
        levels(&sixteen) > 4 * levels(&eight),
        "{} {}",
        levels(&sixteen),
        levels(&eight)
    );
    let exact = |at: usize| f64::from(sixteen.pixels[at][1]) / 257.0;
    let error = |picture: &farm_tests::pictures::DeepPng, at: usize| {
        f64::from(picture.pixels[at][1]) - exact(at)
    };
    for at in 0..eight.pixels.len() {
        // Key frames in 8 bits are rounded once more.
        assert!(error(&eight, at).abs() < 1.6, "{at}");
        assert!(error(&noisy, at).abs() < 1.01, "{at}");
    }
    // Over squares of 8 x 8 noise is right, and rounding is not.
    let worst = |picture: &farm_tests::pictures::DeepPng| {
        let square = |top: usize, left: usize| {
            let cells = (0..64).map(|cell| (top + cell / 8) * 128 + left + cell % 8);
            (cells.map(|at| error(picture, at)).sum::<f64>() / 64.0).abs()
        };
        let errors = (0..9).flat_map(|row| (0..16).map(move |column| (row * 8, column * 8)));
        let mut errors: Vec<f64> = errors.map(|(top, left)| square(top, left)).collect();
        errors.sort_by(f64::total_cmp);
        errors[errors.len() / 2]
    };
    assert!(
        worst(&noisy) < worst(&eight) / 2.0,
        "{} {}",
        worst(&noisy),
        worst(&eight)
    );
    assert_ne!(noisy.pixels, read("noisy", 6).pixels);
}

#[test]
fn videos_of_16_bits_keep_10_or_say_why_not() {
    let place = folder();
    let line = format!("zoom -q {PLACE} --size 64x36 --from 4 --to 8 --fps 5");
    for (name, more, kept) in [
        ("a.mp4", "", "yuv420p10le"),
        (
            "b.mkv",
            "--encoder ffv1 --encoder-option pix_fmt=gbrp16le",
            "gbrp16le",
        ),
    ] {
        submitter(&format!("{line} --depth 16 {more} -o {name}"))
            .within(place.path())
            .ok();
        let probed = Run::any("ffprobe")
            .args(["-v", "error", "-show_streams", "-of", "json"])
            .arg(place.path().join(name))
            .ok();
        let said: serde_json::Value = serde_json::from_str(&probed.stdout).expect("JSON");
        assert_eq!(said["streams"][0]["pix_fmt"], kept, "{said}");
    }
    for (more, code, says) in [
        ("--encoder mpeg4", 1, "none of more than 8 bits"),
        ("--encoder-option pix_fmt=gray14le", 1, "yuv420p10le"),
        ("--encoder-option pix_fmt=yuv444p", 2, "keeps 8 bits"),
    ] {
        let refused = submitter(&format!("{line} --depth 16 {more} -o x.mp4"))
            .within(place.path())
            .run();
        assert_eq!(
            (refused.code, refused.words().len()),
            (Some(code), 1),
            "{refused:?}"
        );
        assert!(refused.stderr.contains(says), "{refused:?}");
    }
    assert_eq!(
        names_in(place.path()),
        ["a.mp4", "b.mkv"],
        "nothing was begun"
    );
}

#[test]
fn a_pictures_own_colours_are_those_of_the_way_to_it() {
    let place = folder();
    let colours = "--palette classic --period 30 --inside white --offset 0.3";
    let line = format!("render -q {PLACE} --zoom 4e3 --size 128x72 {colours} --no-journal");
    submitter(&format!("{line} -o place.png"))
        .within(place.path())
        .ok();
    submitter(&format!("{line} --samples 16 -o fine.png"))
        .within(place.path())
        .ok();
    let picture = Png::read(place.path().join("fine.png"));
    let last = |name: &str, more: &str| {
        let line = format!(
            "zoom -q --location place.png --from 2e3 --size 128x72 --samples 16 --fps 4 --backend cpu {more} -o {name}/%d.png"
        );
        submitter(&line).within(place.path()).ok();
        ssim(&frame(place.path(), name, 3), &picture)
    };
    let (own, other) = (last("own", ""), last("other", "--palette viridis"));
    assert!(own > 0.95, "{own}");
    assert!(other < own - 0.1, "control: {other}");
}
