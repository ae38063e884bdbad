//! The palette editor in a browser: stops that are added, moved, coloured and removed; undone; kept; saved for other programs
//! and opened again.

use farm_tests::Browser;
use serde_json::{Value, json};

use super::super::browser::{apart, open, pixels, rendered};
use super::super::setup::Page;
use super::steps::{assert_accessible, click, set};

const ROWS: &str = "document.querySelectorAll('#stop-list li').length";
const PALETTE: &str = "document.body.dataset.palette";
const TAB: &str = "\u{e004}";

fn rows(browser: &Browser) -> u64 {
    browser.value(ROWS).as_u64().unwrap()
}

#[test]
fn palettes_are_edited_kept_and_saved() {
    let page = Page::serve("");
    let browser = Browser::start(900, 900, &["--enable-unsafe-swiftshader"]);
    open(
        &page,
        &browser,
        "#re=-0.75&im=0.1&zoom=20&iterations=800&palette=gold",
    );
    click(&browser, "[data-do=colours]");
    browser.run("document.querySelector('#editor summary').focus()", &[]);
    browser.key("\u{e007}");
    browser.until("document.getElementById('editor').open");
    browser.until(&format!("{ROWS} >= 2"));
    // A named palette begins as stops that show it.
    let before = pixels(&browser);
    assert_accessible(&browser, "the editor");
    // By keys alone: a stop is added, has the focus, and is removed.
    let count = rows(&browser);
    browser.run("document.getElementById('add-stop').focus()", &[]);
    browser.key("\u{e007}");
    browser.until(&format!("{ROWS} === {}", count + 1));
    browser.until("document.activeElement.type === 'color'");
    browser.key(TAB);
    browser.until("document.activeElement.type === 'number'");
    browser.key(TAB);
    browser.until("document.activeElement.textContent === '×'");
    browser.key("\u{e007}");
    browser.until(&format!("{ROWS} === {count}"));
    // Its pixels are as before, or nearly: it was as few stops as show it.
    let near = pixels(&browser);
    let off = apart(&near, &before);
    assert!(off <= 12, "{off} levels");
    // A palette of one's own, from its text.
    let text = "cyclic oklab: #000764 0%, #206bcb 16%, #edffff 42%, #ffaa00 64.25%, #000200 85.75%";
    set(&browser, "#stops", text);
    browser.until(&format!("{PALETTE} === {}", json!(text)));
    browser.until(&format!("{ROWS} === 5"));
    assert_eq!(
        browser.value("document.getElementById('cyclic').checked"),
        true
    );
    assert_eq!(
        browser.value("document.getElementById('blend').value"),
        "oklab"
    );
    // Moved beyond its neighbour, coloured, and undone step by step.
    set(
        &browser,
        "#stop-list li:nth-child(2) input[type=number]",
        "50",
    );
    browser.until(&format!("{PALETTE}.includes('#edffff 42%, #206bcb 50%')"));
    set(
        &browser,
        "#stop-list li:nth-child(1) input[type=color]",
        "#ff0080",
    );
    browser.until(&format!("{PALETTE}.includes('#ff0080 0%')"));
    let edited = pixels(&browser);
    let (expected, command) = rendered(&browser);
    assert!(apart(&edited, &expected) <= 1, "{command}");
    click(&browser, "[data-do=colours]");
    for expected in [
        "#000764 0%, #edffff 42%, #206bcb 50%",
        "#000764 0%, #206bcb 16%",
    ] {
        click(&browser, "#undo");
        browser.until(&format!("{PALETTE}.includes('{expected}')"));
    }
    click(&browser, "#redo");
    click(&browser, "#redo");
    browser.until(&format!("{PALETTE}.includes('#ff0080 0%')"));
    // Pressed on the bar a stop comes, and goes along.
    let bar = browser.value("(() => { const box = document.getElementById('bar').getBoundingClientRect(); return [box.left, box.top + box.height / 2, box.width].map(Math.round); })()");
    let at = |part: f64| -> (i64, i64) {
        let number = |index: usize| bar[index].as_f64().unwrap();
        ((number(0) + part * number(2)) as i64, number(1) as i64)
    };
    browser.drag(at(0.75), at(0.78));
    browser.until(&format!("{ROWS} === 6"));
    browser.until(&format!("/ 7[78][.\\d]*%/.test({PALETTE})"));
    click(&browser, "#undo");
    click(&browser, "#undo");
    browser.until(&format!("{ROWS} === 5"));
    // Kept under a name, in this browser, also when the page is opened again.
    set(&browser, "#palette-name", "evening <b>");
    click(&browser, "#keep-palette");
    let kept =
        "[...document.getElementById('palette').options].find((one) => one.text === 'evening <b>')";
    browser.until(kept);
    let palette = browser.value(PALETTE);
    let files = saved(&browser);
    open(
        &page,
        &browser,
        "#re=-0.75&im=0.1&zoom=20&iterations=800&palette=ice",
    );
    browser.open(&format!(
        "http://{}/#re=-0.75&im=0.1&zoom=20&iterations=800&palette=ice",
        page.host
    ));
    browser.until(kept);
    assert_eq!(browser.value(&format!("{kept}.value")), palette);
    // Saved for other programs, and read by ours: nearly the same colours.
    let colours = |palette: &Value| {
        let cookie = page.operator();
        page.ask(&cookie, "/api/palette", &json!({ "palette": palette }))
            .floats()
    };
    let own = colours(&palette);
    for (kind, text) in files.as_object().unwrap() {
        let headers = [
            ("Cookie", &*page.operator()),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        let read = page.send(
            "POST",
            &format!("/api/place?kind={kind}"),
            &headers,
            text.as_str().unwrap().as_bytes(),
        );
        assert_eq!(read.status, 200, "{kind}: {}", read.text());
        let again = colours(&read.json()["palettes"][0]["palette"]);
        let off = own
            .iter()
            .zip(&again)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(off <= 0.06, "{kind}: {off}");
        if kind == "ugr" {
            assert_eq!(read.json()["palettes"][0]["name"], "evening__b_");
        }
    }
    assert_eq!(browser.errors(), [""; 0]);
}

/// The texts of all files that the editor saves, by their kind.
fn saved(browser: &Browser) -> Value {
    let script = "const files = {};
        const make = URL.createObjectURL;
        const blobs = [];
        URL.createObjectURL = (blob) => { blobs.push(blob); return make(blob); };
        HTMLAnchorElement.prototype.click = () => {};
        const kinds = ['map', 'ggr', 'ugr', 'css'];
        for (const kind of kinds) document.querySelector(`[data-gradient=${kind}]`).click();
        return Promise.all(blobs.map((blob) => blob.text())).then((texts) => Object.fromEntries(texts.map((text, index) => [kinds[index], text])));";
    browser.ask(script, &[])
}
