//! `python/tests`, a file a test.

use farm_tests::{folder, house};

use super::environment::Environment;

/// Runs a file, whose tests are at least so many: one that loses its tests fails.
#[track_caller]
fn pytest(name: &str, least: usize) {
    let passed = Environment::get().pytest(name);
    assert!(passed >= least, "{passed} tests of {name}");
}

#[test]
fn numbers_arrive_with_all_their_digits() {
    pytest("numbers", 30);
}

#[test]
fn pictures_have_the_bytes_of_the_program() {
    pytest("bytes", 40);
}

#[test]
fn sequences_have_the_bytes_of_the_program() {
    pytest("zoom", 6);
}

#[test]
fn a_farm_has_the_bytes_of_the_program() {
    pytest("farm", 8);
}

#[test]
fn interrupts_are_heard_at_once() {
    pytest("interrupts", 10);
}

#[test]
fn errors_are_the_lines_of_the_program() {
    pytest("errors", 20);
}

#[test]
fn progress_is_shown() {
    pytest("progress", 7);
}

#[test]
fn types_are_those_that_are_stated() {
    pytest("types", 3);
}

#[test]
fn pages_are_run() {
    pytest("pages", 4);
}

#[test]
fn the_notebook_runs() {
    pytest("notebook", 1);
}

#[test]
fn the_package_is_whole() {
    pytest("package", 4);
}

#[test]
fn control_a_test_that_fails_is_seen() {
    let folder = folder();
    std::fs::write(
        folder.path().join("test_it.py"),
        "def test_it(): assert 0\n",
    )
    .expect("a file");
    let ran = farm_tests::programs::Run::any(Environment::get().program("python"))
        .args(["-m", "pytest", "-q", "test_it.py"])
        .within(&folder)
        .run();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    // Every file is asked for above.
    let tests = house::top().join("python/tests");
    let asked = include_str!("package.rs");
    for entry in std::fs::read_dir(tests).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(name) = name
            .strip_prefix("test_")
            .and_then(|name| name.strip_suffix(".py"))
        {
            assert!(asked.contains(&format!("pytest(\"{name}\"")), "{name}");
        }
    }
}
