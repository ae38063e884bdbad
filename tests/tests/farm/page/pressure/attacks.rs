//! Hostile clients that have the watchers' address: who take their time, send much, and send what unpacks to much.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use farm_tests::programs::Run;
use farm_tests::{folder, names_in};
use serde_json::json;

use super::super::setup::{Page, tile};

/// What an answer may take at most on a machine with other tests.
const SOON: Duration = Duration::from_secs(20);

fn connect(page: &Page) -> TcpStream {
    let stream = TcpStream::connect(&page.host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}

/// A connection that has said so much.
fn connect_and(page: &Page, said: &str) -> TcpStream {
    let mut stream = connect(page);
    stream.write_all(said.as_bytes()).unwrap();
    stream
}

/// A request's head, with whatever else it says.
fn head(page: &Page, method: &str, path: &str, more: &str) -> String {
    let (host, token) = (&page.host, &page.tokens[1]);
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{more}")
}

/// Whoever is let in is answered; how long that took.
#[track_caller]
fn is_answered(page: &Page, what: &str) {
    let start = Instant::now();
    let answer = page.raw(head(page, "GET", "/api/status", "Connection: close\r\n\r\n").as_bytes());
    assert_eq!(answer.status, 200, "{what}: {answer:?}");
    assert!(start.elapsed() < SOON, "{what}: {:?}", start.elapsed());
}

/// As many connections as there may be, that say nothing: whoever comes then is answered while they still may speak, and the
/// oldest of them have ended for it.
#[test]
fn connections_that_say_nothing_keep_nobody_out() {
    let page = Page::serve("");
    let speaks = |mut stream: TcpStream| {
        let text = head(&page, "GET", "/api/status", "Connection: close\r\n\r\n");
        let mut answer = String::new();
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.read_to_string(&mut answer);
        answer.starts_with("HTTP/1.1 200")
    };
    // Again where the machine took longer than a head may take, after which all of them end.
    let is_shown = (0..10).any(|_| {
        let mut silent: Vec<TcpStream> = (0..512).map(|_| connect(&page)).collect();
        is_answered(&page, "as many as there may be");
        let newest = silent.pop().unwrap();
        let oldest = silent.swap_remove(0);
        assert!(!speaks(oldest), "the oldest has ended");
        speaks(newest)
    });
    assert!(is_shown, "answered only once all of them had ended");
}

/// Watchers with more connections than they may have, all let in, and all waited for: whoever may do everything is answered.
#[test]
fn connections_of_watchers_leave_some_for_others() {
    let page = Page::serve("");
    let cookie = page.operator();
    let body = "{\"palette\": \"ice\"}";
    let more = format!(
        "Content-Type: application/json\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let text = head(&page, "POST", "/api/palette", &more);
    let mut watchers: Vec<TcpStream> = (0..480).map(|_| connect_and(&page, &text)).collect();
    // Those that are over the limit hear it at once, and nothing of the others is waited for.
    let is_told = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        let told = stream.peek(&mut [0]).is_ok();
        stream.set_nonblocking(false).unwrap();
        told
    };
    let start = Instant::now();
    while watchers.iter().filter(|stream| is_told(stream)).count() < 32 {
        assert!(start.elapsed() < SOON, "none is refused");
        std::thread::sleep(Duration::from_millis(20));
    }
    page.computations(&cookie);
    let status = |stream: &mut TcpStream| {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[9..]).into_owned()
    };
    // The others are answered once they have said all of it, or are told that it took them too long.
    let (told, waiting): (Vec<_>, Vec<_>) = watchers.iter_mut().partition(|stream| is_told(stream));
    for stream in told {
        assert!(["503", "408"].contains(&&*status(stream)));
    }
    for stream in waiting {
        if stream.write_all(body.as_bytes()).is_ok() {
            assert!(["200", "408"].contains(&&*status(stream)));
        }
    }
    is_answered(&page, "once they have gone");
}

/// More connections than there may be, that say half a head or nothing: after the time that a head may take, others are heard.
#[test]
fn connections_that_say_nothing_are_ended() {
    let page = Page::serve("");
    for said in ["", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let silent: Vec<TcpStream> = (0..530)
            .map(|_| {
                let mut stream = connect(&page);
                stream.write_all(said.as_bytes()).unwrap();
                stream
            })
            .collect();
        is_answered(&page, said);
        drop(silent);
    }
    // A body that never comes.
    let more = "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = connect(&page);
            let text = head(&page, "POST", "/api/palette", more) + "\"palette\":";
            stream.write_all(text.as_bytes()).unwrap();
            stream
        })
        .collect();
    is_answered(&page, "slow bodies");
    for mut stream in slow {
        let mut answer = String::new();
        // One of 408, or an end.
        let _ = stream.read_to_string(&mut answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 40"),
            "{answer}"
        );
    }
}

/// What stands behind a request is never taken for another one's, and nothing is switched to.
#[test]
fn nothing_is_smuggled_and_nothing_is_upgraded() {
    let page = Page::serve("");
    let json = "Content-Type: application/json\r\n";
    let behind = head(&page, "GET", "/api/palettes", "\r\n");
    for (more, body) in [
        (
            format!("{json}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "0\r\n\r\n",
        ),
        (
            format!("{json}Content-Length: 2\r\nContent-Length: 400\r\n\r\n"),
            "{}",
        ),
        (format!("{json}Content-Length: +2\r\n\r\n"), "{}"),
        (
            format!("{json}Transfer-Encoding: xchunked\r\n\r\n"),
            "0\r\n\r\n",
        ),
        (format!("{json}Content-Length : 2\r\n\r\n"), "{}"),
        (
            format!("{json}X: a\r\n b\r\nContent-Length: 2\r\n\r\n"),
            "{}",
        ),
        (format!("{json}X: a\rContent-Length: 2\r\n\r\n"), "{}"),
        (
            format!("{json}Transfer-Encoding: chunked\r\n\r\n"),
            "ffffffffffffffffff\r\n{}",
        ),
    ] {
        let bytes = head(&page, "POST", "/api/palette", &more) + body + &behind;
        let mut stream = connect(&page);
        stream.write_all(bytes.as_bytes()).unwrap();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let answers: Vec<&str> = answer
            .lines()
            .filter(|line| line.starts_with("HTTP/1.1 "))
            .collect();
        assert!(answers.len() <= 1, "{more:?}: {answers:?}");
        assert!(
            answers.iter().all(|line| line.starts_with("HTTP/1.1 4")),
            "{more:?}: {answers:?}"
        );
        assert!(!answer.contains("plasma"), "{more:?}: the palettes");
    }
    let websocket = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    for path in ["/", "/api/status", "/api/farm/events", "/api/jobs/events"] {
        let answer = page.raw(head(&page, "GET", path, websocket).as_bytes());
        assert!(
            matches!(answer.status, 200 | 403 | 404),
            "{path}: {answer:?}"
        );
        assert!(answer.header("upgrade").is_none());
    }
    for raw in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example:80\r\n\r\n",
    ] {
        let mut stream = connect(&page);
        stream.write_all(raw.as_bytes()).unwrap();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{raw}");
    }
}

/// A thousand times as much as is sent; brackets without end; gradients without end. All of it is refused, or answered, soon,
/// in bounded memory.
#[test]
fn files_that_unpack_to_much_are_not_unpacked() {
    let page = Page::serve("");
    let cookie = page.cookie(&page.tokens[1]);
    let folder = folder();
    // By Python's own zlib.
    let script = "import struct, zlib\n\
        def chunk(t, d): return struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))\n\
        head = b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 8, 8, 8, 2, 0, 0, 0))\n\
        end = chunk(b'IEND', b'')\n\
        big = zlib.compress(b'a' * (1 << 28), 9)\n\
        one = chunk(b'zTXt', b'k\\0\\0' + zlib.compress(b'a' * 1000000, 9))\n\
        attributes = b''.join(b'a%d\\0string\\0' % i + struct.pack('<i', 4) + b'abcd' for i in range(100000))\n\
        files = {\n\
          'one.png': head + chunk(b'zTXt', b'mandelfarm\\0\\0' + big) + end,\n\
          'international.png': head + chunk(b'iTXt', b'Comment\\0\\1\\0\\0\\0' + big) + end,\n\
          'many.png': head + one * 5000 + end,\n\
          'huge.png': b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 2**31 - 1, 2**31 - 1, 16, 6, 0, 0, 0)) + end,\n\
          'nested.toml': b'a = ' + b'[' * 60000,\n\
          'tables.toml': b'a = ' + b'{a=' * 20000,\n\
          'dotted.toml': b'.'.join([b'a'] * 30000) + b' = 1',\n\
          'digits.kfr': b'Re: ' + b'1' * 30000000,\n\
          'colours.css': b'red,' * 1000000,\n\
          'open.ugr': b'{' * 4000000,\n\
          'many.ugr': b''.join(b'g%d { gradient: index=0 color=1 }\\n' % i for i in range(110000)),\n\
          'long.ugr': b';' * 5000000,\n\
          'segments.ggr': b'GIMP Gradient\\nName: x\\n1000000000\\n',\n\
          'channels.exr': b'\\x76\\x2f\\x31\\x01\\x02\\0\\0\\0channels\\0chlist\\0' + struct.pack('<i', 2**31 - 1),\n\
          'attributes.exr': b'\\x76\\x2f\\x31\\x01\\x02\\0\\0\\0' + attributes,\n\
          'exif.jpg': b'\\xff\\xd8' + (b'\\xff\\xe1\\xff\\xffExif\\0\\0' + b'\\0' * 65527) * 400,\n\
          'tags.tiff': b'II*\\0\\x08\\0\\0\\0\\xff\\xff' + b'\\0\\1\\4\\0\\xff\\xff\\xff\\xff\\x08\\0\\0\\0' * 65535,\n\
        }\n\
        for name, data in files.items(): open(name, 'wb').write(data)\n";
    Run::any("python3")
        .args(["-c", script])
        .within(&folder)
        .ok();
    let names = names_in(folder.path());
    assert_eq!(names.len(), 17, "{names:?}");
    let headers = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin")];
    for name in &names {
        let file = std::fs::read(folder.path().join(name)).unwrap();
        let kind = name.rsplit('.').next().unwrap();
        let start = Instant::now();
        let answer = page.send("POST", &format!("/api/place?kind={kind}"), &headers, &file);
        let took = start.elapsed();
        let is_fine = match &**name {
            "many.ugr" => answer.status == 200,
            "long.ugr" => answer.status == 413,
            _ => answer.status == 422,
        };
        assert!(is_fine, "{name}: {}: {}", answer.status, answer.text());
        assert!(took < SOON, "{name}: {took:?}");
    }
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let deep = format!("{{\"viewer\":\"v\",\"generation\":1,\"request\":{deep}}}");
    let headers = [headers[0], headers[1], ("Content-Type", "application/json")];
    assert_eq!(
        page.send("POST", "/api/tile", &headers, deep.as_bytes())
            .status,
        400
    );
    let held = page.program.peak_kib();
    assert!(held < 600 << 10, "{held} KiB");
}

/// Bodies that come at once, and answers that nobody reads.
#[test]
fn what_many_send_or_leave_unread_has_a_limit() {
    let page = Page::serve("");
    let cookie = page.cookie(&page.tokens[1]);
    let more = "Content-Length: 33000000\r\n\r\n";
    let senders: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = connect(&page);
            stream
                .set_write_timeout(Some(Duration::from_millis(300)))
                .unwrap();
            stream
                .write_all(head(&page, "POST", "/api/place?kind=png", more).as_bytes())
                .unwrap();
            // As much as it takes before it refuses.
            let block = vec![0; 1 << 20];
            for _ in 0..20 {
                if stream.write_all(&block).is_err() {
                    break;
                }
            }
            stream
        })
        .collect();
    let headers = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin")];
    let refused = page.send("POST", "/api/place?kind=kfr", &headers, b"Re: 0");
    assert_eq!(refused.status, 503, "{}", refused.text());
    is_answered(&page, "many bodies");
    drop(senders);
    let held = page.program.peak_kib();
    assert!(held < 400 << 10, "{held} KiB");
    // Views of 16 MiB that are asked for and not read: those that lie there have a limit, and the others are told so.
    let view = json!({ "re": "3", "im": "0", "zoom": "20", "size": "2048x2048", "iterations": 10 });
    let body = tile(1, &view).to_string();
    let text = head(
        &page,
        "POST",
        "/api/tile",
        &format!(
            "Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    let mut unread = Vec::new();
    let start = Instant::now();
    let full = loop {
        let mut stream = connect(&page);
        stream.write_all(text.as_bytes()).unwrap();
        // Its status, and then nothing more of it.
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        if &status[9..] == b"503" {
            break unread.len();
        }
        assert_eq!(&status[9..], b"200");
        unread.push(stream);
        assert!(
            start.elapsed() < Duration::from_secs(90),
            "{} unread",
            unread.len()
        );
    };
    assert!((20..=40).contains(&full), "{full} of 16 MiB");
    is_answered(&page, "many that do not read");
    let held = page.program.peak_kib();
    assert!(held < 1500 << 10, "{held} KiB");
}

/// Watchers who compute for ever leave a place for whoever may do everything, and watchers who come again and again put nobody
/// out.
#[test]
fn watchers_leave_room_for_others() {
    let page = Page::serve("--threads 2");
    let operator = page.operator();
    // Outside, beside the cusp: a million iterations each, which no proof shortens. Minutes on any machine.
    let long = json!({ "re": "0.25000000001", "im": "0", "zoom": "1e12", "size": "2048x2048", "iterations": 10_000_000 });
    let waiting: Vec<TcpStream> = (0..6)
        .map(|number| {
            let body = json!({ "viewer": format!("w{number}"), "generation": 1, "request": long })
                .to_string();
            let more = format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let mut stream = connect(&page);
            stream
                .write_all(head(&page, "POST", "/api/tile", &more).as_bytes())
                .unwrap();
            stream
        })
        .collect();
    let start = Instant::now();
    while page.computations(&operator)["under_way"] != 3 {
        assert!(start.elapsed() < SOON, "{}", page.computations(&operator));
        std::thread::sleep(Duration::from_millis(20));
    }
    let quick = json!({ "re": "-0.75", "im": "0.1", "zoom": "20", "size": "32x16" });
    let answer = page.ask(&operator, "/api/tile", &tile(1, &quick));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        page.computations(&operator)["under_way"],
        3,
        "those of watchers"
    );
    for _ in 0..300 {
        page.cookie(&page.tokens[1]);
    }
    let role = page
        .send("GET", "/api/status", &[("Cookie", &operator)], b"")
        .json()["role"]
        .clone();
    assert_eq!(role, "operator");
    // Who goes is not computed for.
    drop(waiting);
    let start = Instant::now();
    while page.computations(&operator)["under_way"] != 0 {
        assert!(start.elapsed() < SOON, "{}", page.computations(&operator));
        std::thread::sleep(Duration::from_millis(20));
    }
}
