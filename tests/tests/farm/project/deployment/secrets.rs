//! The script that makes secrets.

use std::os::unix::fs::PermissionsExt;

use farm_tests::programs::{Run, path_of};
use farm_tests::{digest, folder, names_in, submitter};

use super::setup::{deploy, make_secrets, secrets};

#[test]
fn secrets_are_private_and_made_once() {
    let folder = secrets();
    let names = names_in(folder.path());
    assert_eq!(
        names,
        [
            "admin.pw",
            "ca.key",
            "ca.pem",
            "farm.key",
            "server.key",
            "server.pem",
            "submitter.pw",
            "users.acl",
            "worker.pw"
        ],
        "and nothing half-made"
    );
    let digests = || -> Vec<u64> {
        let files = names.iter().map(|name| folder.path().join(name));
        files.map(digest).collect()
    };
    for name in &names {
        let metadata = std::fs::metadata(folder.path().join(name)).expect("a file");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    // The list is what the submitter prints, with who may log in otherwise.
    let acl = std::fs::read_to_string(folder.path().join("users.acl")).expect("the list");
    let printed = submitter("redis-acl --aclfile")
        .arg("--worker-password-file")
        .arg(folder.path().join("worker.pw"))
        .arg("--submitter-password-file")
        .arg(folder.path().join("submitter.pw"))
        .ok();
    let rest = acl.strip_suffix(&printed.stdout).expect("its last lines");
    let users: Vec<&str> = rest
        .lines()
        .map(|line| &line[..line.find(" reset ").expect("reset")])
        .collect();
    assert_eq!(users, ["user default", "user admin"], "{acl}");
    let before = digests();
    make_secrets(folder.path()).ok();
    assert_eq!(digests(), before, "a second call changes nothing");
    // The certificate alone is made anew when it was removed.
    std::fs::remove_file(folder.path().join("server.pem")).expect("it was there");
    make_secrets(folder.path()).ok();
    let changed: Vec<&String> = (names.iter().zip(before.iter().zip(digests())))
        .filter(|(_, (before, after))| *before != after)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(changed, ["server.key", "server.pem"]);
}

#[test]
fn secrets_for_no_name_are_refused() {
    let folder = folder();
    for (names, code) in [(&[][..], 2), (&["a b"][..], 1), (&["x,IP:1.1.1.1"][..], 1)] {
        let done = Run::any(deploy("secrets.sh"))
            .arg(folder.path().join("new"))
            .args(names)
            .env("SUBMITTER", &path_of("submitter").to_string_lossy())
            .run();
        assert_eq!((done.code, done.words().len()), (Some(code), 1), "{done:?}");
        assert!(names_in(folder.path()).is_empty(), "{done:?}");
    }
}
