//! Valkey instead of Redis: this suite again, with every server of that kind.

use std::path::PathBuf;
use std::process::Command;

use crate::setup::server::PROGRAM;

/// Fewer tests than there are on servers: were it none, nothing would be shown.
const MANY: usize = 50;

/// Where `tests/prepare` puts one, beside the build.
fn valkey() -> Option<PathBuf> {
    let own = std::env::current_exe().expect("this program's own path");
    let target = own.ancestors().nth(3).expect("the folder of the build");
    let path = target.join("tools/python/bin/valkey-server");
    let required = std::env::var("FARM_TOOLS").is_ok_and(|wanted| wanted == "require");
    assert!(
        path.is_file() || !required,
        "FARM_TOOLS=require, and {} is missing (./tests/run installs it)",
        path.display()
    );
    path.is_file().then_some(path)
}

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
