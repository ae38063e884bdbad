//! Files of other programs as they come: pictures with texts in any of their places, old encodings, pipes.

use std::path::Path;
use std::process::Command;

use exr::meta::attribute::{AttributeValue, Text};
use exr::prelude::{Image, SpecificChannels, WritableImage};
use farm_tests::programs::{Run, path_of};
use farm_tests::{digest, folder, submitter};
use serde_json::Value;

const KFR: &str = "Re: -0.75\r\nIm: -0.1\r\nZoom: 1.00E1\r\nIterations: 77\r\nColors: 0,0,0,255,255,255,\r\nIterDiv: 0.5\r\n";
const FRAKTALER_3: &str = "program = \"fraktaler-3\"\nlocation.real = \"-0.75\"\nlocation.imag = \"0.1\"\nlocation.zoom = \"10\"\n";

/// A picture of one pixel, with chunks before its pixels and behind them.
fn png(before: &[(&[u8; 4], Vec<u8>)], behind: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = png::Encoder::new(&mut out, 1, 1)
        .write_header()
        .expect("a header");
    let chunk = |(kind, data): &(&[u8; 4], Vec<u8>), writer: &mut png::Writer<&mut Vec<u8>>| {
        writer
            .write_chunk(png::chunk::ChunkType(**kind), data)
            .expect("a chunk");
    };
    before.iter().for_each(|one| chunk(one, &mut writer));
    writer.write_image_data(&[7]).expect("a pixel");
    behind.iter().for_each(|one| chunk(one, &mut writer));
    writer.finish().expect("an end");
    out
}

fn text(keyword: &str, text: &str) -> (&'static [u8; 4], Vec<u8>) {
    (
        b"tEXt",
        [keyword.as_bytes(), b"\0", text.as_bytes()].concat(),
    )
}

/// An EXR of one pixel with a text of that name.
fn exr(path: &Path, name: &str, text: &str) {
    let channels = SpecificChannels::rgb(|_| (0.5f32, 0.5, 0.5));
    let mut image = Image::from_channels((1, 1), channels);
    let name = Text::new_or_none(name).expect("a name");
    let text = AttributeValue::Text(Text::new_or_none(text).expect("a text"));
    image.attributes.other.insert(name, text);
    image.write().to_file(path).expect("a file");
}

fn place(folder: &Path, file: &str) -> Value {
    let line = format!("info --json {file}");
    submitter(&line).within(folder).ok().json()["location"].clone()
}

/// What is said of the place alone.
fn digits(place: &Value) -> [&Value; 4] {
    ["re", "im", "zoom", "iterations"].map(|key| &place[key])
}

#[test]
fn pictures_of_other_programs_say_where_they_are() {
    let folder = folder();
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file");
    write("a.kfr", KFR.as_bytes());
    write("a.f3.toml", FRAKTALER_3.as_bytes());
    let title = || text("Title", "a title");
    write("kf.png", &png(&[title(), text("Comment", KFR)], &[]));
    write("kf-behind.png", &png(&[title()], &[text("Comment", KFR)]));
    write("f3.png", &png(&[], &[text("Comment", FRAKTALER_3)]));
    exr(&folder.path().join("kf.exr"), "KallesFraktaler2+", KFR);
    exr(&folder.path().join("f3.exr"), "Fraktaler3", FRAKTALER_3);
    for (file, as_in, format) in [
        ("kf.png", "a.kfr", "kfr"),
        ("kf-behind.png", "a.kfr", "kfr"),
        ("kf.exr", "a.kfr", "kfr"),
        ("f3.png", "a.f3.toml", "fraktaler3"),
        ("f3.exr", "a.f3.toml", "fraktaler3"),
    ] {
        let (seen, plain) = (place(folder.path(), file), place(folder.path(), as_in));
        assert_eq!(seen["format"], format, "{file}: {seen}");
        assert_eq!(seen, plain, "{file}");
        assert_eq!(seen["im"], "0.1", "their axis, and ours: {file}");
        let line = format!(
            "render -q --backend cpu --size 24x16 --measure iterations --location {file} -o x.npy"
        );
        submitter(&line).within(&folder).ok();
        let counts = digest(folder.path().join("x.npy"));
        let line = line.replace(file, as_in);
        submitter(&line).within(&folder).ok();
        assert_eq!(digest(folder.path().join("x.npy")), counts, "{file}");
    }
    // Control: without the text it is a picture like any other.
    write("none.png", &png(&[title()], &[title()]));
    assert!(place(folder.path(), "none.png").is_null());
}

/// What ImageMagick does to a picture: texts go behind the pixels, and what is international is left out.
#[test]
fn our_pictures_are_places_after_they_went_through_other_programs() {
    let folder = folder();
    let line = "render -q --backend cpu --re -0.75 --im 0.1 --zoom 10 --size 40x30 --palette magma -o a.png";
    submitter(line).within(&folder).ok();
    let bytes = std::fs::read(folder.path().join("a.png")).expect("a file");
    let (mut kept, mut texts, mut at) = (bytes[..8].to_vec(), Vec::new(), 8);
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
        let chunk = &bytes[at..at + 12 + length as usize];
        at += chunk.len();
        match &chunk[4..8] {
            b"tEXt" | b"zTXt" => texts.extend_from_slice(chunk),
            b"iTXt" => {}
            b"IEND" => kept.extend([&texts, chunk].concat()),
            _ => kept.extend_from_slice(chunk),
        }
    }
    assert!(texts.windows(14).any(|word| word == b"zTXtMandelfarm"));
    std::fs::write(folder.path().join("b.png"), kept).expect("a file");
    assert_eq!(place(folder.path(), "b.png"), place(folder.path(), "a.png"));
    submitter("render -q --backend cpu --location b.png -o again.png")
        .within(&folder)
        .ok();
    let made = |name: &str| digest(folder.path().join(name));
    assert_eq!(made("again.png"), made("a.png"));
}

#[test]
fn old_encodings_are_read_where_names_alone_are_in_them() {
    let folder = folder();
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file");
    let path = b"TextureFile: C:\\Gr\xfcn\\caf\xe9.png\r\n";
    write("plain.kfr", KFR.as_bytes());
    write("ansi.kfr", &[KFR.as_bytes(), path].concat());
    write("ansi", &[path, KFR.as_bytes()].concat());
    let utf16: Vec<u8> = "\u{feff}re = 0.25\nim = 0\nzoom = 4\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    write("utf16.toml", &utf16);
    let plain = place(folder.path(), "plain.kfr");
    for file in ["ansi.kfr", "ansi"] {
        assert_eq!(place(folder.path(), file), plain, "{file}");
    }
    assert_eq!(place(folder.path(), "utf16.toml")["re"], "0.25");
    write(
        "ansi.toml",
        b"re = \"0\"\n# caf\xe9\nim = \"0\"\nzoom = \"1\"\n",
    );
    let refused = submitter("render --location ansi.toml -q -o x.png")
        .within(&folder)
        .run();
    assert_eq!(refused.words().len(), 1, "{refused:?}");
    assert!(
        refused.stderr.contains("ansi.toml") && refused.stderr.contains("line 2"),
        "{refused:?}"
    );
}

#[test]
fn places_and_data_come_through_pipes() {
    let folder = folder();
    std::fs::write(folder.path().join("a.kfr"), KFR).expect("a file");
    submitter("render -q --backend cpu --location a.kfr --size 40x30 -o a.png -o a.exr -o a.npy")
        .within(&folder)
        .ok();
    let plain = place(folder.path(), "a.kfr");
    let shell = |line: &str| {
        let program = path_of("submitter");
        let line = line.replace("submitter", &program.to_string_lossy());
        Run::any("bash").args(["-c", &line]).within(&folder)
    };
    for file in ["a.kfr", "a.png", "a.exr"] {
        let said = shell(&format!("submitter info --json <(cat {file})"))
            .ok()
            .json();
        assert_eq!(digits(&said["location"]), digits(&plain), "{file}: {said}");
        let line = format!(
            "submitter render -q --backend cpu --location <(cat {file}) --size 40x30 --no-journal -o b.npy"
        );
        shell(&line).ok();
        let made = |name: &str| digest(folder.path().join(name));
        assert_eq!(made("b.npy"), made("a.npy"), "{file}");
    }
    // Data are read more than once.
    let fifo = Command::new("mkfifo")
        .arg(folder.path().join("data.npy"))
        .status();
    assert!(fifo.expect("mkfifo").success());
    for (file, line) in [
        ("a.exr", "submitter colour a.exr -q -o c.png"),
        ("a.exr", "submitter colour <(cat a.exr) -q -o d.png"),
        ("a.npy", "submitter colour a.npy -q -o e.png"),
        (
            "a.npy",
            "cat a.npy > data.npy & submitter colour data.npy -q -o f.png",
        ),
    ] {
        let done = shell(line).ok();
        assert_eq!(done.words(), [""; 0], "{file}: {line}: {done:?}");
    }
    let made = |name: &str| digest(folder.path().join(name));
    assert_eq!(
        made("d.png"),
        made("c.png"),
        "its place and colours included"
    );
    assert_eq!(made("f.png"), made("e.png"));
    // What breaks off, is something else, or never ends.
    for (line, says) in [
        (
            "submitter colour <(head -c 100 a.npy) -o x.png",
            "is no array of numpy's: it is too short",
        ),
        (
            "submitter colour <(cat a.png) -o x.png",
            "give data as .exr or .npy",
        ),
        (
            "submitter colour /dev/zero -o x.png",
            "give data as .exr or .npy",
        ),
        (
            "submitter render --location <(cat /dev/zero) -o x.png",
            "more than 1048576 bytes",
        ),
        (
            "submitter render --location <(head -c 8 a.png; cat /dev/zero) -o x.png",
            "a PNG without a header",
        ),
    ] {
        let refused = shell(line).run();
        assert_eq!(refused.words().len(), 1, "{line}: {refused:?}");
        assert!(refused.stderr.contains(says), "{line}: {refused:?}");
    }
}
