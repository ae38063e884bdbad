//! The page in a real Chromium: flights, colours, addresses, files, phones, keyboards, and what keeps people out.

use farm_tests::browser::axe;
use farm_tests::programs::Run;
use farm_tests::tools::build_folder;
use farm_tests::{Browser, folder};
use serde_json::{Value, json};

use super::setup::Page;

const REST: &str = "document.body.dataset.state === 'rest'";
/// All pixels that are seen, red, green and blue, as one text.
const PIXELS: &str = "const picture = document.getElementById('picture');
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [picture.width, picture.height];
    const context = copy.getContext('2d');
    context.drawImage(picture, 0, 0);
    const data = context.getImageData(0, 0, copy.width, copy.height).data;
    let text = '';
    for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(0x100 + data[i], 0x100 + data[i + 1], 0x100 + data[i + 2]);
    return text;";
const LATE_FRAMES: &str = "const soon = requestAnimationFrame;
    window.requestAnimationFrame = (paint) => setTimeout(() => soon(paint), 300);";
const ARROW_LEFT: &str = "\u{e012}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const HOME: &str = "\u{e011}";

/// The page in a browser, at rest.
pub fn open(page: &Page, browser: &Browser, hash: &str) {
    browser.open(&format!(
        "http://{}/?token={}{hash}",
        page.host, page.tokens[0]
    ));
    browser.until(REST);
}

/// Another place of the same page, once it is at rest.
pub fn go(browser: &Browser, hash: &str) {
    // A new place is begun in the same moment as it is heard of, and `rest` is not said before it is there.
    browser.run(
        "document.body.dataset.state = 'sent'; location.hash = arguments[0]",
        &[json!(hash)],
    );
    browser.until(REST);
}

pub fn pixels(browser: &Browser) -> Vec<u8> {
    let text = browser.ask(PIXELS, &[]);
    let text = text.as_str().unwrap();
    text.chars().map(|c| (c as u32 - 0x100) as u8).collect()
}

/// What the page's own command line renders.
pub fn rendered(browser: &Browser) -> (Vec<u8>, String) {
    let script = "document.querySelector('[data-do=save]').click();
        const text = document.getElementById('command').value;
        document.querySelector('[data-do=save]').click();
        return text;";
    let command = browser.ask(script, &[]).as_str().unwrap().to_owned();
    let folder = folder();
    // As somebody pastes it into a shell.
    let path = format!(
        "{}:{}",
        build_folder().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let line = format!("{command} --backend cpu -q");
    Run::any("bash")
        .arg("-c")
        .arg(line)
        .env("PATH", &path)
        .within(&folder)
        .ok();
    let png = farm_tests::pictures::Png::read(folder.path().join("mandelbrot.png"));
    (png.pixels.concat(), command)
}

/// How far two pictures are apart at most, in levels.
pub fn apart(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// Schemes of every kind, at places of every arithmetic.
const SEEN: [&str; 8] = [
    "#re=-0.6&im=0&zoom=1.5&iterations=800&palette=plasma",
    "#re=-0.75&im=0.1&zoom=20&iterations=1000&palette=spectral&period=30&mapping=linear&offset=0.25&inside=%23ff8000",
    "#re=-0.75&im=0.1&zoom=20&iterations=1000&palette=viridis&colour=distance",
    "#re=-0.75&im=0.1&zoom=20&iterations=1000&palette=gold&colour=bands&cycles=4",
    "#re=-0.74364388703&im=0.13182590420&zoom=2000&iterations=2000&palette=classic&light=120,1.5",
    "#re=-0.74364388703&im=0.13182590420&zoom=2000&iterations=2000&palette=turbo&equalise=1",
    "#re=-1.401155189093314712&im=0.0000001&zoom=1e6&iterations=1500&palette=ember&mapping=sqrt",
    "#re=0&im=1&zoom=1e50&iterations=3000&palette=dusk&cycles=3",
];

#[test]
fn what_is_seen_is_what_the_program_renders() {
    let page = Page::serve("");
    for (arguments, painter) in [
        (&["--enable-unsafe-swiftshader"][..], "WebGL2"),
        (&["--disable-gpu", "--disable-3d-apis"], "Canvas"),
    ] {
        let browser = Browser::start(480, 320, arguments);
        // Shaders that no card has are slower than plain code, and are taken where somebody says so.
        open(&page, &browser, "");
        assert_eq!(browser.value("document.body.dataset.painter"), "Canvas");
        browser.open("about:blank");
        open(&page, &browser, "#painter=shaders");
        assert_eq!(browser.value("document.body.dataset.painter"), painter);
        // Frames that come late, as on a busy machine: at rest all of it is seen nevertheless.
        browser.run(LATE_FRAMES, &[]);
        let mut before = Vec::new();
        for hash in SEEN {
            go(&browser, hash);
            let seen = pixels(&browser);
            let (expected, command) = rendered(&browser);
            let worst = apart(&seen, &expected);
            assert!(worst <= 1, "{painter}: {worst} levels: {command}");
            assert_ne!(before, seen, "control: {command}");
            before = seen;
        }
        assert_eq!(browser.errors(), [""; 0]);
    }
}

#[test]
fn by_wheel_to_1e30_and_by_its_address_there_again() {
    let page = Page::serve("");
    let browser = Browser::start(480, 400, &["--enable-unsafe-swiftshader"]);
    // Around i the set looks the same at every zoom.
    open(&page, &browser, "#re=0&im=1&zoom=2&palette=ice");
    let centre = browser.value("[innerWidth / 2, innerHeight / 2].map(Math.round)");
    let at = (centre[0].as_i64().unwrap(), centre[1].as_i64().unwrap());
    let zoom = || -> f64 {
        let text = browser.value("document.getElementById('zoom').textContent");
        text.as_str()
            .unwrap()
            .split(',')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    let mut turns = 0;
    while zoom() < 1e30 {
        assert!(turns < 120, "zoom {}", zoom());
        // To where the set is: the pointer stays near the middle of what is seen.
        browser.wheel(at, -600);
        turns += 1;
        assert!(
            browser.value("document.body.dataset.painter").is_string(),
            "never blank"
        );
    }
    browser.until(REST);
    assert!(turns > 30, "{turns} turns");
    let (expected, command) = rendered(&browser);
    assert!(apart(&pixels(&browser), &expected) <= 1, "{command}");
    // Another palette, by its list.
    let choose = "const list = document.getElementById('palette');
        list.value = arguments[0];
        list.dispatchEvent(new Event('change', { bubbles: true }));";
    browser.run("document.querySelector('[data-do=colours]').click()", &[]);
    let before = pixels(&browser);
    browser.run(choose, &[json!("ember")]);
    browser.until("location.hash.includes('palette=ember')");
    browser.until("document.body.dataset.palette === 'ember'");
    browser.until(REST);
    let seen = pixels(&browser);
    assert_ne!(seen, before, "another palette");
    // The address alone shows the same pixels, also in a page that knows nothing yet.
    let address = browser.value("location.href");
    browser.run("document.querySelector('[data-do=home]').click()", &[]);
    browser.until("location.hash.includes('zoom=1.')");
    browser.open("about:blank");
    browser.open(address.as_str().unwrap());
    browser.until(REST);
    assert_eq!(apart(&pixels(&browser), &seen), 0, "{address}");
    // The browser's own way back.
    go(
        &browser,
        "#re=-0.75&im=0.1&zoom=20&iterations=500&palette=ice",
    );
    browser.run("document.body.dataset.state = 'sent'; history.back()", &[]);
    browser.until("document.getElementById('zoom').textContent.includes('e30')");
    browser.until(REST);
    assert_eq!(apart(&pixels(&browser), &seen), 0);
    assert_eq!(browser.errors(), [""; 0]);
}

#[test]
fn a_place_that_is_dropped_is_shown() {
    let page = Page::serve("");
    let browser = Browser::start(480, 320, &["--enable-unsafe-swiftshader"]);
    open(&page, &browser, "");
    let drop = "const data = new DataTransfer();
        data.items.add(new File([arguments[1]], arguments[0]));
        document.getElementById('picture').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));";
    let kfr = "Re: -1.7548776662466927600495088963585286918946\r\nIm: 0\r\nZoom: 1E3\r\nIterations: 2000\r\n";
    browser.run(drop, &[json!("place.kfr"), json!(kfr)]);
    browser.until("location.hash.includes('re=-1.75487766624669276')");
    browser.until(REST);
    let (expected, command) = rendered(&browser);
    assert!(
        command.contains("--re -1.7548776662466927600495088963585286918946"),
        "{command}"
    );
    assert!(apart(&pixels(&browser), &expected) <= 1, "{command}");
    let map = "0 0 0\n255 0 0\n255 255 255\n";
    browser.run(drop, &[json!("x.map"), json!(map)]);
    browser.until("location.hash.includes('palette=cyclic')");
    browser.until("document.body.dataset.palette.startsWith('cyclic')");
    browser.until(REST);
    let (expected, command) = rendered(&browser);
    assert!(apart(&pixels(&browser), &expected) <= 1, "{command}");
    // A palette that would be a shell's command is quoted as a whole.
    let quote = "import('/scheme.js').then((all) => {
        window.words = all.wordsOf({ ...all.plainScheme(), palette: arguments[0] })[1];
    })";
    let quote = quote.replace("arguments[0]", r#"`x'; touch y; '$(touch z)`"#);
    browser.run(&quote, &[]);
    browser.until("window.words");
    let words = browser.value("window.words");
    let echoed = format!("printf %s {}", words.as_str().unwrap());
    let echoed = Run::any("bash").arg("-c").arg(echoed).ok();
    assert_eq!(echoed.stdout, "x'; touch y; '$(touch z)");
    browser.run(drop, &[json!("x.kfr"), json!("nothing")]);
    browser.until(
        "document.getElementById('message').textContent.startsWith('x.kfr: not a location')",
    );
    browser.run(
        drop,
        &[json!("<img src=x onerror=alert(1)>.exe"), json!("")],
    );
    browser.until("document.getElementById('message').textContent.includes('no place')");
    assert_eq!(
        browser.value("document.querySelectorAll('#message img').length"),
        0
    );
}

#[test]
fn a_phone_shows_all_of_it_and_takes_two_fingers() {
    let outputs = folder();
    let page = Page::serve(&format!("--output {}", outputs.path().display()));
    let browser = Browser::phone(360, 640);
    open(&page, &browser, "#re=-0.75&im=0.1&zoom=2&palette=ice");
    // With every button that there is.
    browser.until("!document.getElementById('to-leave').hidden");
    let outside = "[...document.querySelectorAll('#tools button, #caption')].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight || box.width === 0;
    }).length";
    assert_eq!(browser.value(outside), 0);
    let zoom = "Number(document.getElementById('zoom').textContent.split(',')[0])";
    let before = browser.value(zoom).as_f64().unwrap();
    browser.fingers(&[[(160, 300), (80, 220)], [(200, 340), (280, 420)]]);
    browser.until(&format!("{zoom} > {}", before * 2.0));
    let centre = browser.value("document.getElementById('centre').textContent");
    browser.fingers(&[[(180, 320), (100, 320)]]);
    browser.until(&format!(
        "document.getElementById('centre').textContent !== {centre}"
    ));
    browser.until(REST);
    let (expected, command) = rendered(&browser);
    assert!(apart(&pixels(&browser), &expected) <= 1, "{command}");
}

#[test]
fn all_of_it_can_be_done_by_keys() {
    let page = Page::serve("");
    let browser = Browser::start(640, 480, &["--enable-unsafe-swiftshader"]);
    open(&page, &browser, "#re=-0.75&im=0.1&zoom=2&palette=ice");
    let centre = "document.getElementById('centre').textContent";
    let zoom = "Number(document.getElementById('zoom').textContent.split(',')[0])";
    let before = browser.value(centre);
    browser.key(ARROW_LEFT);
    browser.until(&format!("{centre} !== {before}"));
    browser.key("+");
    browser.until(&format!("{zoom} === 3"));
    browser.key("3");
    browser.until(&format!("{zoom} === 24"));
    browser.key("-");
    browser.until(&format!("{zoom} === 16"));
    browser.key("?");
    browser.until("document.getElementById('help').open");
    browser.key(ESCAPE);
    browser.until("!document.getElementById('help').open");
    browser.key("c");
    browser.until("document.activeElement.id === 'palette'");
    browser.key(ESCAPE);
    browser.key(HOME);
    // Every button is reached by the tabulator, and shows that it is.
    let mut reached = Vec::new();
    for _ in 0..60 {
        browser.key(TAB);
        let name =
            browser.value("document.activeElement.textContent.trim() || document.activeElement.id");
        let name = name.as_str().unwrap_or_default().to_owned();
        if reached.first() == Some(&name) {
            break;
        }
        reached.push(name);
    }
    for name in [
        "Home",
        "+",
        "Find the minibrot",
        "Colours",
        "Places",
        "Save",
        "Help",
    ] {
        assert!(
            reached.iter().any(|other| other == name),
            "{name}: {reached:?}"
        );
    }
    browser.run("document.querySelector('[data-do=places]').focus()", &[]);
    browser.key(ENTER);
    browser.until("!document.getElementById('places').hidden");
    browser.run("document.querySelector('[data-do=bookmark]').focus()", &[]);
    browser.key(ENTER);
    browser.until("document.querySelectorAll('#bookmarks img').length === 1");
}

#[test]
fn drags_go_as_far_as_the_pointer() {
    let page = Page::serve("");
    let browser = Browser::start(
        640,
        480,
        &[
            "--enable-unsafe-swiftshader",
            "--force-prefers-reduced-motion",
        ],
    );
    open(&page, &browser, "#re=0.5&im=0.25&zoom=2&palette=ice");
    browser.drag((300, 200), (220, 230));
    browser.until("!document.getElementById('centre').textContent.startsWith('0.5 +')");
    browser.until(&format!(
        "document.body.dataset.dragging === undefined && {REST}"
    ));
    browser.until("!location.hash.includes('re=0.5&')");
    let hash = browser.value("location.hash").as_str().unwrap().to_owned();
    let part = |name: &str| -> f64 {
        let (_, rest) = hash.split_once(&format!("{name}=")).unwrap();
        rest.split('&').next().unwrap().parse().unwrap()
    };
    let height = browser
        .value("document.getElementById('picture').height")
        .as_f64()
        .unwrap();
    let pixel = 2.0 / height;
    assert!((part("re") - (0.5 + 80.0 * pixel)).abs() < 1e-9, "{hash}");
    assert!((part("im") - (0.25 + 30.0 * pixel)).abs() < 1e-9, "{hash}");
    let found = "document.getElementById('message').textContent.includes('period 3')";
    browser.run(
        "location.hash = '#re=-1.7548&im=0.001&zoom=20&palette=ice'",
        &[],
    );
    browser.until("document.getElementById('zoom').textContent.startsWith('20,')");
    browser.run("document.querySelector('[data-do=minibrot]').click()", &[]);
    browser.until(found);
}

/// axe-core finds nothing, with any panel open.
#[test]
fn nothing_of_the_page_keeps_people_out() {
    let axe = std::fs::read_to_string(axe()).expect("axe-core: ./tests/run installs it");
    let page = Page::serve("");
    let browser = Browser::start(1000, 700, &["--enable-unsafe-swiftshader"]);
    open(&page, &browser, "");
    browser.run(&axe, &[]);
    let violations = |what: &str| {
        browser.run(
            "window.found = null; axe.run().then((found) => { window.found = found.violations; })",
            &[],
        );
        browser.until("window.found !== null");
        let found = browser.value(
            "window.found.map((one) => [one.id, one.help, one.nodes.map((node) => node.html)])",
        );
        assert_eq!(found, Value::Array(Vec::new()), "{what}");
    };
    violations("as it opens");
    for panel in ["colours", "places", "save", "help"] {
        let click = format!("document.querySelector('[data-do={panel}]').click()");
        browser.run(&click, &[]);
        violations(panel);
    }
    // It does find what is wrong.
    browser.run("document.getElementById('help').close(); document.querySelector('main').append(new Image())", &[]);
    browser.run(
        "window.found = null; axe.run().then((found) => { window.found = found.violations; })",
        &[],
    );
    browser.until("window.found !== null");
    assert_eq!(browser.value("window.found.length"), 1, "control");
}
