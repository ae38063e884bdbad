//! `submit` and `jobs` over TLS, with an authority that only they know.

use std::time::{Duration, Instant};

use farm_tests::certificates::Authority;
use farm_tests::{folder, names_in, submitter};

use super::super::setup::Page;

#[test]
fn jobs_are_handed_over_under_a_private_authority() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let pair = authority.server("localhost");
    let (outputs, here) = (folder(), folder());
    let page = Page::serve(&format!(
        "--tls-cert {} --tls-key {} --output {}",
        pair.certificate.display(),
        pair.key.display(),
        outputs.path().display()
    ));
    let port = page.host.rsplit(':').next().unwrap();
    let address = |host: &str| format!("https://{host}:{port}/?token={}", page.tokens[0]);
    let by = |host: &str| format!("--server {}", address(host));
    let known = format!("--server-ca {}", authority.file().display());
    let render = "render --density 40 --iterations 200 -q -o far.png";
    for (line, says) in [
        // Nobody's authority, another one's, another name, and no TLS at all.
        (
            format!("submit {} {render}", by("localhost")),
            "certificate",
        ),
        (
            format!(
                "submit {} --server-ca {} {render}",
                by("localhost"),
                stranger.file().display()
            ),
            "certificate",
        ),
        (
            format!("submit {} {known} {render}", by("127.0.0.1")),
            "certificate",
        ),
        (
            format!(
                "submit {} {known} {render}",
                by("localhost").replace("https", "http")
            ),
            "does not answer",
        ),
        (format!("jobs list {}", by("localhost")), "certificate"),
        (
            format!("jobs list {} --server-ca none.pem", by("localhost")),
            "none.pem",
        ),
    ] {
        let refused = submitter(&line).within(&here).run();
        assert!(matches!(refused.code, Some(1 | 2)), "{line}: {refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{line}: {refused:?}");
        assert!(refused.stderr.contains(says), "'{says}' in: {refused:?}");
        assert!(
            !refused.stderr.contains(&page.tokens[0]),
            "a token in: {refused:?}"
        );
    }
    assert_eq!(names_in(outputs.path()), [".mandelfarm"]);
    let submit = format!("submit {known} {render}");
    submitter(&submit)
        .env("FARM_SERVER", &address("localhost"))
        .within(&here)
        .ok();
    let list = format!("jobs list --json {} {known}", by("localhost"));
    let start = Instant::now();
    loop {
        let jobs = submitter(&list).ok().json();
        if jobs["jobs"][0]["state"] == "done" {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{jobs}");
    }
    submitter("render --density 40 --iterations 200 -q --backend cpu -o far.png")
        .within(&here)
        .ok();
    let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join("far.png")).unwrap();
    assert!(read(&outputs) == read(&here));
}
