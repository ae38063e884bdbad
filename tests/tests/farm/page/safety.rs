//! Who may come in: hostile requests with their status, against the real program.

use farm_tests::certificates::Authority;
use farm_tests::programs::Run;
use farm_tests::{folder, submitter};
use rustix::process::Signal;
use serde_json::json;

use super::setup::{Page, tile};

pub const JSON: (&str, &str) = ("Content-Type", "application/json");
pub const OWN: (&str, &str) = ("Sec-Fetch-Site", "same-origin");

/// A request: method, path, headers and body; and the status that it has to have.
pub type Hostile<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [u8], u16);

/// A view that is computed in milliseconds.
fn quick() -> String {
    let request = json!({ "re": "-0.75", "im": "0.1", "zoom": "20", "size": "32x16" });
    tile(1, &request).to_string()
}

#[test]
fn hostile_requests_get_nothing() {
    let page = Page::serve("");
    let operator = page.operator();
    let own = ("Cookie", &*operator);
    let origin = format!("http://{}", page.host);
    let right_origin = ("Origin", &*origin);
    let tile = quick();
    let tile = tile.as_bytes();
    let long = "1".repeat(20_000);
    let long_tile = json!({ "viewer": "v", "generation": 1, "request": { "re": long, "im": "0", "zoom": "1" } });
    let long_tile = long_tile.to_string();
    let huge = vec![b' '; 100_000];
    let token = &page.tokens[0];
    let stolen = format!("mandelfarm={token}");
    let named = operator.split('=').next().unwrap();
    let by_token = format!("{named}={token}");
    let table: &[Hostile<'_>] = &[
        // What is right.
        ("GET", "/", &[own], b"", 200),
        ("HEAD", "/", &[own], b"", 200),
        ("GET", "/api/status", &[own], b"", 200),
        ("POST", "/api/tile", &[own, OWN, JSON], tile, 200),
        ("POST", "/api/tile", &[own, right_origin, JSON], tile, 200),
        // Strangers, and those with something like a cookie.
        ("GET", "/", &[], b"", 401),
        ("GET", "/style.css", &[], b"", 401),
        ("GET", "/api/status", &[], b"", 401),
        ("GET", "/nothing", &[], b"", 401),
        ("POST", "/api/tile", &[OWN, JSON], tile, 401),
        (
            "GET",
            "/api/status",
            &[("Cookie", "mandelfarm=1")],
            b"",
            401,
        ),
        ("GET", "/api/status", &[("Cookie", &stolen)], b"", 401),
        ("GET", "/api/status", &[("Cookie", &by_token)], b"", 401),
        ("GET", "/?token=", &[], b"", 401),
        ("GET", "/?token=0000", &[], b"", 401),
        ("GET", "/api/status?token=0000", &[], b"", 401),
        ("POST", "/?token=0000", &[], b"", 401),
        // Names that were pointed here.
        ("GET", "/", &[own, ("Host", "evil.example")], b"", 421),
        ("GET", "/", &[own, ("Host", "evil.example:80")], b"", 421),
        (
            "GET",
            "/",
            &[own, ("Host", "127.0.0.1.evil.example")],
            b"",
            421,
        ),
        ("GET", "/", &[own, ("Host", "")], b"", 421),
        (
            "GET",
            "/",
            &[own, ("Host", "localhost"), ("Host", "evil.example")],
            b"",
            421,
        ),
        (
            "GET",
            "http://evil.example/",
            &[own, ("Host", "localhost")],
            b"",
            421,
        ),
        (
            "POST",
            "/api/tile",
            &[own, OWN, JSON, ("Host", "evil.example")],
            tile,
            421,
        ),
        // Other pages.
        ("POST", "/api/tile", &[own, JSON], tile, 403),
        (
            "POST",
            "/api/tile",
            &[own, JSON, ("Origin", "http://evil.example")],
            tile,
            403,
        ),
        (
            "POST",
            "/api/tile",
            &[own, JSON, ("Origin", "null")],
            tile,
            403,
        ),
        (
            "POST",
            "/api/tile",
            &[own, JSON, ("Sec-Fetch-Site", "cross-site")],
            tile,
            403,
        ),
        (
            "POST",
            "/api/tile",
            &[own, JSON, ("Sec-Fetch-Site", "same-site")],
            tile,
            403,
        ),
        (
            "POST",
            "/api/tile",
            &[own, JSON, ("Sec-Fetch-Site", "none")],
            tile,
            403,
        ),
        (
            "POST",
            "/api/tile",
            &[own, OWN, JSON, ("Origin", "http://evil.example")],
            tile,
            403,
        ),
        (
            "POST",
            "/api/tile",
            &[own, JSON, ("Origin", "https://127.0.0.1")],
            tile,
            403,
        ),
        (
            "OPTIONS",
            "/api/tile",
            &[own, ("Origin", "http://evil.example")],
            b"",
            403,
        ),
        ("DELETE", "/api/tile", &[own], b"", 403),
        // Methods.
        ("DELETE", "/api/tile", &[own, OWN], b"", 405),
        ("PUT", "/api/tile", &[own, OWN, JSON], tile, 405),
        ("GET", "/api/tile", &[own], b"", 405),
        ("POST", "/", &[own, OWN], b"", 405),
        ("DELETE", "/", &[own, OWN], b"", 405),
        ("PATCH", "/style.css", &[own, OWN], b"", 405),
        ("POST", "/api/status", &[own, OWN], b"", 405),
        ("TRACE", "/api/status", &[own, OWN], b"", 405),
        ("OPTIONS", "/api/tile", &[own, OWN], b"", 405),
        ("BREW", "/api/tile", &[own, OWN], b"", 405),
        ("BREW", "/api/tile", &[], b"", 401),
        // Paths.
        ("GET", "/nothing", &[own], b"", 404),
        ("GET", "/../../etc/passwd", &[own], b"", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", &[own], b"", 404),
        ("GET", "//etc/passwd", &[own], b"", 404),
        ("GET", "/api/", &[own], b"", 404),
        // Bodies.
        ("POST", "/api/tile", &[own, OWN], tile, 415),
        (
            "POST",
            "/api/tile",
            &[own, OWN, ("Content-Type", "text/plain")],
            tile,
            415,
        ),
        ("POST", "/api/tile", &[own, OWN, JSON], b"", 400),
        ("POST", "/api/tile", &[own, OWN, JSON], b"{", 400),
        ("POST", "/api/tile", &[own, OWN, JSON], b"\xff\xfe", 400),
        ("POST", "/api/tile", &[own, OWN, JSON], b"[]", 422),
        ("POST", "/api/tile", &[own, OWN, JSON], b"{}", 422),
        ("POST", "/api/tile", &[own, OWN, JSON], &huge, 413),
        (
            "POST",
            "/api/tile",
            &[own, OWN, JSON],
            long_tile.as_bytes(),
            422,
        ),
        (
            "POST",
            "/api/tile",
            &[own, OWN, JSON, ("Content-Length", "99999999999")],
            b"{}",
            413,
        ),
        (
            "POST",
            "/api/place?kind=/etc/passwd",
            &[own, OWN],
            b"x",
            422,
        ),
        ("POST", "/api/place", &[own, OWN], b"x", 422),
        ("POST", "/api/place?kind=kfr", &[own, OWN], b"no place", 422),
    ];
    for (method, path, headers, body, status) in table {
        let answer = page.send(method, path, headers, body);
        let what = format!("{method} {path} {headers:?}");
        assert_eq!(answer.status, *status, "{what}: {}", answer.text());
        for (name, text) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(text), "{what}: {name}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        let allowed =
            (answer.headers.iter()).filter(|(name, _)| name.starts_with("access-control"));
        assert_eq!(allowed.count(), 0, "{what}");
        if *status >= 402 {
            let told = answer.json();
            assert_eq!(told["status"], *status, "{what}: {told}");
            let line = told["error"].as_str().unwrap();
            assert!(!line.is_empty() && !line.contains('\n'), "{what}: {line}");
        }
    }
    for malformed in [
        "NOTHING\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /\x00 HTTP/1.1\r\n\r\n",
    ] {
        let answer = page.raw(malformed.as_bytes());
        assert!(
            matches!(answer.status, 0 | 400),
            "{malformed:?}: {answer:?}"
        );
    }
    let many = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    assert!(matches!(page.raw(many.as_bytes()).status, 0 | 400 | 431));
    assert_eq!(
        page.computations(&operator)["begun"],
        2,
        "the two that are right"
    );
}

/// What is over a limit, or makes no sense, is refused before anything begins.
#[test]
fn requests_over_limits_begin_nothing() {
    let page = Page::serve("");
    let operator = page.operator();
    let deep = format!("1e{}", 9000);
    for (request, says) in [
        (json!({ "re": "0", "im": "0" }), "--re needs --zoom"),
        (json!({ "re": "0", "im": "0", "zoom": "0" }), "zoom"),
        (json!({ "re": "0", "im": "0", "zoom": deep }), "zoom"),
        (json!({ "re": "1e-9000", "im": "0", "zoom": "1" }), "digits"),
        (json!({ "re": "0x", "im": "0", "zoom": "1" }), "'0x'"),
        (json!({ "iterations": "1e9" }), "over the limit of 10000000"),
        (json!({ "iterations": 0 }), "iteration limit of 0"),
        (json!({ "density": "100000" }), "samples"),
        (json!({ "density": "2000" }), "over the limit of 8388608"),
        (
            json!({ "re": "0", "im": "0", "zoom": "1", "size": "0x5" }),
            "0 x 5",
        ),
        (json!({ "output": "/etc/passwd" }), "unknown key `output`"),
        (
            json!({ "location": "/etc/passwd" }),
            "unknown key `location`",
        ),
        (
            json!({ "redis": "redis://evil.example" }),
            "unknown key `redis`",
        ),
        (json!({ "palette": "/etc/passwd" }), "no palette"),
        (json!({ "escape-radius": -1 }), "escape"),
        (json!({ "samples": 5 }), "samples"),
    ] {
        for path in ["/api/tile", "/api/picture"] {
            let body = match path {
                "/api/tile" => tile(1, &request),
                _ => json!({ "format": "png", "request": request }),
            };
            let answer = page.ask(&operator, path, &body);
            assert_eq!(answer.status, 422, "{path} {request}: {}", answer.text());
            let line = answer.json()["error"].as_str().unwrap().to_owned();
            assert!(line.contains(says), "'{says}' in: {line}");
        }
    }
    for (body, says) in [
        (
            json!({ "viewer": "", "generation": 1, "request": {} }),
            "viewer",
        ),
        (
            json!({ "viewer": "x".repeat(99), "generation": 1, "request": {} }),
            "viewer",
        ),
        (
            json!({ "viewer": "x", "generation": -1, "request": {} }),
            "-1",
        ),
        (
            json!({ "viewer": "x", "generation": 1, "scale": 3, "request": {} }),
            "scale",
        ),
        (
            json!({ "viewer": "x", "generation": 1, "scale": 2, "request": {} }),
            "size",
        ),
        (
            json!({ "viewer": "x", "generation": 1, "measures": ["stability"], "request": {} }),
            "stability",
        ),
        (
            json!({ "viewer": "x", "generation": 1, "path": "/etc", "request": {} }),
            "path",
        ),
    ] {
        let answer = page.ask(&operator, "/api/tile", &body);
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
        assert!(
            answer.text().contains(says),
            "'{says}' in: {}",
            answer.text()
        );
    }
    let search = json!({ "re": "0", "im": "0", "zoom": "1", "iterations": 99_999_999_999u64 });
    assert_eq!(page.ask(&operator, "/api/minibrot", &search).status, 422);
    assert_eq!(page.computations(&operator)["begun"], 0);
}

#[test]
fn whoever_may_only_look_has_another_address() {
    let page = Page::serve("");
    let [operator, watcher] = &page.tokens;
    assert_ne!(operator, watcher);
    assert!(operator.len() == 64 && operator.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let role = |page: &Page, cookie: &str| {
        page.send("GET", "/api/status", &[("Cookie", cookie)], b"")
            .json()["role"]
            .clone()
    };
    assert_eq!(role(&page, &page.operator()), "operator");
    assert_eq!(role(&page, &page.cookie(watcher)), "watcher");
    let answer = page.send("GET", &format!("/?token={operator}"), &[], b"");
    assert_eq!(answer.header("location"), Some("/"));
    let cookie = answer.header("set-cookie").unwrap();
    for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(
        !cookie.contains(operator.as_str()),
        "the cookie is a secret of its own"
    );
    let read_only = Page::serve("--read-only");
    assert_eq!(read_only.program.written().lines().count(), 1);
    assert_eq!(role(&read_only, &read_only.operator()), "watcher");
    let one = read_only.send("GET", "/api/status", &[("Cookie", &page.operator())], b"");
    assert_eq!(one.status, 401, "another server's cookie");
}

#[test]
fn beyond_this_machine_there_is_tls_or_a_word_of_consent() {
    let refused = |options: &str, says: &str| {
        let done = submitter(&format!("serve {options}")).run();
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(
            done.stderr.contains(says) && done.stdout.is_empty(),
            "{done:?}"
        );
    };
    refused("--listen 0.0.0.0:0", "--insecure");
    refused("--listen [::]:0", "--insecure");
    refused("--listen 127.0.0.1:0 --host a/b", "--host");
    refused("--listen 127.0.0.1:0 --tls-cert x.pem", "--tls-key");
    refused(
        "--listen 127.0.0.1:0 --tls-cert x.pem --tls-key y.pem",
        "x.pem",
    );
    refused("--listen nonsense", "nonsense");
    let consented = Page::serve("--insecure --host farm.example");
    assert!(
        consented
            .program
            .written()
            .starts_with("http://farm.example:")
    );
}

/// A name that was given is answered, under TLS.
#[test]
fn tls_is_served_with_the_files_that_are_given() {
    let authority = Authority::new();
    let pair = authority.server("localhost");
    let folder = folder();
    let options = format!(
        "--tls-cert {} --tls-key {}",
        pair.certificate.display(),
        pair.key.display()
    );
    let line = format!("serve --listen 127.0.0.1:0 --backend cpu {options}");
    let mut program = submitter(&line).start();
    let start = std::time::Instant::now();
    while program.written().lines().count() < 2 {
        assert!(
            program.is_running() && start.elapsed().as_secs() < 60,
            "{}",
            program.said()
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let address = program
        .written()
        .lines()
        .next()
        .unwrap()
        .replace("127.0.0.1", "localhost");
    assert!(address.starts_with("https://"), "{address}");
    let script = "import ssl, sys, urllib.request as r, http.cookiejar as c\n\
        context = ssl.create_default_context(cafile=sys.argv[2])\n\
        jar = c.CookieJar()\n\
        opener = r.build_opener(r.HTTPSHandler(context=context), r.HTTPCookieProcessor(jar))\n\
        print(opener.open(sys.argv[1]).status, [k.secure for k in jar])\n";
    std::fs::write(folder.path().join("ask.py"), script).unwrap();
    let ca = authority.file();
    let asked = Run::any("python3")
        .within(&folder)
        .arg("ask.py")
        .arg(&address)
        .arg(ca)
        .ok();
    assert_eq!(asked.stdout.trim(), "200 [True]");
    program.signal(Signal::TERM);
    assert_eq!(program.wait().code, Some(130));
}
