//! The rules of the house hold, and each can fail.

use std::collections::BTreeMap;

use farm_tests::house::{
    ARROWS, Breach, CONFINED, IGNORANCE, MOST_FILES, MOST_LINES, Source, circles, confined,
    dependencies, files, folders, layering, manifests, outside, sources, systems_mathematics,
    unguarded,
};

fn planted(path: &str, text: &str) -> Vec<Source> {
    planted_all(&[(path, text)])
}

fn planted_all(files: &[(&str, &str)]) -> Vec<Source> {
    let source = |(path, text): &(&str, &str)| Source {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    files.iter().map(source).collect()
}

#[track_caller]
fn assert_kept(breaches: &[Breach]) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn names_keep_to_their_places() {
    let sources = sources();
    for rule in &CONFINED {
        assert_kept(&confined(rule, &sources));
        // It is used where it belongs, so the rule looks at the right thing.
        let at_home: Vec<Source> = sources
            .iter()
            .filter(|source| {
                rule.allowed
                    .iter()
                    .any(|place| source.path.starts_with(place))
            })
            .map(|source| Source {
                path: format!("elsewhere/{}", source.path),
                text: source.text.clone(),
            })
            .collect();
        assert!(
            !confined(rule, &at_home).is_empty(),
            "{}: not even used at home",
            rule.what
        );
    }
}

#[test]
fn control_names_out_of_place_are_seen() {
    for (rule, line) in [
        (0, "use wgpu::Device;"),
        (0, "let x: wgpu::Queue;"),
        (1, "use redis::Client;"),
        (1, "let c = ::redis::Client::open(url)?;"),
        (2, "let e = png::Encoder::new(out, 1, 1);"),
        (3, "use exr::prelude::*;"),
        (4, "let home = std::env::var(\"HOME\");"),
        (4, "let home = env::var_os(\"HOME\");"),
        (4, "#[arg(long, env = \"FARM_X\")]"),
        (5, "let location: Location = toml::from_str(&text)?;"),
        (8, "use saphyr_parser::Parser;"),
        (9, "let text = std::fs::read_to_string(path)?;"),
        (10, "use clap::Parser;"),
        (11, "use indicatif::ProgressBar;"),
        (12, "std::io::stdout().write_all(bytes)?;"),
        (13, "use image::ImageReader;"),
        (6, "    unsafe { core::hint::unreachable_unchecked() }"),
    ] {
        let planted = planted(
            "submitter/src/colour.rs",
            &format!("//! Colours.\n{line}\n"),
        );
        assert_eq!(confined(&CONFINED[rule], &planted).len(), 1, "{line}");
    }
    for (rule, line) in [
        (0, "// what wgpu does with it"),
        (1, "use farm_queue::redis::RedisJobQueue;"),
        (2, "OutputKind::Png => png::write::encode(out)?,"),
        (4, "let path = concat!(env!(\"CARGO_MANIFEST_DIR\"));"),
        (5, "let file = Path::new(\"x.toml\");"),
        (6, "#![forbid(unsafe_code)]"),
    ] {
        let planted = planted("submitter/src/colour.rs", line);
        assert_kept(&confined(&CONFINED[rule], &planted));
    }
}

#[test]
fn arrows_point_down() {
    let manifests = manifests(&sources());
    assert!(
        manifests["submitter"].contains(&"farm-worker".to_owned()),
        "the tables were read"
    );
    assert_kept(&layering(&manifests));
}

#[test]
fn control_arrows_that_point_up_are_seen() {
    let lawful = || -> BTreeMap<String, Vec<String>> {
        ARROWS
            .iter()
            .map(|(folder, below)| {
                (
                    (*folder).to_owned(),
                    below.iter().map(|name| (*name).to_owned()).collect(),
                )
            })
            .collect()
    };
    assert_kept(&layering(&lawful()));
    for (folder, dependency) in [
        ("crates/farm-queue", "engine"),
        ("crates/fractal", "shaders"),
        ("shaders", "engine"),
        ("crates/engine", "farm-queue"),
        ("farm-worker", "submitter"),
        ("farm-worker", "colorgrad"),
        ("crates/farm-queue", "png"),
        ("crates/fractal", "tokio"),
        ("submitter", "redis"),
        ("crates/colour", "pictures"),
        ("crates/render", "zoom"),
        ("crates/render", "clap"),
        ("crates/world", "render"),
        ("crates/disk", "fractal"),
        ("crates/requests", "indicatif"),
    ] {
        let mut manifests = lawful();
        manifests
            .entry(folder.to_owned())
            .or_default()
            .push(dependency.to_owned());
        assert_eq!(layering(&manifests).len(), 1, "{folder} -> {dependency}");
    }
    let mut without = lawful();
    without.remove("shaders");
    assert_eq!(layering(&without).len(), 1, "a crate that went away");
    let mut more = lawful();
    more.insert("crates/attic".to_owned(), vec![]);
    assert_eq!(layering(&more).len(), 1, "a crate that nobody placed");
}

#[test]
fn layers_are_listed_from_the_bottom_up() {
    let name = |folder: &'static str| folder.rsplit('/').next().unwrap_or(folder);
    let mut below: Vec<&str> = Vec::new();
    for (folder, allowed) in ARROWS {
        let up = allowed.iter().find(|other| !below.contains(other));
        assert_eq!(up, None, "{folder} stands below it");
        below.push(name(folder));
    }
    let folders = ARROWS.map(|(folder, _)| folder);
    assert_eq!(folders, IGNORANCE.map(|(folder, _)| folder));
}

#[test]
fn dependency_tables_are_read() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\n# why\na.workspace = true\nb = \"1\"\n\"c\" = { path = \"c\" }\n\
                    [dependencies.d]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\"\n[dev-dependencies]\nf = \"1\"\n[lints]\ng = 1\n";
    let names = dependencies(manifest);
    assert!(
        ["a", "b", "c", "d", "e"]
            .iter()
            .all(|name| names.contains(&(*name).to_owned())),
        "{names:?}"
    );
    assert!(
        ["f", "g", "name"]
            .iter()
            .all(|name| !names.contains(&(*name).to_owned())),
        "{names:?}"
    );
}

#[test]
fn files_lie_where_they_belong_and_are_not_long() {
    let sources = sources();
    assert!(
        sources.iter().any(|source| source.path.ends_with(".wgsl")),
        "there are shaders"
    );
    assert_kept(&files(&sources, &[]));
}

#[test]
fn control_files_out_of_place_are_seen() {
    for (path, text) in [
        ("crates/engine/src/gpu/kernel.wgsl", String::new()),
        (
            "farm-worker/src/long.rs",
            format!("//! Long.\n{}", "\n".repeat(MOST_LINES)),
        ),
        ("submitter/src/mute.rs", "use std::io;\n".to_owned()),
    ] {
        let planted = planted(path, &text);
        assert_eq!(files(&planted, &[]).len(), 1, "{path}");
    }
    assert_kept(&files(&planted("shaders/wgsl/kernel.wgsl", ""), &[]));
}

#[test]
fn folders_hold_few_files() {
    assert_kept(&folders(&sources(), &[]));
}

#[test]
fn control_a_folder_of_many_files_is_seen() {
    let names: Vec<String> = (0..=MOST_FILES)
        .map(|number| format!("tests/tests/farm/case_{number}.rs"))
        .collect();
    let mut planted: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(folders(&planted_all(&planted), &[]).len(), 1);
    assert_kept(&folders(&planted_all(&planted), &["tests/"]));
    planted[0].0 = "tests/tests/farm/apart/case.rs";
    planted.push(("tests/tests/farm/notes.txt", ""));
    assert_kept(&folders(&planted_all(&planted), &[]));
}

#[test]
fn files_close_no_circles() {
    assert_kept(&circles(&sources(), &[]));
}

#[test]
fn control_circles_of_files_are_seen() {
    let circle = |files: &[(&str, &str)], what: &str, size: usize| {
        let found = circles(&planted_all(files), &[]);
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        let begin = format!("a circle of {size} files:");
        assert!(found[0].starts_with(&begin), "{what}: {found:?}");
    };
    circle(
        &[
            ("x/src/lib.rs", "mod a; mod b;"),
            ("x/src/a.rs", "use crate::b::{Two}; pub struct One(Two);"),
            ("x/src/b.rs", "pub struct Two; fn f() -> crate::a::One {}"),
        ],
        "two files",
        2,
    );
    circle(
        &[
            ("x/src/main.rs", "mod a; mod b; mod c;"),
            ("x/src/a.rs", "use crate::b; fn one() { b::two() }"),
            ("x/src/b.rs", "pub use crate::c::*; pub fn two() {}"),
            ("x/src/c.rs", "pub fn three() { crate::a::one() }"),
        ],
        "three files",
        3,
    );
    circle(
        &[
            ("x/src/lib.rs", "mod a;"),
            ("x/src/a/mod.rs", "mod b; mod c;"),
            ("x/src/a/b.rs", "use super::c::Three; pub struct Two;"),
            ("x/src/a/c.rs", "pub enum Three {} type T = super::b::Two;"),
        ],
        "through `super::`",
        2,
    );
    circle(
        &[
            ("x/src/lib.rs", "mod a;"),
            ("x/src/a/mod.rs", "mod b; pub const MOST: usize = 1;"),
            ("x/src/a/b.rs", "fn f() -> usize { super::MOST }"),
        ],
        "through what a parent defines",
        2,
    );
    circle(
        &[
            ("x/tests/all/main.rs", "mod a; pub fn start() {}"),
            ("x/tests/all/a.rs", "use crate::start;"),
        ],
        "through the root of a test",
        2,
    );
}

#[test]
fn control_files_that_point_down_close_no_circle() {
    let planted = planted_all(&[
        ("x/src/lib.rs", "pub mod a; pub use a::Two;"),
        ("x/src/a/mod.rs", "mod b; mod c; pub use b::{Two, make};"),
        (
            "x/src/a/b.rs",
            "pub struct Two; pub fn make() {} #[cfg(test)] mod tests { use crate::a::c::three; }",
        ),
        // By what the parents pass on; by words alone; and by another crate's name.
        (
            "x/src/a/c.rs",
            "use super::make; use crate::Two; fn three() { y::a::f(\"crate::a::d()\") } // super::a",
        ),
    ]);
    assert_kept(&circles(&planted, &[]));
}

#[test]
fn nothing_relies_on_places_outside() {
    assert_kept(&outside(&sources()));
}

#[test]
fn control_places_outside_are_seen() {
    let text = concat!("let path = \"..", "/shared/oracle/x.json\";\n");
    assert_eq!(outside(&planted("tests/tests/x.rs", text)).len(), 1);
}

#[test]
fn pictures_are_made_without_the_systems_mathematics() {
    assert_kept(&systems_mathematics(&sources()));
    let log2 = planted(
        "crates/colour/src/paint/mapping.rs",
        "let x = (1.0 + above).log2();",
    );
    assert_eq!(systems_mathematics(&log2).len(), 1, "control");
    let libm = planted(
        "crates/colour/src/paint/mapping.rs",
        "let x = libm::log2(1.0 + above);",
    );
    assert_kept(&systems_mathematics(&libm));
}

#[test]
fn unsafe_code_is_forbidden_outside_the_engine() {
    assert_kept(&unguarded(&sources()));
    assert_eq!(
        unguarded(&planted("submitter/src/main.rs", "//! Main.\n")).len(),
        1,
        "control"
    );
}
