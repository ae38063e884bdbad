//! In a browser: a picture is left with a server that has a farm, is seen to grow, and is there.

use farm_tests::browser::axe;
use farm_tests::{Browser, Server, Worker, folder, submitter};
use rustix::process::Signal;
use serde_json::json;

use super::setup::Page;

/// Clicks whatever a selector finds first.
fn click(browser: &Browser, selector: &str) {
    let script = "document.querySelector(arguments[0]).click()";
    browser.run(script, &[json!(selector)]);
}

/// Says something in a field of a form, as somebody who types it.
fn set(browser: &Browser, id: &str, value: &str) {
    let script = "const field = document.getElementById(arguments[0]);
        field.value = arguments[1];
        for (const kind of ['input', 'change']) if (kind === 'input' || field.tagName === 'SELECT')
            field.dispatchEvent(new Event(kind, { bubbles: true }));";
    browser.run(script, &[json!(id), json!(value)]);
}

/// The rows of the jobs whose files' cell has a text.
fn row(name: &str, cell: u32) -> String {
    format!(
        "([...document.querySelectorAll('#queue tr')].find((row) => row.children[1].textContent.includes('{name}')) \
         || {{ children: [] }}).children[{cell}]"
    )
}

#[test]
fn a_picture_is_left_with_a_farm_and_seen_to_grow() {
    let server = Server::start();
    let outputs = folder();
    let page = Page::serve(&format!(
        "--redis {} --output {}",
        server.url(),
        outputs.path().display()
    ));
    // Workers whose strips take a while: one of them will be killed.
    let slow = |name: &str| {
        let command = Worker::slow_command(&server.url(), name, "1.2");
        Worker::ready(command.args(["--lease", "3"]))
    };
    let (good, doomed) = (slow("good"), slow("doomed"));
    let browser = Browser::start(1280, 900, &["--enable-unsafe-swiftshader"]);
    let hash = "#re=-0.7436&im=0.1318&zoom=300&iterations=3000&palette=dusk";
    browser.open(&format!(
        "http://{}/?token={}{hash}",
        page.host, page.tokens[0]
    ));
    browser.until(
        "document.body.dataset.state === 'rest' && !document.getElementById('to-leave').hidden",
    );
    browser.key("l");
    browser.until("document.getElementById('leave').open");
    set(&browser, "leave-size", "900x700");
    set(&browser, "leave-samples", "4");
    set(&browser, "leave-name", "poster.png");
    browser.until("document.getElementById('leave').dataset.state === 'planned' && document.getElementById('leave-cost').textContent.includes('900 × 700')");
    let cost = browser.value("document.getElementById('leave-cost').textContent");
    for word in ["iterations", "on 2 workers of the farm", "Memory", "Disk"] {
        assert!(cost.as_str().unwrap().contains(word), "{word}: {cost}");
    }
    set(&browser, "leave-name", "../poster.png");
    browser.until("document.getElementById('leave').dataset.state === 'problem'");
    set(&browser, "leave-name", "poster.png");
    browser.until("document.getElementById('leave').dataset.state === 'planned'");
    let audit = "return axe.run().then((found) => found.violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.html).join(' ')));";
    let violations = |browser: &Browser| {
        browser.run(&std::fs::read_to_string(axe()).unwrap(), &[]);
        browser.ask(audit, &[])
    };
    assert_eq!(violations(&browser), json!([]));
    click(&browser, "#leave-go");
    browser.until("document.body.dataset.left");
    // And one more that is cancelled, with a name that would be markup on a page that took it for that.
    let other = format!(
        "submit --server {} render --density 200 --iterations 300 -o",
        outputs.path().display()
    );
    submitter(&other).arg("other'\u{26}amp;.png").ok();
    browser.open(&format!("http://{}/farm", page.host));
    browser.until("document.querySelectorAll('#queue tr').length === 2");
    // It grows: rows come, and it is seen who made them and what is under way.
    browser.until(&format!(
        "{}.textContent === 'running'",
        row("poster.png", 2)
    ));
    browser.run(
        &format!("{}.querySelector('button').click()", row("poster.png", 1)),
        &[],
    );
    browser.until("Number(document.getElementById('grown').dataset.rows) > 8");
    let rows = "Number(document.getElementById('grown').dataset.rows)";
    let before = browser.value(rows).as_f64().unwrap();
    browser.until(&format!("{rows} > {before}"));
    browser.until("document.getElementById('grown').dataset.under > 0");
    browser.until("document.getElementById('makers').textContent.includes('doomed')");
    let painted = "(() => { const { width, height } = document.getElementById('grown');
        const data = document.getElementById('grown').getContext('2d').getImageData(16, 0, width - 16, height).data;
        const colours = new Set(); for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) colours.add(data[i] * 65536 + data[i + 1] * 256 + data[i + 2]);
        return colours.size; })()";
    assert!(browser.value(painted).as_u64() > Some(20));
    assert_eq!(violations(&browser), json!([]));
    // The other one is cancelled.
    browser.run(
        &format!("{}.querySelector('input').click()", row("amp", 0)),
        &[],
    );
    click(&browser, "[data-job-deed=cancel]");
    click(&browser, "#sure [value=yes]");
    browser.until(&format!("{}.textContent === 'cancelled'", row("amp", 2)));
    // A worker is killed, and the page shows that it is gone; the other one goes on.
    let doomed = doomed.into_running();
    doomed.signal(Signal::KILL);
    browser.until("![...document.querySelectorAll('#workers tr')].some((row) => row.textContent.includes('doomed'))");
    let _more = Worker::impatient(&server, "more");
    browser.until(&format!("{}.textContent === 'done'", row("poster.png", 2)));
    browser.until(&format!(
        "{}.querySelector('img').naturalWidth === 160",
        row("poster.png", 1)
    ));
    // What is downloaded is the file: the same as a render's.
    let script = "return fetch(document.querySelector('#queue a').href).then((response) => response.arrayBuffer()).then((bytes) => bytes.byteLength)";
    let bytes = browser.ask(script, &[]).as_u64().unwrap();
    let file = outputs.path().join("poster.png");
    assert_eq!(bytes, std::fs::metadata(&file).unwrap().len());
    let here = folder();
    let line = "render --re -0.7436 --im 0.1318 --zoom 300 --size 900x700 --iterations 3000 --palette dusk --samples 4 --backend cpu -q -o poster.png";
    submitter(line).within(&here).ok();
    let expected = farm_tests::pictures::Png::read(here.path().join("poster.png"));
    assert!(farm_tests::pictures::Png::read(file).pixels == expected.pixels);
    // Filters and sorting are in the address.
    set(&browser, "kept", "done");
    browser.until("location.hash.includes('kept=done') && document.querySelectorAll('#queue tr').length === 1");
    click(&browser, "th[data-sort=size] button");
    browser.until("location.hash.includes('queue=size')");
    let address = browser.value("location.href");
    browser.open("about:blank");
    browser.open(address.as_str().unwrap());
    browser.until("document.querySelectorAll('#queue tr').length === 1 && document.querySelector('th[data-sort=size]').getAttribute('aria-sort') === 'ascending'");
    // The name that was refused, and nothing else.
    let errors = browser.errors();
    let is_refusal = |line: &String| line.contains("/api/jobs/plan") && line.contains("422");
    assert!(errors.iter().all(is_refusal), "{errors:?}");
    drop(good);
}
