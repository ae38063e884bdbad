//! What is done to a panel, and what is seen of it.

use farm_tests::Browser;
use serde_json::json;

/// Clicks what a selector finds.
pub fn click(browser: &Browser, selector: &str) {
    browser.run(
        "document.querySelector(arguments[0]).click()",
        &[json!(selector)],
    );
}

/// Says something in a field, as somebody who types it and goes on.
pub fn set(browser: &Browser, selector: &str, value: &str) {
    let script = "const field = document.querySelector(arguments[0]);
        field.value = arguments[1];
        for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, { bubbles: true }));";
    browser.run(script, &[json!(selector), json!(value)]);
}

/// Waits until the picture is another one and at rest; `act` is what makes it so.
pub fn at_rest_after(browser: &Browser, act: impl FnOnce()) {
    browser.run("document.body.dataset.state = 'sent'", &[]);
    act();
    browser.until("document.body.dataset.state === 'rest'");
}

/// What axe-core finds, which is nothing.
#[track_caller]
pub fn assert_accessible(browser: &Browser, what: &str) {
    let axe = std::fs::read_to_string(farm_tests::browser::axe())
        .expect("axe-core: ./tests/run installs it");
    browser.run(&axe, &[]);
    let script =
        "window.found = null; axe.run().then((found) => { window.found = found.violations; })";
    browser.run(script, &[]);
    browser.until("window.found !== null");
    let found = browser
        .value("window.found.map((one) => [one.id, one.help, one.nodes.map((node) => node.html)])");
    assert_eq!(found, json!([]), "{what}");
}
