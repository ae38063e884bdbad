//! Other formulas in the explorer: chosen in the page, held by its address and its commands, and their Julia sets.

use farm_tests::{Browser, Server, Worker};
use serde_json::json;

use super::super::browser::{apart, open, pixels, rendered};
use super::super::farm_view::gathered;
use super::super::setup::Page;
use super::steps::{assert_accessible, at_rest_after, click, set};

const CAPTION: &str = "document.getElementById('iterated').textContent";

/// What is seen is what the page's own command renders; the command.
#[track_caller]
fn is_rendered(browser: &Browser) -> String {
    let (expected, command) = rendered(browser);
    let worst = apart(&pixels(browser), &expected);
    assert!(worst <= 1, "{worst} levels: {command}");
    command
}

#[test]
fn formulas_are_chosen_and_held() {
    let page = Page::serve("");
    let browser = Browser::start(480, 320, &["--enable-unsafe-swiftshader"]);
    open(
        &page,
        &browser,
        "#re=-0.75&im=0.1&zoom=20&iterations=800&palette=ice",
    );
    assert_eq!(browser.value(CAPTION), "z² + c");
    let set_before = pixels(&browser);
    click(&browser, "[data-do=places]");
    assert_accessible(&browser, "the panel of places");
    // All names of the program, and one of them.
    assert_eq!(
        browser.value("document.getElementById('formula').options.length"),
        16
    );
    set(&browser, "#formula", "burning-ship");
    at_rest_after(&browser, || click(&browser, "#iterate button"));
    browser.until(&format!("{CAPTION} === 'burning-ship'"));
    browser.until("location.hash.includes('formula=burning-ship')");
    let ship = pixels(&browser);
    assert_ne!(ship, set_before);
    let command = is_rendered(&browser);
    assert!(command.contains("--formula burning-ship"), "{command}");
    // Its home view, in which the minimap is, too.
    browser.until("document.getElementById('zoom').textContent.startsWith('1.')");
    // What is written of it opens the same again, in a page that knows nothing.
    let address = browser.value("location.href");
    browser.open("about:blank");
    browser.open(address.as_str().unwrap());
    browser.until("document.body.dataset.state === 'rest'");
    assert_eq!(apart(&pixels(&browser), &ship), 0, "{address}");
    // Operations, and what is none of them.
    click(&browser, "[data-do=places]");
    set(&browser, "#operations", "sqr add / absx absy pow3 add");
    at_rest_after(&browser, || click(&browser, "#iterate button"));
    browser.until(&format!("{CAPTION} === 'sqr add / absx absy pow3 add'"));
    let command = is_rendered(&browser);
    assert!(
        command.contains("--formula \"sqr add / absx absy pow3 add\""),
        "{command}"
    );
    set(&browser, "#operations", "sqr sub");
    at_rest_after(&browser, || click(&browser, "#iterate button"));
    browser.until("document.getElementById('message').textContent.includes(\"'sub'\")");
    // A Julia set by its c.
    set(&browser, "#operations", "");
    set(&browser, "#formula", "celtic");
    set(&browser, "#julia-c", "-0.8 0.156");
    at_rest_after(&browser, || click(&browser, "#iterate button"));
    browser.until(&format!(
        "{CAPTION} === 'celtic, the Julia set of -0.8 + 0.156 i'"
    ));
    let command = is_rendered(&browser);
    assert!(command.contains("--julia -0.8 0.156"), "{command}");
    set(&browser, "#julia-c", "x");
    click(&browser, "#iterate button");
    browser.until("document.getElementById('message').textContent.includes('two numbers')");
    let refusals = browser.errors();
    let is_refusal = |line: &String| line.contains("/api/tile") && line.contains("422");
    assert!(refusals.iter().all(is_refusal), "{refusals:?}");
}

/// The Julia set of the point under the pointer: in the corner, and by a click the view.
#[test]
fn julia_sets_of_any_formula_are_seen_and_gone_to() {
    let page = Page::serve("");
    let browser = Browser::start(480, 320, &["--enable-unsafe-swiftshader"]);
    let drawn = "document.getElementById('julia').dataset.drawn";
    let colours = "(() => { const { width, height } = document.getElementById('julia');
        const data = document.getElementById('julia').getContext('2d').getImageData(0, 0, width, height).data;
        return [...data].reduce((sum, one, index) => (sum * 31 + one * (index % 7)) % 1000003, 7); })()";
    let mut before = json!(null);
    for hash in [
        "#re=-0.8&im=0.156&zoom=20&iterations=500&palette=ice",
        "#re=-0.8&im=0.156&zoom=20&iterations=500&palette=ice&formula=tricorn",
    ] {
        open(&page, &browser, hash);
        browser.key("j");
        browser.until("!document.getElementById('julia').hidden");
        browser.until(&format!("({drawn} || '').startsWith('-0.8 0.156')"));
        let sum = browser.value(colours);
        assert_ne!(sum, before, "{hash}");
        before = sum;
        assert_accessible(&browser, hash);
        at_rest_after(&browser, || click(&browser, "#julia"));
        browser.until("location.hash.includes('julia=-0.8,0.156')");
        browser.until(&format!("{CAPTION}.includes('Julia set of -0.8')"));
        let command = is_rendered(&browser);
        assert!(command.contains("--julia -0.8 0.156"), "{command}");
        // And back to the formula's own set.
        at_rest_after(&browser, || browser.key("J"));
        browser.until("!location.hash.includes('julia')");
        browser.open("about:blank");
    }
    assert_eq!(browser.errors(), [""; 0]);
}

/// By a farm's workers, too.
#[test]
fn formulas_are_computed_by_a_farm() {
    let server = Server::start();
    let _worker = Worker::start(&server, "crew");
    let page = Page::serve(&format!("--redis {}", server.url()));
    let cookie = page.operator();
    gathered(&page, "mandelfarm_workers ", |workers| workers == 1.0);
    let request = json!({ "formula": "burning-ship", "re": "-1.75", "im": "0.03", "zoom": "30", "size": "640x400", "iterations": 2000 });
    let ask = |generation: u64| {
        let body = json!({ "viewer": "v", "generation": generation, "request": request });
        page.ask(&cookie, "/api/tile", &body)
    };
    let values = ask(1).floats();
    // Whoever is first answers: some of several are the farm's, with the same bytes.
    let by_farm = (2..40).any(|generation| {
        let answer = ask(generation);
        assert!(
            answer.floats() == values,
            "{:?}",
            answer.header("tile-maker")
        );
        answer.header("tile-maker") == Some("farm")
    });
    assert!(by_farm);
}

/// Files that are saved say what was iterated, and are read as that.
#[test]
fn files_that_are_saved_say_the_formula() {
    let page = Page::serve("");
    let cookie = page.operator();
    let ship = json!({ "formula": "burning-ship", "re": "-1.75", "im": "0.03", "zoom": "30", "size": "64x48", "iterations": 300 });
    let mut julia = ship.clone();
    julia["julia"] = json!(["-0.8", "0.156"]);
    for (format, request) in [
        ("png", &ship),
        ("exr", &julia),
        ("toml", &julia),
        ("kfr", &ship),
    ] {
        let saved = page.ask(
            &cookie,
            "/api/picture",
            &json!({ "format": format, "request": request }),
        );
        assert_eq!(saved.status, 200, "{format}: {}", saved.text());
        let headers = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin")];
        let path = format!("/api/place?kind={format}");
        let read = page.send("POST", &path, &headers, &saved.body).json();
        let said = &read["place"]["request"];
        assert_eq!(said["formula"], "burning-ship", "{format}");
        assert_eq!(said["julia"], request["julia"], "{format}");
    }
    // Kalles Fraktaler has no Julia sets: none is written, in one line.
    let refused = page.ask(
        &cookie,
        "/api/picture",
        &json!({ "format": "kfr", "request": julia }),
    );
    assert_eq!(refused.status, 422, "{}", refused.text());
}
