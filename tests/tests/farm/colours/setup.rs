//! The view and the colours that these tests share.

use std::path::Path;

use farm_tests::pictures::Png;
use farm_tests::programs::Run;
use farm_tests::{folder, names_in, submitter};

/// A view with inside, filaments and smooth parts.
pub(super) const VIEW: &str =
    "--re -0.7454 --im 0.1131 --zoom 400 --size 96x64 --iterations 600 --backend cpu";

pub(super) fn render(line: &str, folder: &Path) {
    submitter(&format!("render -q {VIEW} {line}"))
        .within(folder)
        .ok();
}

/// A picture of those arguments.
pub(super) fn picture(line: &str) -> Png {
    let folder = folder();
    render(&format!("-o x.png {line}"), folder.path());
    Png::read(folder.path().join("x.png"))
}

/// sRGB value to linear light.
pub(super) fn light(value: u8) -> f64 {
    let value = f64::from(value) / 255.0;
    if value <= 0.04045 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

/// A run that has to fail with that status, one line that says this, and nothing left but what was there.
pub(super) fn assert_refused(run: Run, folder: &Path, code: i32, says: &str) {
    let before = names_in(folder);
    let done = run.within(folder).run();
    assert_eq!(done.code, Some(code), "{done:?}");
    let [line] = done.words()[..] else {
        panic!("one line: {done:?}")
    };
    assert!(
        line.starts_with("submitter: ") && line.contains(says),
        "'{says}' in: {line}"
    );
    assert_eq!(names_in(folder), before);
}
