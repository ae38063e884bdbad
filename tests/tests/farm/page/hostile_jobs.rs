//! Jobs that nobody may leave, and questions about them: hostile requests with their status.

use farm_tests::{folder, names_in};
use serde_json::Value;

use super::safety::{Hostile, JSON, OWN};
use super::setup::Page;

#[test]
fn hostile_jobs_are_not_taken() {
    let outputs = folder();
    let page = Page::serve(&format!("--output {}", outputs.path().display()));
    let operator = page.operator();
    let own = ("Cookie", &*operator);
    let watcher = page.cookie(&page.tokens[1]);
    let watching = ("Cookie", &*watcher);
    let bearer = format!("Bearer {}", page.tokens[0]);
    let bearer = ("Authorization", &*bearer);
    let job = |output: &str, more: &str| {
        format!("{{\"outputs\":[\"{output}\"],\"picture\":{{\"density\":\"20\"}}{more}}}")
    };
    let evil_jobs = [
        job("../evil.png", ""),
        job("/etc/evil.png", ""),
        job(".mandelfarm/evil.png", ""),
        job("a.png", ",\"redis\":\"redis://evil.example\""),
        job("a.png", ",\"ffmpeg\":\"/bin/sh\""),
        job("a.png", ",\"encoder-options\":{\"f\":\"null\"}"),
        job("a.png", ",\"sequence\":{}"),
        job("a.sh", ""),
        job("a.png\",\"A.png", ""),
        "{\"outputs\":[]}".to_owned(),
        "{\"outputs\":[\"v.mp4\"],\"sequence\":{\"keep\":\"/etc\"}}".to_owned(),
        "{\"outputs\":[\"a.png\"],\"picture\":{\"location\":\"/etc/passwd\"}}".to_owned(),
        "{\"outputs\":[\"a.png\"],\"picture\":{\"density\":\"1000000\"}}".to_owned(),
    ];
    let table: &[Hostile<'_>] = &[
        // Jobs: nobody but the operator leaves any, and none names a path, a program or an address.
        ("GET", "/api/jobs", &[own], b"", 200),
        ("GET", "/api/jobs", &[bearer], b"", 200),
        ("GET", "/api/jobs", &[], b"", 401),
        (
            "GET",
            "/api/jobs",
            &[("Authorization", "Bearer 00")],
            b"",
            401,
        ),
        (
            "GET",
            "/api/jobs",
            &[own, ("Authorization", "Basic x")],
            b"",
            401,
        ),
        (
            "GET",
            "/api/jobs",
            &[bearer, ("Host", "evil.example")],
            b"",
            421,
        ),
        ("GET", "/api/jobs/events", &[own], b"", 403),
        ("DELETE", "/api/jobs", &[own, OWN], b"", 405),
        ("PUT", "/api/jobs", &[own, OWN, JSON], b"{}", 405),
        ("GET", "/api/jobs/orders", &[own], b"", 405),
        ("POST", "/api/jobs/file?id=x&name=y", &[own, OWN], b"", 405),
        ("POST", "/api/jobs", &[own, JSON], b"{}", 403),
        (
            "POST",
            "/api/jobs",
            &[watching, OWN, JSON],
            evil_jobs[0].as_bytes(),
            403,
        ),
        (
            "POST",
            "/api/jobs/orders",
            &[watching, OWN, JSON],
            b"{\"deed\":\"cancel\",\"names\":[\"x\"]}",
            403,
        ),
        (
            "POST",
            "/api/jobs/orders",
            &[own, OWN, JSON],
            b"{\"deed\":\"burn\",\"names\":[\"x\"]}",
            422,
        ),
        (
            "POST",
            "/api/jobs/orders",
            &[own, OWN, JSON],
            b"{\"deed\":\"cancel\",\"names\":[]}",
            422,
        ),
        ("GET", "/api/jobs/job?id=../../etc", &[own], b"", 404),
        ("GET", "/api/jobs/job?name=x", &[own], b"", 422),
        (
            "GET",
            "/api/jobs/file?id=x&name=/etc/passwd",
            &[own],
            b"",
            404,
        ),
        (
            "GET",
            "/api/jobs/file?id=x&name=%2e%2e%2fpasswd",
            &[own],
            b"",
            404,
        ),
    ];
    let evil = [own, OWN, JSON];
    let evil =
        (evil_jobs.iter()).map(|body| ("POST", "/api/jobs", &evil[..], body.as_bytes(), 422));
    for (method, path, headers, body, status) in table.iter().copied().chain(evil) {
        let answer = page.send(method, path, headers, body);
        let what = format!("{method} {path} {}", String::from_utf8_lossy(body));
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        if status >= 402 {
            let told = answer.json();
            let line = told["error"].as_str().unwrap();
            assert!(!line.is_empty() && !line.contains('\n'), "{what}: {line}");
        }
    }
    let jobs = page.send("GET", "/api/jobs", &[own], b"").json();
    assert_eq!(jobs["jobs"], Value::Array(Vec::new()), "nothing was taken");
    assert_eq!(names_in(outputs.path()), [".mandelfarm"]);
    let none = Page::serve("");
    let cookie = none.operator();
    let asked = none.send("GET", "/api/jobs", &[("Cookie", &cookie)], b"");
    assert_eq!(asked.status, 404, "{}", asked.text());
}
