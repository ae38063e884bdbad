//! The Debian package: made by `deploy/package.sh`, looked at by lintian, installed, used and removed in a Debian of its
//! own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use farm_tests::job::quiet;
use farm_tests::programs::Run;
use farm_tests::scenes::QUICK;
use farm_tests::tools::{build_folder, tools};
use farm_tests::{Root, Server, Worker, digest, folder, submitter};

use super::setup::{LIFE, deploy};

/// What changes in a Debian whatever is installed and removed: the records of that.
const RECORDS: [&str; 6] = [
    "var/lib/dpkg/",
    "var/log/",
    "var/cache/",
    "etc/ld.so.cache",
    "run/",
    "tmp/",
];
/// Files of the system's users: the package's user stays, as users do on Debian.
const USERS: [&str; 4] = ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"];

/// The package, in `to`.
fn package(to: &Path) -> PathBuf {
    let target = build_folder();
    let target = target.parent().expect("the target folder");
    let path = std::env::var("PATH").expect("a PATH");
    Run::any(deploy("package.sh"))
        .arg("--built")
        .arg(to)
        .env("CARGO_TARGET_DIR", &target.to_string_lossy())
        .env("PATH", &format!("{}:{path}", tools().join("bin").display()))
        .limit(LIFE)
        .ok();
    let mut made = std::fs::read_dir(to).expect("the folder");
    let file = made.next().expect("one file").expect("its name").path();
    assert!(made.next().is_none(), "one file alone");
    assert_eq!(file.extension().and_then(|end| end.to_str()), Some("deb"));
    file
}

/// All files and folders of a root, but for records.
fn names(root: &Root) -> BTreeSet<String> {
    let found = Run::any("find")
        .args([".", "-mindepth", "1", "-printf", "%P\n"])
        .within(root.path())
        .ok();
    let kept = found.stdout.lines().filter(|name| {
        let mut left_out = RECORDS.iter().chain(&USERS);
        !left_out.any(|begin| name.starts_with(begin))
    });
    kept.map(str::to_owned).collect()
}

#[test]
fn the_package_is_installed_serves_and_is_removed() {
    let folder = folder();
    let package = package(folder.path());
    let looked = Run::any("lintian")
        .args(["--allow-root", "--fail-on", "error"])
        .args(["--tag-display-limit", "0"])
        .arg(&package)
        .limit(LIFE)
        .run();
    assert_eq!(looked.code, Some(0), "{looked:?}");

    let root = Root::debian();
    let before = names(&root);
    root.put(&package, "/tmp/mandelfarm.deb");
    root.command(None, &["dpkg", "-i", "/tmp/mandelfarm.deb"])
        .ok();
    let new: BTreeSet<String> = names(&root).difference(&before).cloned().collect();
    for name in [
        "usr/bin/submitter",
        "usr/bin/farm-worker",
        "usr/share/man/man1/submitter.1.gz",
        "usr/share/man/man1/submitter-render.1.gz",
        "usr/share/man/man1/submitter-jobs-list.1.gz",
        "usr/share/man/man1/farm-worker-bench.1.gz",
        "etc/mandelfarm/worker.env",
    ] {
        assert!(new.contains(name), "{name}: {new:?}");
    }
    are_manual_pages_whole(&root);
    are_completions_taken(&root);
    is_the_service_taken(&root);
    serves(&root);

    root.command(None, &["dpkg", "-r", "mandelfarm"]).ok();
    let left: BTreeSet<String> = names(&root).difference(&before).cloned().collect();
    let settings = ["etc/mandelfarm", "etc/mandelfarm/worker.env"].map(str::to_owned);
    assert_eq!(left, BTreeSet::from(settings));
    root.command(None, &["dpkg", "-P", "mandelfarm"]).ok();
    assert_eq!(names(&root), before);
    let known = root.command(None, &["dpkg", "-s", "mandelfarm"]).run();
    assert_ne!(known.code, Some(0), "{known:?}");
}

/// Every page is a page that `man` shows, and says what `--help` says.
fn are_manual_pages_whole(root: &Root) {
    let pages = root.join("/usr/share/man/man1");
    let pages = std::fs::read_dir(pages).expect("pages");
    let mut shown = 0;
    for page in pages {
        let page = page.expect("a page").path();
        let name = page.file_name().expect("a name").to_string_lossy();
        let name = name.trim_end_matches(".1.gz");
        let Some(command) = name
            .strip_prefix("farm-worker")
            .or_else(|| name.strip_prefix("submitter"))
        else {
            // Of Debian's own.
            continue;
        };
        let command: Vec<&str> = command.split('-').collect();
        let text = Run::any("zcat").arg(&page).ok().stdout;
        assert!(text.contains(".SH NAME"), "{name}");
        assert!(text.contains(".SH SYNOPSIS"), "{name}");
        // Names of commands may have a hyphen themselves.
        if command.len() == 2 && name.starts_with("submitter") {
            let help = submitter(&format!("{} --help", command[1])).ok().stdout;
            let plain = text
                .replace("\\-", "-")
                .replace("\\fB", "")
                .replace("\\fR", "");
            let options = help.split_whitespace().filter(|word| {
                word.starts_with("--")
                    && word
                        .trim_end_matches(',')
                        .chars()
                        .all(|c| c == '-' || c.is_ascii_lowercase())
            });
            for option in options {
                let option = option.trim_end_matches(',');
                assert!(plain.contains(option), "{name}: {option}");
            }
        }
        shown += 1;
    }
    assert!(shown > 25, "{shown} pages");
}

/// Each shell takes its script, and two of them complete by it what was begun.
fn are_completions_taken(root: &Root) {
    let share = root.join("/usr/share");
    for program in ["submitter", "farm-worker"] {
        let script = share.join(format!("zsh/vendor-completions/_{program}"));
        Run::any("zsh").arg("-n").arg(script).ok();
    }
    let script = share.join("bash-completion/completions/submitter");
    let complete = "source \"$1\"; COMP_WORDS=(submitter ren) COMP_CWORD=1; _submitter submitter ren submitter; echo \"${COMPREPLY[@]}\"";
    let done = Run::any("bash")
        .args(["--norc", "-c", complete, "bash"])
        .arg(script)
        .ok();
    assert_eq!(done.stdout.trim(), "render");
    let script = share.join("fish/vendor_completions.d/farm-worker.fish");
    let home = folder();
    let done = Run::any("fish")
        .args([
            "--no-config",
            "-c",
            "source $argv[1]; complete -C 'farm-worker --back'",
        ])
        .arg(script)
        .env("HOME", &home.path().to_string_lossy())
        .ok();
    assert!(done.stdout.starts_with("--backend"), "{done:?}");
}

/// systemd takes the service where it lies, whose program and user are there.
fn is_the_service_taken(root: &Root) {
    let unit = std::fs::read_to_string(root.join("/lib/systemd/system/farm-worker.service"));
    let unit = unit.expect("the service");
    let folder = folder();
    let file = folder.path().join("farm-worker.service");
    let program = root.join("/usr/bin/farm-worker");
    let here = unit.replace("/usr/bin/farm-worker", &program.to_string_lossy());
    std::fs::write(&file, here).expect("a file");
    let verified = Run::any("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&file)
        .env("SYSTEMD_PAGER", "")
        .ok();
    assert!(!verified.stderr.contains("farm-worker"), "{verified:?}");
    assert!(unit.contains("\nExecStart=/usr/bin/farm-worker "), "{unit}");
    assert!(unit.contains("\nUser=mandelfarm\n"), "{unit}");
    let users = std::fs::read_to_string(root.join("/etc/passwd")).expect("users");
    let user = users.lines().find(|line| line.starts_with("mandelfarm:"));
    assert!(
        user.is_some_and(|user| user.ends_with("/nologin")),
        "{user:?}"
    );
}

/// The worker serves a farm as the package's user, and the submitter renders by itself: both the bytes of this build.
fn serves(root: &Root) {
    let users = std::fs::read_to_string(root.join("/etc/passwd")).expect("users");
    let user = users.lines().find(|line| line.starts_with("mandelfarm:"));
    let ids: Vec<&str> = user.expect("the user").split(':').skip(2).take(2).collect();
    let user = ids.join(":");
    let server = Server::start();
    let url = server.url();
    let worker = root.command(
        Some(&user),
        &[
            "farm-worker",
            "--redis",
            &url,
            "--backend",
            "cpu",
            "--threads",
            "1",
        ],
    );
    let worker = Worker::ready(worker.limit(LIFE));
    let expected = quiet(&format!("{QUICK} --backend cpu"));
    let out = folder();
    submitter(&format!("render -q {QUICK} --redis {url} -o x.npy"))
        .within(&out)
        .ok();
    assert_eq!(digest(out.path().join("x.npy")), expected);
    drop(worker);
    let line = format!("submitter render -q {QUICK} --backend cpu --no-journal -o /tmp/own.npy");
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    root.command(Some("65534:65534"), &words).ok();
    assert_eq!(digest(root.join("/tmp/own.npy")), expected);
}
