//! Videos and pictures as ffmpeg sees them, and what longer sequences left beside a new one.

use std::path::Path;

use farm_tests::programs::Run;
use farm_tests::{folder, names_in, submitter};
use serde_json::Value;

const LINE: &str = "zoom -q --re -0.75 --im 0.1 --from 4 --to 8 --size 64x36 --fps 5 --iterations 200 --backend cpu";

/// What ffprobe says of a file's one stream.
fn stream(path: &Path) -> Value {
    let done = Run::any("ffprobe")
        .args(["-v", "error", "-show_streams", "-of", "json"])
        .arg(path)
        .ok();
    let said: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(done.stderr, "", "{done:?}");
    said["streams"][0].clone()
}

/// Whether ffmpeg gets through a file without a word.
fn decodes(path: &Path) {
    let done = Run::any("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .ok();
    assert_eq!(done.stderr, "", "{done:?}");
}

#[test]
fn videos_are_marked_as_what_they_are() {
    let place = folder();
    for (name, encoder, tags) in [
        (
            "a.mp4",
            "",
            ["bt709", "tv", "iec61966-2-1", "yuv420p", "avc1"],
        ),
        (
            "b.mkv",
            "--encoder libx264rgb",
            ["gbr", "pc", "iec61966-2-1", "gbrp", "[0][0][0][0]"],
        ),
        (
            "c.mkv",
            "--encoder ffv1 --encoder-option pix_fmt=bgr0",
            ["gbr", "pc", "iec61966-2-1", "bgr0", "FFV1"],
        ),
        (
            "f.mkv",
            "--encoder ffv1 --encoder-option pix_fmt=gbrp16le --depth 16",
            ["gbr", "pc", "iec61966-2-1", "gbrp16le", "FFV1"],
        ),
        (
            "d.mp4",
            "--encoder libx265 --encoder-option preset=ultrafast",
            ["bt709", "tv", "iec61966-2-1", "yuv420p", "hvc1"],
        ),
        (
            "e.mp4",
            "--encoder libx265 --encoder-option preset=ultrafast --depth 16",
            ["bt709", "tv", "iec61966-2-1", "yuv420p10le", "hvc1"],
        ),
    ] {
        submitter(&format!("{LINE} {encoder} -o {name}"))
            .within(&place)
            .ok();
        let path = place.path().join(name);
        let said = stream(&path);
        let keys = [
            "color_space",
            "color_range",
            "color_transfer",
            "pix_fmt",
            "codec_tag_string",
        ];
        assert_eq!(
            keys.map(|key| said[key].as_str().unwrap_or("-")),
            tags,
            "{name}: {said}"
        );
        decodes(&path);
    }
}

/// Its old readers lose their step in long attributes.
#[test]
fn ffmpeg_reads_our_exr() {
    let place = folder();
    let digits = "3".repeat(400);
    let line = format!(
        "render -q --backend cpu --re -0.7{digits} --im 0.1 --zoom 10 --size 40x30 --iterations 200 --light 30"
    );
    for (name, channels) in [
        ("a.exr", "N,NF,RGB"),
        ("b.exr", "RGB"),
        ("c.exr", "N,NF,distance,RGB"),
    ] {
        submitter(&format!("{line} --channels {channels} -o {name}"))
            .within(&place)
            .ok();
        let path = place.path().join(name);
        let said = stream(&path);
        assert_eq!(said["codec_name"], "exr", "{said}");
        assert_eq!(
            (&said["width"], &said["height"]),
            (&40.into(), &30.into()),
            "{said}"
        );
        decodes(&path);
    }
}

#[test]
fn frames_of_a_longer_run_are_named() {
    let place = folder();
    let line = LINE.replace(" -q", "");
    let run = |more: &str| {
        let done = submitter(&format!("{line} {more}")).within(&place).ok();
        done.stderr
            .lines()
            .filter(|line| line.contains("another run"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(run("--duration 2 --keep keys -o frames/%03d.png"), [""; 0]);
    assert_eq!(names_in(&place.path().join("frames")).len(), 10);
    assert_eq!(
        run("--duration 2 -o frames/%03d.png"),
        [""; 0],
        "the same again"
    );
    let said = run("--duration 1 -o frames/%03d.png");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("frames/005.png to 009.png (5 files) are of another run"),
        "{said:?}"
    );
    // They stay; another name has nothing to do with them.
    assert_eq!(names_in(&place.path().join("frames")).len(), 10);
    assert_eq!(run("--duration 1 -o frames/%02d.png"), [""; 0]);
}

#[test]
fn a_system_without_a_folder_for_key_frames_is_said_so() {
    let place = folder();
    let missing = place.path().join("missing");
    let done = submitter(&format!("{LINE} --duration 1 -o -"))
        .within(&place)
        .env("TMPDIR", &missing.to_string_lossy())
        .run();
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(
        done.stderr.contains("no folder for key frames: "),
        "{done:?}"
    );
}
