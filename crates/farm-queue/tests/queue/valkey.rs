//! Valkey instead of Redis: this suite again, with every server of that kind.

use std::process::Command;

use crate::setup::server::PROGRAM;
use crate::tools::valkey;

/// Fewer tests than there are on servers: were it none, nothing would be shown.
const MANY: usize = 50;

#[test]
fn valkey_passes_the_same_suite() {
    let (None, Some(program)) = (std::env::var_os(PROGRAM), valkey()) else {
        return;
    };
    let version = Command::new(&program).arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    assert!(version.starts_with("Valkey server"), "control: {version}");
    let own = std::env::current_exe().unwrap();
    let done = Command::new(own)
        .args(["--skip", "valkey_passes", "--test-threads", "2"])
        .env(PROGRAM, &program)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}");
    let passed = said
        .split("ok. ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let passed: usize = passed.and_then(|count| count.parse().ok()).unwrap_or(0);
    assert!(passed >= MANY, "control: {said}");
}
