//! Batches of jobs of every kind.

use farm_tests::pictures::Png;
use farm_tests::world::World;
use farm_tests::{digest, folder, names_in, submitter};
use tempfile::TempDir;

/// A minibrot is found, dived to, and dived to again in other colours; a picture is painted anew. Two jobs fail when they are
/// begun, not before: one has no folder to write to, the other an encoder that cannot be told so.
const ALL_KINDS: &str = r#"
[defaults]
backend = "cpu"
fps = 5

[[job]]
command = "locate"
re = "-1.7549"
im = "0"
zoom = "500"
output = "mini.toml"

[[job]]
name = "nowhere"
command = "locate"
re = "-1.7549"
im = "0"
zoom = "500"
output = "missing/mini.toml"

[[job]]
name = "dive"
command = "zoom"
location = "mini.toml"
to = "64"
size = "64x36"
keep = "keys"
output = "dive/%02d.png"

[[job]]
name = "encoder"
command = "zoom"
location = "mini.toml"
to = "64"
size = "64x36"
encoder-option = "preset=none"
output = "never.mp4"

[[job]]
command = "zoom"
reuse = "keys"
palette = "ice"
reverse = true
output = "out.mkv"

[[job]]
location = "mini.toml"
zoom = "64"
size = "64x36"
output = ["mini.exr", "mini.png"]

[[job]]
command = "colour"
data = "mini.exr"
palette = "ice"
output = "ice.png"
"#;

#[test]
fn jobs_of_every_kind_follow_each_other_and_go_on_when_one_fails() {
    let folder = folder();
    let place = folder.path();
    std::fs::write(place.join("jobs.toml"), ALL_KINDS).expect("a file of the test");
    let all = submitter("batch jobs.toml -q --json").within(&folder).run();
    assert_eq!(all.code, Some(1), "{all:?}");
    let said = all.json();
    let states: Vec<&str> = (said["jobs"].as_array().expect("jobs").iter())
        .map(|job| job["state"].as_str().expect("a state"))
        .collect();
    let expected = ["done", "failed", "done", "failed", "done", "done", "done"];
    assert_eq!(states, expected, "{said}");
    let last = all.stderr.lines().last().unwrap_or_default();
    assert!(
        last.contains("2 of 7 jobs failed: nowhere, encoder"),
        "{all:?}"
    );
    assert!(
        said["jobs"][3]["error"]
            .as_str()
            .is_some_and(|error| error.contains("ffmpeg failed")),
        "{said}"
    );
    // Sequences say how they went, as pictures do; the second one computed nothing.
    let dive = &said["jobs"][2]["report"];
    assert_eq!(dive["frames"], 30, "{said}");
    assert_eq!(dive["key_frames_made"], dive["key_frames"]);
    assert_eq!(said["jobs"][4]["report"]["key_frames_made"], 0, "{said}");
    assert_eq!(said["jobs"][5]["report"]["width"], 64);
    let written = [
        "dive",
        "ice.png",
        "keys",
        "mini.exr",
        "mini.png",
        "mini.toml",
        "out.mkv",
    ];
    for name in written {
        assert!(place.join(name).exists(), "{name}: {:?}", names_in(place));
    }
    assert!(!place.join("never.mp4").exists() && !place.join("missing").exists());
    assert_eq!(names_in(&place.join("dive")).len(), 30);
    // As the same options on the command line make it.
    submitter("colour mini.exr --palette ice -q -o b.png")
        .within(&folder)
        .ok();
    assert_eq!(digest(place.join("b.png")), digest(place.join("ice.png")));
    let [plain, ice] = ["mini.png", "ice.png"].map(|name| Png::read(place.join(name)));
    assert_ne!(plain.pixels, ice.pixels, "control");
}

/// Checks that a batch with a mistake, `to` in place of `from` in the text of a good one, is refused in one line that says so
/// and names the file, and that nothing is written.
pub(super) fn is_refused(folder: &TempDir, good: &str, (from, to): (&str, &str), says: &str) {
    let wrong = good.replace(from, to);
    assert_ne!(wrong, good);
    std::fs::write(folder.path().join("jobs.toml"), wrong).expect("a file of the test");
    let refused = submitter("batch jobs.toml").within(folder).run();
    assert_eq!(
        (refused.code, refused.words().len()),
        (Some(2), 1),
        "{refused:?}"
    );
    assert!(
        refused.stderr.contains("jobs.toml") && refused.stderr.contains(says),
        "{refused:?}"
    );
    assert_eq!(names_in(folder.path()), ["jobs.toml"]);
}

#[test]
fn mistakes_of_sequences_are_found_before_anything_is_computed() {
    let folder = folder();
    // Without what waits for another job: that can be checked no sooner.
    let text = ALL_KINDS.replace("location = \"mini.toml\"", "re = \"-1.7549\"\nim = \"0\"");
    for (from, to, says) in [
        ("size = \"64x36\"", "size = \"0x36\"", "0 x 36"),
        ("dive/%02d.png", "dive.gif", "dive.gif: write to"),
        (
            "reuse = \"keys\"",
            "reuse = \"kees\"",
            "kees: holds no key frames",
        ),
        ("reverse = true", "revers = true", "there is reverse"),
    ] {
        is_refused(&folder, &text, (from, to), says);
    }
}

#[test]
fn mistakes_of_minibrots_and_of_what_is_painted_are_found_before_anything_is_computed() {
    let folder = folder();
    for (from, to, says) in [
        (
            "output = \"mini.toml\"",
            "output = \"mini.toml\"\nupright = true\nrotate = 5",
            "--upright does not go with --rotate",
        ),
        (
            "output = \"mini.toml\"",
            "output = \"mini.toml\"\nlocation = \"place.toml\"",
            "--location does not go with --re",
        ),
        ("re = \"-1.7549\"\nim = \"0\"\n", "", "no place given: --re"),
        ("zoom = \"500\"\n", "", "--re needs --zoom"),
        (
            "output = \"mini.toml\"",
            "output = \"mini.toml\"\nxmin = 5",
            "'xmin' is no option of locate",
        ),
        (
            "data = \"mini.exr\"",
            "data = \"mini.exr\"\nperiod = 5\ncycles = 2",
            "--period does not go with --cycles",
        ),
        (
            "data = \"mini.exr\"\npalette = \"ice\"",
            "data = \"mini.exr\"\npalette = \"icee\"",
            "--palette icee",
        ),
        ("ice.png", "ice.npy", "ice.npy: a picture is written to"),
        // Also of jobs that wait for another one's file.
        (
            "reverse = true",
            "reverse = true\nseconds-per-octave = 1\nduration = 5",
            "--seconds-per-octave does not go with --duration",
        ),
        (
            "zoom = \"64\"",
            "zoom = \"64\"\nworkers = 0",
            "--workers: not in 1..=1024",
        ),
    ] {
        is_refused(&folder, ALL_KINDS, (from, to), says);
    }
}

#[test]
fn files_that_are_one_by_a_link_are_written_by_one_job() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("sub")).expect("a folder");
    std::fs::write(at("there.png"), "x").expect("a file");
    std::fs::hard_link(at("there.png"), at("hard.png")).expect("a link");
    std::os::unix::fs::symlink("not-yet.png", at("soft.png")).expect("a link");
    std::os::unix::fs::symlink("sub", at("also-sub")).expect("a link");
    let before = names_in(folder.path());
    for (one, other) in [
        ("there.png", "hard.png"),
        ("soft.png", "not-yet.png"),
        ("sub/a.png", "also-sub/a.png"),
        ("sub/../b.png", "b.png"),
    ] {
        let line = format!("render --density 8 -o {one} -o {other}");
        let refused = submitter(&line).within(&folder).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("given twice"), "{refused:?}");
        let jobs = format!(
            "[defaults]\ndensity = 8\n[[job]]\noutput = \"{one}\"\n[[job]]\noutput = \"{other}\"\n"
        );
        let file = at("sub").join("jobs.toml");
        std::fs::write(&file, jobs).expect("a file of the test");
        let refused = submitter("batch").arg(&file).within(&folder).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("writes "), "{refused:?}");
    }
    assert_eq!(names_in(folder.path()), before);
    // What a link leads to is written, also where it is not there yet.
    submitter("render -q --density 8 -o soft.png")
        .within(&folder)
        .ok();
    assert!(at("not-yet.png").is_file() && at("soft.png").is_symlink());
}

#[test]
fn numbered_pictures_that_are_all_there_are_skipped() {
    let folder = folder();
    let jobs = "[[job]]\ncommand = \"zoom\"\nbackend = \"cpu\"\nre = \"-0.75\"\nim = \"0.1\"\nto = \"4\"\nsize = \"32x18\"\n\
                fps = 4\nseconds-per-octave = 1\noutput = \"%02d.png\"\n";
    std::fs::write(folder.path().join("jobs.toml"), jobs).expect("a file of the test");
    let state = || {
        let ran = submitter("batch jobs.toml -q --json --skip-existing")
            .within(&folder)
            .ok();
        ran.json()["jobs"][0]["state"].as_str().map(str::to_owned)
    };
    assert_eq!(state().as_deref(), Some("done"));
    let pictures = names_in(folder.path()).len() - 1;
    assert!(pictures > 4, "{pictures}");
    assert_eq!(state().as_deref(), Some("skipped"));
    let last = folder.path().join(format!("{:02}.png", pictures - 1));
    std::fs::remove_file(last).expect("the last picture");
    assert_eq!(state().as_deref(), Some("done"), "one is missing");
}

const BATCH: &str = r#"
[defaults]
backend = "cpu"
arithmetic = "auto"
size = "48x32"
iterations = 300

[[job]]
name = "first"
re = -0.75
im = "0.1"
zoom = 20
output = ["a.png", "a.npy"]

[[job]]
name = "nowhere"
re = "0"
im = "0"
zoom = "1"
output = "missing/x.png"

[[job]]
re = "-1.75"
im = "0"
zoom = "30"
palette = "viridis"
output = "c.png"
"#;

#[test]
fn a_batch_goes_on_when_one_fails() {
    let folder = folder();
    let file = folder.path().join("jobs.toml");
    std::fs::write(&file, BATCH).unwrap();
    let all = submitter("batch jobs.toml -q --json").within(&folder).run();
    assert_eq!(all.code, Some(1), "{all:?}");
    let said = all.json();
    let states: Vec<&str> = (said["jobs"].as_array().unwrap().iter())
        .map(|job| job["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["done", "failed", "done"], "{said}");
    assert_eq!(said["jobs"][0]["report"]["width"], 48);
    assert!(
        said["jobs"][1]["error"]
            .as_str()
            .unwrap()
            .contains("missing/x.png")
    );
    assert!(
        all.stderr.contains("1 of 3 jobs failed: nowhere"),
        "{all:?}"
    );
    // As the same options on the command line make it.
    submitter("render --backend cpu --size 48x32 --iterations 300 --re -0.75 --im 0.1 --zoom 20 -q -o b.npy")
        .within(&folder)
        .ok();
    assert_eq!(
        digest(folder.path().join("a.npy")),
        digest(folder.path().join("b.npy"))
    );
    // What is there is left out where that is asked for.
    std::fs::create_dir(folder.path().join("missing")).unwrap();
    let again = submitter("batch jobs.toml -q --skip-existing")
        .within(&folder)
        .ok();
    let rows: Vec<Vec<&str>> = again
        .stdout
        .lines()
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0][..2], ["JOB", "STATE"]);
    assert_eq!((rows[1][1], rows[2][1]), ("skipped", "done"), "{again:?}");
}

#[test]
fn mistakes_in_a_batch_are_found_before_anything_is_computed() {
    let folder = folder();
    let file = folder.path().join("jobs.toml");
    for (from, to, says) in [
        (
            "palette =",
            "pallete =",
            "'pallete' is no option of render; there is palette",
        ),
        (
            "zoom = \"30\"",
            "zoom = \"0\"",
            "zoom 0 is not greater than 0",
        ),
        ("\"c.png\"", "\"a.png\"", "a.png, as first does"),
        ("viridis", "virdis", "virdis"),
        (
            "size = \"48x32\"",
            "size = \"48\"",
            "a size is like 1920x1080",
        ),
        ("\"c.png\"", "\"c.gif\"", "c.gif"),
        (
            "size =",
            "workers = 0\nsize =",
            "--workers: not in 1..=1024",
        ),
        (
            "size =",
            "workers = 1025\nsize =",
            "--workers: not in 1..=1024",
        ),
        ("size =", "threads = 0\nsize =", "threads: not in 1..=1024"),
        (
            "size =",
            "threads = 1025\nsize =",
            "threads: not in 1..=1024",
        ),
    ] {
        is_refused(&folder, BATCH, (from, to), says);
    }
    // What would be done is shown, and not done.
    std::fs::write(&file, BATCH).unwrap();
    let shown = submitter("batch jobs.toml --dry-run").within(&folder).ok();
    assert!(
        shown.stdout.contains("--zoom=20") && shown.stdout.contains("48 x 32 pixels"),
        "{shown:?}"
    );
    assert_eq!(names_in(folder.path()), ["jobs.toml"]);
}

#[test]
fn a_batch_writes_down_what_runs_where_the_environment_says() {
    let world = World::of("targets: {x: {scheme: local, ncores: 1}}\nfarm: {backend: cpu}\n");
    let place = folder();
    let file = world.folder().join("test.penvm");
    let jobs = format!(
        "[[job]]\nworld = '{}'\nfallback = \"never\"\nbackend = \"cpu\"\ndensity = 16\noutput = \"a.png\"\n",
        file.display()
    );
    std::fs::write(place.path().join("jobs.toml"), jobs).expect("a file of the test");
    let state = world.folder().join("state");
    submitter("batch jobs.toml -q")
        .env("FARM_STATE", &state.to_string_lossy())
        .within(&place)
        .ok();
    let names = names_in(&state);
    // How long the boot took is left there.
    assert!(
        names.iter().any(|name| name.ends_with(".last.json")),
        "{names:?}"
    );
    world.nothing_is_left();
}
