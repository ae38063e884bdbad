//! Pictures in formats that are encoded whole, as another program (ffmpeg) unpacks them.

use std::path::Path;

use farm_tests::pictures::Png;
use farm_tests::programs::Run;
use farm_tests::{digest, folder, submitter};

const VIEW: &str =
    "render -q --backend cpu --re -0.7436 --im 0.1318 --zoom 300 --size 96x64 --light 120";

/// What ffmpeg unpacks a picture to, pixel by pixel.
fn unpacked(folder: &Path, name: &str, layout: &str) -> Vec<u8> {
    let raw = format!("{name}.raw");
    let done = Run::any("ffmpeg")
        .args(["-v", "error", "-y", "-i", name, "-f", "rawvideo"])
        .args(["-pix_fmt", layout, &raw])
        .within(folder)
        .run();
    assert_eq!(done.code, Some(0), "{name}: {done:?}");
    std::fs::read(folder.join(raw)).unwrap()
}

/// How far a picture is from another, in decibels of the largest value.
fn decibels(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean = squares.sum::<f64>() / a.len() as f64;
    20.0 * 255.0_f64.log10() - 10.0 * mean.max(1e-9).log10()
}

#[test]
fn one_computation_goes_into_every_format() {
    let folder = folder();
    submitter(VIEW)
        .args("-o a.png -o a.jpg -o a.webp -o a.tiff -o a.avif".split(' '))
        .within(&folder)
        .ok();
    let png = Png::read(folder.path().join("a.png")).pixels.concat();
    for (name, least) in [
        ("a.webp", 300.0),
        ("a.tiff", 300.0),
        ("a.jpg", 35.0),
        ("a.avif", 33.0),
    ] {
        let far = match unpacked(folder.path(), name, "rgb24") {
            same if same == png => 300.0,
            other => decibels(&other, &png),
        };
        assert!(far >= least, "{name}: {far} dB");
    }
}

#[test]
fn a_tiff_has_sixteen_bits_where_they_are_asked_for() {
    let folder = folder();
    submitter(VIEW)
        .args("--depth 16 -o a.png -o a.tif -o a.jpeg".split(' '))
        .within(&folder)
        .ok();
    let png = Png::read_deep(folder.path().join("a.png"));
    assert_eq!(png.bits, 16);
    let values = png.pixels.concat();
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    assert!(unpacked(folder.path(), "a.tif", "rgb48le") == bytes);
    // The others have 8, painted as such.
    let eight = submitter("info a.jpeg").within(&folder).ok();
    assert!(eight.stdout.contains("red: 8 bits"), "{eight:?}");
}

#[test]
fn they_say_where_they_were_made() {
    let folder = folder();
    submitter(VIEW)
        .args("-o a.png -o a.jpg -o a.webp -o a.tiff".split(' '))
        .within(&folder)
        .ok();
    let first = digest(folder.path().join("a.png"));
    for (name, kind) in [("a.jpg", "JPEG"), ("a.webp", "WebP"), ("a.tiff", "TIFF")] {
        let info = submitter("info").arg(name).within(&folder).ok();
        for said in [
            &format!("{kind} picture"),
            "96 x 64 pixels",
            "red: 8 bits",
            "Mandelfarm",
            "-0.7436",
        ] {
            assert!(
                info.stdout.contains(said),
                "{name} says nothing of {said}: {info:?}"
            );
        }
        submitter("render -q --backend cpu -o again.png --location")
            .arg(name)
            .within(&folder)
            .ok();
        assert_eq!(digest(folder.path().join("again.png")), first, "{name}");
        // The place is no other text beside.
        let told = submitter("info --json").arg(name).within(&folder).ok();
        assert_eq!(told.json()["texts"], serde_json::json!({}), "{name}");
        assert_eq!(told.json()["location"]["format"], "own", "{name}");
        // From a pipe, too.
        let piped = format!(
            "cat {name} | {} info /dev/stdin",
            farm_tests::programs::path_of("submitter").display()
        );
        let piped = Run::any("sh").args(["-c", &piped]).within(&folder).run();
        assert!(piped.stdout.contains("-0.7436"), "{name}: {piped:?}");
    }
}

/// Kalles Fraktaler keeps a place as a JPEG's comment.
#[test]
fn comments_of_a_jpeg_say_where_it_was_made() {
    let folder = folder();
    submitter(VIEW).args(["-o", "a.png"]).within(&folder).ok();
    let plain = Run::any("ffmpeg")
        .args([
            "-v",
            "error",
            "-i",
            "a.png",
            "-map_metadata",
            "-1",
            "plain.jpg",
        ])
        .within(folder.path())
        .run();
    assert_eq!(plain.code, Some(0), "{plain:?}");
    let plain = std::fs::read(folder.path().join("plain.jpg")).unwrap();
    let silent = submitter("info plain.jpg").within(&folder).ok();
    assert!(!silent.stdout.contains("location"), "{silent:?}");
    let place = "Re: -0.7436\r\nIm: -0.1318\r\nZoom: 300\r\nIterations: 700\r\n";
    std::fs::write(folder.path().join("place.kfr"), place).unwrap();
    let length = (place.len() as u16 + 2).to_be_bytes();
    // Behind its beginning, and behind two bytes that fill.
    let (begin, rest) = plain.split_at(2);
    let comment = [&[0xff, 0xff, 0xff, 0xfe][..], &length, place.as_bytes()].concat();
    std::fs::write(
        folder.path().join("kf.jpg"),
        [begin, &comment, rest].concat(),
    )
    .unwrap();
    let info = submitter("info kf.jpg").within(&folder).ok();
    for said in [
        "JPEG picture",
        "96 x 64 pixels",
        "as Kalles Fraktaler has it",
        "-0.7436",
        "700",
    ] {
        assert!(info.stdout.contains(said), "{said}: {info:?}");
    }
    for name in ["kf.jpg", "place.kfr"] {
        submitter("render -q --backend cpu --size 96x64 -o again.png --location")
            .arg(name)
            .within(&folder)
            .ok();
        std::fs::rename(
            folder.path().join("again.png"),
            folder.path().join(format!("{name}.png")),
        )
        .unwrap();
    }
    let [of_jpeg, of_kfr] =
        ["kf.jpg.png", "place.kfr.png"].map(|name| digest(folder.path().join(name)));
    assert_eq!(of_jpeg, of_kfr);
}

#[test]
fn avif_is_the_same_by_any_number_of_threads() {
    let folder = folder();
    for threads in ["1", "2"] {
        submitter("render -q --backend cpu --re -0.7436 --im 0.1318 --zoom 300 --size 1024x1024")
            .args(["--threads", threads, "-o", &format!("{threads}.avif")])
            .within(&folder)
            .ok();
    }
    let [one, two] = ["1.avif", "2.avif"].map(|name| digest(folder.path().join(name)));
    assert_eq!(one, two);
}

#[test]
fn data_are_painted_to_all_of_them() {
    let folder = folder();
    submitter(VIEW)
        .args("-o a.exr -o a.tiff".split(' '))
        .within(&folder)
        .ok();
    submitter("colour -q a.exr -o b.tiff").within(&folder).ok();
    let [a, b] = ["a.tiff", "b.tiff"].map(|name| unpacked(folder.path(), name, "rgb24"));
    assert!(a == b);
    submitter("colour -q a.exr -o b.webp --palette magma")
        .within(&folder)
        .ok();
    assert!(unpacked(folder.path(), "b.webp", "rgb24") != a);
}

#[test]
fn one_that_is_too_large_is_refused_before_any_work() {
    let folder = folder();
    for (size, name, limit) in [
        ("16385x16", "a.webp", "at most 16384 a side"),
        ("65536x16", "a.jpg", "at most 65535 a side"),
        ("20000x20000", "a.tiff", "268435456 in all"),
        ("10000x10000", "a.avif", "67108864 in all"),
    ] {
        let refused = submitter("render -q --re 0 --im 0 --zoom 1")
            .args(["--size", size, "-o", name])
            .within(&folder)
            .run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.stderr.contains(name) && refused.stderr.contains(limit),
            "{refused:?}"
        );
    }
    assert!(farm_tests::names_in(folder.path()).is_empty());
}

#[test]
fn broken_pictures_are_one_line() {
    let folder = folder();
    submitter(VIEW)
        .args("-o a.jpg -o a.webp -o a.tiff".split(' '))
        .within(&folder)
        .ok();
    for name in ["a.jpg", "a.webp", "a.tiff"] {
        let whole = std::fs::read(folder.path().join(name)).unwrap();
        for length in [12, 20, 60, 200, whole.len() / 2] {
            std::fs::write(folder.path().join("cut"), &whole[..length]).unwrap();
            for command in ["info cut", "render -q -o x.png --location cut"] {
                let done = submitter(command).within(&folder).run();
                let lines = done.stderr.lines().count();
                assert!(
                    lines <= 1 && done.code != Some(101),
                    "{name} to {length}, {command}: {done:?}"
                );
            }
        }
    }
}
