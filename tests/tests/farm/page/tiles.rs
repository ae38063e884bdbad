//! Tiles: the bytes of a render, and nothing that nobody waits for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use farm_tests::pictures::Npy;
use farm_tests::{folder, submitter};
use serde_json::{Value, json};

use super::setup::{Page, tile};

/// A place near -2 whose every zoom has something to see, to so many digits.
fn spike(digits: usize) -> String {
    // The tip of the antenna, and a little towards the set.
    format!("-1.{}", "9".repeat(digits))
}

/// Views from the whole set to far beyond doubles.
fn views() -> Vec<(String, Value)> {
    let feigenbaum = "-1.401155189093314712";
    let at = |re: &str, im: &str, zoom: &str, iterations: u32| {
        let line =
            format!("--re {re} --im {im} --zoom {zoom} --size 96x64 --iterations {iterations}");
        let request = json!({
            "re": re, "im": im, "zoom": zoom, "size": "96x64", "iterations": iterations
        });
        (line, request)
    };
    vec![
        at("-0.5", "0", "1", 500),
        at(feigenbaum, "0.0000001", "1e6", 3000),
        at(&spike(56), "1e-51", "1e50", 4000),
        at(&spike(1090), "1e-1087", "1e1086", 20_000),
    ]
}

/// The values that a render writes.
fn rendered(line: &str, more: &str) -> Vec<f32> {
    let folder = folder();
    submitter(&format!("render {line} {more} --backend cpu -q -o x.npy"))
        .within(&folder)
        .ok();
    Npy::read(folder.path().join("x.npy")).f32s()
}

#[test]
fn tiles_have_the_bytes_of_a_render_at_any_depth() {
    let page = Page::serve("");
    let cookie = page.operator();
    let same = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .filter(|(a, b)| a.to_bits() == b.to_bits())
            .count()
    };
    for (number, (line, request)) in views().into_iter().enumerate() {
        let generation = number as u64 + 1;
        let answer = page.ask(&cookie, "/api/tile", &tile(generation, &request));
        let tile_values = answer.floats();
        let expected = rendered(&line, "");
        assert_eq!(tile_values.len(), 96 * 64);
        let outside = expected.iter().filter(|value| **value != 0.0).count();
        assert!(outside > 500, "something is to be seen: {line}");
        assert_eq!(same(&tile_values, &expected), expected.len(), "{line}");
        assert_eq!(answer.header("tile-size"), Some("96x64"));
        // Distances, and the same view once more: its reference is there.
        let mut both = tile(generation, &request);
        both["measures"] = json!(["distance", "smooth"]);
        let answer = page.ask(&cookie, "/api/tile", &both);
        let values = answer.floats();
        let (distances, smooth) = values.split_at(96 * 64);
        assert_eq!(same(smooth, &expected), expected.len(), "{line}");
        let expected = rendered(&line, "--measure distance");
        assert_eq!(same(distances, &expected), expected.len(), "{line}");
        // Four samples a pixel.
        let mut fine = request.clone();
        fine["samples"] = json!(4);
        let values = page
            .ask(&cookie, "/api/tile", &tile(generation, &fine))
            .floats();
        let expected = rendered(&line, "--samples 4");
        assert_eq!(values.len(), 4 * 96 * 64);
        assert_eq!(same(&values, &expected), expected.len(), "{line}");
        // Another place is another picture.
        let mut aside = request.clone();
        aside["im"] = json!("0.3");
        let values = page
            .ask(&cookie, "/api/tile", &tile(generation, &aside))
            .floats();
        assert!(same(&values, &tile_values) < 96 * 64, "control");
    }
}

/// Smaller pictures of a view come first, and may go by a reference that is there: close to what comes in the end.
#[test]
fn views_nearby_go_by_the_reference_that_is_there() {
    let page = Page::serve("");
    let cookie = page.operator();
    let (_, request) = views().remove(2);
    let first = page.ask(&cookie, "/api/tile", &tile(1, &request));
    assert_eq!(first.header("tile-reference"), Some("own"));
    let mut moved = request;
    moved["im"] = json!("1.3e-51");
    let mut near = tile(2, &moved);
    near["near"] = json!(true);
    let seen = page.ask(&cookie, "/api/tile", &near);
    assert_eq!(seen.header("tile-reference"), Some("near"));
    near["scale"] = json!(8);
    let small = page.ask(&cookie, "/api/tile", &near);
    assert_eq!(small.header("tile-size"), Some("12x8"));
    assert_eq!(small.header("tile-reference"), Some("near"));
    let own = page.ask(&cookie, "/api/tile", &tile(2, &moved));
    assert_eq!(own.header("tile-reference"), Some("own"));
    let (seen, own) = (seen.floats(), own.floats());
    let is_close = |(a, b): &(&f32, &f32)| (*a - *b).abs() < 0.01;
    let close = seen.iter().zip(&own).filter(is_close).count();
    assert!(close * 100 >= own.len() * 98, "{close} of {}", own.len());
    // Far away nothing that is there will do.
    let (_, elsewhere) = views().remove(3);
    let mut far = tile(3, &elsewhere);
    far["near"] = json!(true);
    assert_eq!(page.ask(&cookie, "/api/tile", &far).status, 200);
}

/// A request that is sent and not waited for.
fn send_only(page: &Page, cookie: &str, body: &Value) -> TcpStream {
    let body = body.to_string();
    let request = format!(
        "POST /api/tile HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        page.host,
        body.len()
    );
    let mut stream = TcpStream::connect(&page.host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Waits until the server's counts are so.
fn until(page: &Page, cookie: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let counts = page.computations(cookie);
        if is_so(&counts) {
            return counts;
        }
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{what}: {counts}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Beside the cusp at 1/4 every pixel takes a million iterations, plainly: a quarter of an hour of work for any core.
fn long() -> Value {
    json!({
        "re": "0.25000000001", "im": "0", "zoom": "1e12", "size": "2048x2048", "iterations": 10_000_000,
        "arithmetic": "f64"
    })
}

#[test]
fn what_is_out_of_date_is_not_computed() {
    let page = Page::serve("--threads 1");
    let cookie = page.operator();
    let first = send_only(&page, &cookie, &tile(1, &long()));
    until(&page, &cookie, "it is begun", |counts| {
        counts["under_way"] == 1
    });
    // Later views put it out of date, one after another; a small one is waited for.
    let quick = json!({ "re": "-0.75", "im": "0.1", "zoom": "20", "size": "32x16" });
    let answer = page.ask(&cookie, "/api/tile", &tile(5, &quick));
    assert_eq!(answer.floats().len(), 32 * 16);
    let counts = until(&page, &cookie, "the first is stopped", |counts| {
        counts["under_way"] == 0
    });
    assert_eq!(
        (&counts["begun"], &counts["stopped"]),
        (&json!(2), &json!(1))
    );
    let mut told = String::new();
    let mut first = first;
    first.read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 409"), "{told}");
    // An earlier view comes late: refused, and not begun.
    for generation in 1..5 {
        let late = page.ask(&cookie, "/api/tile", &tile(generation, &quick));
        assert_eq!(late.status, 409, "{}", late.text());
    }
    let counts = page.computations(&cookie);
    assert_eq!(
        (&counts["begun"], &counts["outdated"]),
        (&json!(2), &json!(4))
    );
    // Whoever goes away waits no more.
    let gone = send_only(&page, &cookie, &tile(6, &long()));
    until(&page, &cookie, "it is begun", |counts| {
        counts["under_way"] == 1
    });
    drop(gone);
    until(&page, &cookie, "it is stopped", |counts| {
        counts["under_way"] == 0
    });
    assert_eq!(page.ask(&cookie, "/api/tile", &tile(7, &quick)).status, 200);
}
