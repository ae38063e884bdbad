//! A page of a test's own, and requests as bytes: also those that no decent client sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use farm_tests::programs::{Run, Running};
use farm_tests::submitter;
use serde_json::{Value, json};

/// How long a page may run.
const LIFE: Duration = Duration::from_secs(300);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server; it ends with this.
pub struct Page {
    pub program: Running,
    /// `127.0.0.1:PORT`.
    pub host: String,
    /// The tokens of its two addresses: of whoever may do everything, and of whoever may look.
    pub tokens: [String; 2],
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Page {
    /// `submitter serve` with these options, on a free port of loopback.
    pub fn serve(options: &str) -> Self {
        let line = format!("serve --listen 127.0.0.1:0 --backend cpu {options}");
        let lines = 2 - usize::from(options.contains("--read-only"));
        Self::of(submitter(&line), lines)
    }

    /// A server that prints so many addresses.
    pub fn of(serve: Run, lines: usize) -> Self {
        let mut program = serve.limit(LIFE).start();
        let start = Instant::now();
        while program.written().lines().count() < lines {
            assert!(program.is_running(), "{}", program.said());
            assert!(start.elapsed() < PATIENCE, "{}", program.said());
            std::thread::sleep(Duration::from_millis(5));
        }
        let written = program.written();
        let parts = |line: &str| {
            let (_, rest) = line.split_once("://").unwrap();
            let (host, token) = rest.split_once("/?token=").unwrap();
            (host.to_owned(), token.to_owned())
        };
        let lines: Vec<_> = written.lines().map(parts).collect();
        Self {
            program,
            host: lines[0].0.clone(),
            tokens: [lines[0].1.clone(), lines[lines.len() - 1].1.clone()],
        }
    }

    /// Sends bytes, and reads what comes until the other side ends.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A server that has refused what it heard may hear no more.
        let _ = stream.write_all(bytes);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        Answer::parse(&all)
    }

    /// A request with these headers and this body; `Host` is right unless the headers say another.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            head.push_str(&format!("Host: {}\r\n", self.host));
        }
        for (name, text) in headers {
            head.push_str(&format!("{name}: {text}\r\n"));
        }
        let has_length = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if !body.is_empty() && !has_length {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        self.raw(&[head.as_bytes(), body].concat())
    }

    /// The cookie of whoever comes by a token.
    pub fn cookie(&self, token: &str) -> String {
        let answer = self.send("GET", &format!("/?token={token}"), &[], b"");
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// The cookie of whoever may do everything.
    pub fn operator(&self) -> String {
        self.cookie(&self.tokens[0])
    }

    /// A question in JSON, as the page asks it.
    pub fn ask(&self, cookie: &str, path: &str, body: &Value) -> Answer {
        let headers = [
            ("Cookie", cookie),
            ("Sec-Fetch-Site", "same-origin"),
            ("Content-Type", "application/json"),
        ];
        self.send("POST", path, &headers, body.to_string().as_bytes())
    }

    /// What the server has computed.
    pub fn computations(&self, cookie: &str) -> Value {
        let answer = self.send("GET", "/api/status", &[("Cookie", cookie)], b"");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["computations"].clone()
    }
}

impl Answer {
    fn parse(all: &[u8]) -> Self {
        let end = all.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else {
            // Ended without an answer.
            return Self {
                status: 0,
                headers: Vec::new(),
                body: all.to_vec(),
            };
        };
        let head = String::from_utf8_lossy(&all[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let header = |line: &str| {
            let (name, text) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), text.trim().to_owned())
        };
        Self {
            status,
            headers: lines.map(header).collect(),
            body: all[end + 4..].to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| &**text)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The floats of a tile.
    #[track_caller]
    pub fn floats(&self) -> Vec<f32> {
        assert_eq!(self.status, 200, "{}", self.text());
        let four = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
        self.body.chunks_exact(4).map(four).collect()
    }
}

/// A tile of a view, as the page asks for it.
pub fn tile(generation: u64, request: &Value) -> Value {
    json!({ "viewer": "test", "generation": generation, "request": request })
}
