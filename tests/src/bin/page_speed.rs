//! `page_speed`: how soon a view is there in a real Chromium, against what `submitter render` takes for the same file.
//!
//! Every round goes to a view of its own by the address, from there 32 times deeper by a key, and renders both by the page's own
//! command, in turns, with server, browser and programs on this machine. Without a graphics card pixels are painted there, too.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use farm_tests::tools::build_folder;
use farm_tests::{Browser, folder, submitter};
use serde_json::{Value, json};

/// Times views in the page against renders of them.
#[derive(Debug, Parser)]
#[command(name = "page_speed")]
struct Cli {
    /// Views of each place
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Pixels of the page
    #[arg(long, default_value = "1600x900")]
    size: String,
    /// Places, by their names
    #[arg(long = "place", value_name = "NAME")]
    places: Vec<String>,
    /// Paint by shaders on the processor
    #[arg(long)]
    shaders: bool,
}

/// A place: its name, centre, magnification (a number, and a power of ten) and iterations.
struct Place {
    name: &'static str,
    re: String,
    im: String,
    zoom: (f64, i32),
    iterations: u64,
}

/// Milliseconds from the beginning of a view until its first pixels and all of them were painted, and of a render of it.
#[derive(Clone, Copy)]
struct Times {
    first: f64,
    whole: f64,
    render: f64,
    /// How many pictures of it were painted.
    steps: f64,
}

/// Begins a view by its address, or by a key where that is empty, and says when its pictures were painted: `[scale,
/// milliseconds]` of each, until all pixels are there. To read a pixel waits until the painter is through with it.
const WATCH: &str = "const [hash] = arguments;
    const canvas = document.getElementById('picture');
    const card = document.body.dataset.painter === 'WebGL2' ? canvas.getContext('webgl2') : null;
    return new Promise((resolve) => {
        const begun = performance.now();
        const painted = [];
        const observer = new PerformanceObserver((list) => {
            for (const { detail } of list.getEntriesByName('painted')) {
                if (detail.generation <= (window.seenGeneration || 0)) continue;
                if (card) card.readPixels(0, 0, 1, 1, card.RGBA, card.UNSIGNED_BYTE, new Uint8Array(4));
                painted.push([detail.scale, performance.now() - begun]);
                if (detail.scale > 1) continue;
                window.seenGeneration = detail.generation;
                observer.disconnect();
                resolve(painted);
            }
        });
        observer.observe({ type: 'mark' });
        if (hash) location.hash = hash;
        else document.body.dispatchEvent(new KeyboardEvent('keydown', { code: 'Digit5', key: '5', bubbles: true }));
    });";

/// A view that costs nothing: what was under way is stopped for it.
const PARKED: &str = "document.body.dataset.state = 'sent';
    location.hash = '#re=0&im=0&zoom=1&iterations=10&palette=plasma';";

/// The page's own command for what is seen, which has the samples of a view at rest: they are taken out of it.
const COMMAND: &str = "document.querySelector('[data-do=save]').click();
    const text = document.getElementById('command').value;
    document.querySelector('[data-do=save]').click();
    return text;";

fn places() -> Vec<Place> {
    let exact = |name| {
        let path = format!("{}/data/oracle/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a view of the tests");
        let view: Value = serde_json::from_str(&text).expect("JSON");
        let text = |field: &str| view[field].as_str().expect(field).to_owned();
        let (mantissa, exponent) = {
            let zoom = text("zoom");
            let (mantissa, exponent) = zoom.split_once('E').expect("a power of ten");
            (
                mantissa.parse().expect("a number"),
                exponent.parse().expect("a number"),
            )
        };
        Place {
            name,
            re: text("re"),
            im: text("im"),
            zoom: (mantissa, exponent),
            iterations: view["iterations"].as_u64().expect("a number"),
        }
    };
    vec![
        Place {
            name: "20",
            re: "-0.75".to_owned(),
            im: "0.1".to_owned(),
            zoom: (2.0, 1),
            iterations: 1000,
        },
        exact("e14"),
        exact("e50"),
        exact("e1086"),
    ]
}

/// Renders by a command of the page's, as a shell reads it; milliseconds.
fn render(command: &str) -> f64 {
    let folder = folder();
    let path = std::env::var("PATH").unwrap_or_default();
    let start = Instant::now();
    let status = Command::new("bash")
        .args(["-c", &format!("exec {command} --backend cpu -q")])
        .env("PATH", format!("{}:{path}", build_folder().display()))
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .status()
        .expect("bash");
    assert!(status.success(), "{command}: {status}");
    milliseconds(start.elapsed())
}

fn milliseconds(time: Duration) -> f64 {
    1000.0 * time.as_secs_f64()
}

/// When pictures of a view were painted that begins by `hash`, and the page's command for it.
fn view(browser: &Browser, hash: &str) -> (Vec<f64>, String) {
    let painted = browser.ask(WATCH, &[json!(hash)]);
    let painted = painted.as_array().expect("a list");
    let times = painted.iter().map(|one| one[1].as_f64().expect("a time"));
    let command = browser.ask(COMMAND, &[]);
    let command = command.as_str().expect("a command");
    (times.collect(), command.replace(" --samples 4", ""))
}

/// The same with what a render of it takes.
fn timed((painted, command): &(Vec<f64>, String)) -> Times {
    Times {
        first: painted[0],
        whole: painted[painted.len() - 1],
        render: render(command),
        steps: painted.len() as f64,
    }
}

fn median(times: &[Times], of: impl Fn(&Times) -> f64) -> f64 {
    let mut all: Vec<f64> = times.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// A line of the table.
fn line(name: &str, how: &str, times: &[Times]) -> String {
    let least = |of: fn(&Times) -> f64| times.iter().map(of).fold(f64::INFINITY, f64::min);
    format!(
        "{name:>6} {how:<8} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>7.2} {:>7.2} {:>6.0}\n",
        median(times, |one| one.first),
        least(|one| one.first),
        median(times, |one| one.whole),
        least(|one| one.whole),
        median(times, |one| one.render),
        median(times, |one| one.whole / one.render),
        least(|one| one.whole) / least(|one| one.render),
        median(times, |one| one.steps),
    )
}

fn main() {
    let cli = Cli::parse();
    let (width, height) = cli.size.split_once('x').expect("--size WIDTHxHEIGHT");
    let (width, height): (u32, u32) = (
        width.parse().expect("--size"),
        height.parse().expect("--size"),
    );
    let mut serve = submitter("serve --listen 127.0.0.1:0 --backend cpu")
        .limit(Duration::from_secs(3600))
        .start();
    while serve.written().lines().count() < 2 {
        assert!(serve.is_running(), "{}", serve.said());
        std::thread::sleep(Duration::from_millis(5));
    }
    let address = serve
        .written()
        .lines()
        .next()
        .expect("an address")
        .to_owned();
    let browser = Browser::start(width, height, &["--enable-unsafe-swiftshader"]);
    let painter = if cli.shaders { "#painter=shaders" } else { "" };
    browser.open(&format!("{address}{painter}"));
    browser.until("document.body.dataset.state === 'rest'");
    let mut stdout = std::io::stdout();
    let _ = writeln!(
        stdout,
        "milliseconds; {} by {}; first pixels: median, least; whole view: median, least; render: median; whole / render: \
         median of ratios, ratio of leasts; pictures painted",
        cli.size,
        browser.value("document.body.dataset.painter"),
    );
    for place in places() {
        if !cli.places.is_empty() && !cli.places.iter().any(|name| name == place.name) {
            continue;
        }
        let (mut by_address, mut by_key) = (Vec::new(), Vec::new());
        for round in 0..=cli.rounds {
            let zoom = format!(
                "{}e{}",
                place.zoom.0 * (1.0 + f64::from(round) / 64.0),
                place.zoom.1
            );
            let hash = format!(
                "#re={}&im={}&zoom={zoom}&iterations={}&palette=plasma",
                place.re, place.im, place.iterations
            );
            let address = view(&browser, &hash);
            let key = view(&browser, "");
            browser.run(PARKED, &[]);
            browser.until("document.body.dataset.state === 'rest'");
            let (address, key) = (timed(&address), timed(&key));
            // The first round warms everything up.
            if round > 0 {
                by_address.push(address);
                by_key.push(key);
            }
        }
        let _ = write!(
            stdout,
            "{}{}",
            line(place.name, "address", &by_address),
            line(place.name, "key", &by_key)
        );
    }
}
