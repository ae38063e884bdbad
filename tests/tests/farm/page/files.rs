//! Files that are given to the page, files that it gives, and the minibrot of a view.

use farm_tests::pictures::{Npy, Png};
use farm_tests::{digest, folder, submitter};
use serde_json::{Value, json};

use super::setup::{Answer, Page};

fn place(page: &Page, cookie: &str, kind: &str, file: &[u8]) -> Answer {
    let headers = [("Cookie", cookie), ("Sec-Fetch-Site", "same-origin")];
    page.send("POST", &format!("/api/place?kind={kind}"), &headers, file)
}

#[test]
fn files_of_many_programs_are_taken() {
    let page = Page::serve("");
    let cookie = page.operator();
    let folder = folder();
    let line = "render --re -0.7436 --im 0.1318 --zoom 500 --size 64x48 --iterations 300 --palette dusk --backend cpu -q \
                -o own.png -o own.exr -o own.toml -o own.kfr";
    submitter(line).within(&folder).ok();
    let own = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let fraktaler = b"program = \"fraktaler-3\"\nlocation.real = \"-0.7436\"\nlocation.imag = \"0.1318\"\nlocation.zoom = \"500\"\n";
    for (kind, file) in [
        ("png", own("own.png")),
        ("exr", own("own.exr")),
        ("toml", own("own.toml")),
        ("kfr", own("own.kfr")),
        ("toml", fraktaler.to_vec()),
    ] {
        let answer = place(&page, &cookie, kind, &file);
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
        let request = &answer.json()["place"]["request"];
        assert_eq!(
            (&request["re"], &request["im"]),
            (&json!("-0.7436"), &json!("0.1318")),
            "{kind}"
        );
        if kind == "png" {
            assert_eq!(
                (&request["palette"], &request["iterations"]),
                (&json!("dusk"), &json!(300))
            );
        }
    }
    let ugr = b"First {\ngradient:\n  index=0 color=255\n  index=200 color=65280\n}\nSecond One {\ngradient:\n  index=0 color=16711680\n}\n";
    let answer = place(&page, &cookie, "ugr", ugr).json();
    let names: Vec<&Value> = answer["palettes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["First", "Second One"]);
    let map = place(&page, &cookie, "map", b"0 0 0\n255 0 0\n").json();
    let stops = map["palettes"][0]["palette"].clone();
    let colours = page.ask(&cookie, "/api/palette", &json!({ "palette": stops }));
    assert_eq!(colours.floats().len(), 3 * 4097);
    assert_eq!(colours.header("palette-closes"), Some("true"));
    let ggr = b"GIMP Gradient\nName: x\n1\n0 0.5 1 0 0 0 1 1 1 1 1 0 0\n";
    assert_eq!(place(&page, &cookie, "ggr", ggr).status, 200);
    for (kind, file) in [
        ("png", &b"\x89PNG\r\n\x1a\n"[..]),
        ("ugr", b"{"),
        ("ggr", b"\0"),
        ("toml", b"re = "),
        ("toml", b""),
    ] {
        let answer = place(&page, &cookie, kind, file);
        assert_eq!(answer.status, 422, "{kind}: {}", answer.text());
        let line = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(
            !line.contains("/tmp") && !line.contains(".tmp"),
            "names of this machine's files: {line}"
        );
    }
}

#[test]
fn files_that_are_saved_are_those_of_a_render() {
    let page = Page::serve("");
    let cookie = page.operator();
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let line = "render --re -0.7436 --im 0.1318 --zoom 500 --size 64x48 --iterations 300 --palette dusk --samples 4 --backend cpu -q";
    let request = json!({
        "re": "-0.7436", "im": "0.1318", "zoom": "500", "size": "64x48", "iterations": 300, "palette": "dusk", "samples": 4
    });
    for (format, kind) in [
        ("png", "image/png"),
        ("npy", "application/octet-stream"),
        ("exr", "image/x-exr"),
        ("toml", "application/toml"),
        ("kfr", "text/plain; charset=utf-8"),
    ] {
        submitter(&format!("{line} -o x.{format}"))
            .within(&folder)
            .ok();
        let answer = page.ask(
            &cookie,
            "/api/picture",
            &json!({ "format": format, "request": request }),
        );
        assert_eq!(answer.status, 200, "{format}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some(kind));
        let disposition = format!("attachment; filename=\"mandelbrot.{format}\"");
        assert_eq!(answer.header("content-disposition"), Some(&*disposition));
        std::fs::write(at(&format!("y.{format}")), &answer.body).unwrap();
        assert_eq!(
            digest(at(&format!("x.{format}"))),
            digest(at(&format!("y.{format}"))),
            "{format}"
        );
    }
    assert_eq!(Png::read(at("y.png")).pixels.len(), 64 * 48);
    assert_eq!(Npy::read(at("y.npy")).f32s().len(), 4 * 64 * 48);
}

#[test]
fn the_minibrot_of_a_view_is_found() {
    let page = Page::serve("");
    let cookie = page.operator();
    let search = json!({ "re": "-1.7548", "im": "0.001", "zoom": "20" });
    let answer = page.ask(&cookie, "/api/minibrot", &search);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let found = answer.json();
    assert_eq!(
        (&found["period"], &found["shape"]),
        (&json!(3), &json!("cardioid"))
    );
    assert!(
        found["request"]["re"].as_str().unwrap().starts_with("-1.7"),
        "{found}"
    );
    let nothing = json!({ "re": "1.5", "im": "1.5", "zoom": "20" });
    assert_eq!(page.ask(&cookie, "/api/minibrot", &nothing).status, 422);
}

#[test]
fn palettes_are_known_by_their_names() {
    let page = Page::serve("");
    let cookie = page.operator();
    let names = page
        .send("GET", "/api/palettes", &[("Cookie", &cookie)], b"")
        .json();
    let names = names.as_array().unwrap().clone();
    assert!(names.len() >= 20);
    for name in &names {
        let colours = page
            .ask(&cookie, "/api/palette", &json!({ "palette": name }))
            .floats();
        assert_eq!(colours.len(), 3 * 4097, "{name}");
        assert!(
            colours.iter().all(|value| (0.0..=1.0).contains(value)),
            "{name}"
        );
    }
    let refused = page.ask(&cookie, "/api/palette", &json!({ "palette": "no such" }));
    assert_eq!(refused.status, 422);
}
