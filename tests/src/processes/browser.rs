//! A real Chromium without a window, steered by its chromedriver: WebDriver, which is JSON over HTTP.
//!
//! Written out here because the clients that there are bring a browser's worth of dependencies for these few questions.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::programs::{Run, Running};
use crate::servers::server::free_port;
use crate::tools::build_folder;

/// How long a browser may live.
const LIFE: Duration = Duration::from_secs(600);
/// How long anything may take that is waited for: browsers share two busy cores with everything else.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// One browser at a time: each is as much work as all other tests.
static ALONE: Mutex<()> = Mutex::new(());

/// axe-core, which looks for what keeps people from using a page: the file that `tests/prepare` installs beside the build.
#[must_use]
pub fn axe() -> PathBuf {
    let target = build_folder();
    (target.parent().unwrap_or(&target)).join("tools/npm/axe-core/axe.min.js")
}

/// A browser; it ends with this.
pub struct Browser {
    port: u16,
    session: String,
    _driver: Running,
    _profile: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts one whose page has `width` x `height` pixels, with more arguments of its command line.
    ///
    /// # Panics
    /// When chromium or chromedriver is missing (`tests/prepare` installs them), or does not start.
    #[must_use]
    pub fn start(width: u32, height: u32, arguments: &[&str]) -> Self {
        let options = json!({ "args": arguments });
        Self::with(width, height, options)
    }

    /// The same as a phone's: with fingers, and a page of that size.
    ///
    /// # Panics
    /// As of [`Self::start`].
    #[must_use]
    pub fn phone(width: u32, height: u32) -> Self {
        let metrics = json!({ "width": width, "height": height, "pixelRatio": 1.0, "touch": true });
        let emulation = json!({ "deviceMetrics": metrics });
        Self::with(
            width,
            height,
            json!({ "args": [], "mobileEmulation": emulation }),
        )
    }

    fn with(width: u32, height: u32, mut options: Value) -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = crate::files::folder();
        let has_window = options.get("mobileEmulation").is_none();
        let port = free_port();
        let driver = Run::any("chromedriver")
            .arg(format!("--port={port}"))
            .limit(LIFE)
            .start();
        let arguments = options["args"].as_array_mut().expect("a list");
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ] {
            arguments.push(json!(argument));
        }
        arguments.push(json!(format!("--window-size={width},{height}")));
        arguments.push(json!(format!(
            "--user-data-dir={}",
            profile.path().display()
        )));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let mut browser = Self {
            port,
            session: String::new(),
            _driver: driver,
            _profile: profile,
            _alone: alone,
        };
        let start = Instant::now();
        while browser.call("GET", "/status", None).is_err() {
            assert!(start.elapsed() < PATIENCE, "chromedriver does not answer");
            std::thread::sleep(GLANCE);
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let made = browser
            .call("POST", "/session", Some(&wanted))
            .unwrap_or_else(|error| panic!("{error}"));
        browser.session = format!(
            "/session/{}",
            made["sessionId"].as_str().expect("a session")
        );
        let timeouts = json!({ "script": PATIENCE.as_millis() as u64 });
        browser.command("/timeouts", &timeouts);
        // A window is larger than its page.
        let frame = browser
            .value("outerHeight - innerHeight")
            .as_u64()
            .unwrap_or(0);
        let size = json!({ "width": width, "height": u64::from(height) + frame });
        if has_window {
            browser.command("/window/rect", &size);
        }
        browser
    }

    /// Opens an address.
    pub fn open(&self, url: &str) {
        self.command("/url", &json!({ "url": url }));
    }

    /// What a script says; its arguments are `arguments`.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn ask(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.command("/execute/sync", &body)
    }

    /// What an expression is.
    #[must_use]
    pub fn value(&self, expression: &str) -> Value {
        self.ask(&format!("return {expression}"), &[])
    }

    /// Does what a script says.
    pub fn run(&self, script: &str, arguments: &[Value]) {
        let _ = self.ask(script, arguments);
    }

    /// Waits until an expression is true.
    ///
    /// # Panics
    /// When it does not come to be.
    #[track_caller]
    pub fn until(&self, expression: &str) {
        let start = Instant::now();
        while self.value(&format!("Boolean({expression})")) != true {
            assert!(
                start.elapsed() < PATIENCE,
                "never {expression}; the page says: {}; {}",
                self.value("document.body.innerText.slice(0, 600)"),
                self.value("JSON.stringify(document.body.dataset)"),
            );
            std::thread::sleep(GLANCE);
        }
    }

    /// Turns the wheel by so much at a place of the page.
    pub fn wheel(&self, (x, y): (i64, i64), by: i64) {
        let scroll = json!({ "type": "scroll", "origin": "viewport", "x": x, "y": y, "deltaX": 0, "deltaY": by });
        self.act(&json!([{ "type": "wheel", "id": "wheel", "actions": [scroll] }]));
    }

    /// Presses a key and lets it go.
    pub fn key(&self, key: &str) {
        let press = |kind: &str| json!({ "type": kind, "value": key });
        self.act(&json!([{ "type": "key", "id": "keys", "actions": [press("keyDown"), press("keyUp")] }]));
    }

    /// Moves fingers, each from one place to another, at once.
    pub fn fingers(&self, ways: &[[(i64, i64); 2]]) {
        let finger = |(number, [from, to]): (usize, &[(i64, i64); 2])| {
            let to_place = |(x, y): (i64, i64), duration: u32| json!({ "type": "pointerMove", "duration": duration, "x": x, "y": y });
            json!({
                "type": "pointer",
                "id": format!("finger {number}"),
                "parameters": { "pointerType": "touch" },
                "actions": [
                    to_place(*from, 0),
                    { "type": "pointerDown", "button": 0 },
                    to_place(*to, 200),
                    { "type": "pointerUp", "button": 0 },
                ],
            })
        };
        let fingers: Vec<Value> = ways.iter().enumerate().map(finger).collect();
        self.act(&json!(fingers));
    }

    /// Drags the pointer with its button down.
    pub fn drag(&self, from: (i64, i64), to: (i64, i64)) {
        let move_to = |(x, y): (i64, i64), duration: u32| json!({ "type": "pointerMove", "duration": duration, "x": x, "y": y });
        let actions = json!([
            move_to(from, 0),
            { "type": "pointerDown", "button": 0 },
            move_to(to, 200),
            // At rest before it is let go.
            move_to(to, 300),
            { "type": "pointerUp", "button": 0 },
        ]);
        self.act(&json!([{ "type": "pointer", "id": "mouse", "actions": actions }]));
    }

    /// What the page's console says of errors.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        let said = self.command("/se/log", &json!({ "type": "browser" }));
        let lines = said.as_array().cloned().unwrap_or_default();
        let severe = lines.iter().filter(|line| line["level"] == "SEVERE");
        severe.map(|line| line["message"].to_string()).collect()
    }

    fn act(&self, actions: &Value) {
        self.command("/actions", &json!({ "actions": actions }));
    }

    #[track_caller]
    fn command(&self, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        self.call("POST", &path, Some(body))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// One question to the driver: its value, or what is wrong.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let io = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(io)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(io)?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(io)?;
        let body = read_body(&mut stream).map_err(io)?;
        let answer: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"])),
            None => Ok(answer["value"].clone()),
        }
    }
}

/// The body of an answer that says how long it is; the driver leaves its connections open.
fn read_body(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().map_err(std::io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its browser ends with its session; the driver alone would leave it.
        if !self.session.is_empty() {
            let _ = self.call("DELETE", &self.session, None);
        }
    }
}
