//! The book: made of every page of `docs/`, without a link that leads nowhere; and its tutorial as a reader walks it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::page::{self, BlockUse, Reader};
use farm_tests::programs::Run;
use farm_tests::server::free_port;
use farm_tests::{folder, house, submitter, tools};

const LIFE: Duration = Duration::from_secs(240);

/// Values of an attribute in a page.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!("{attribute}=\"");
    let parts = html.split(begin.as_str()).skip(1);
    parts.filter_map(|rest| rest.split('"').next()).collect()
}

/// Where a link of a page leads to, if it leads nowhere.
fn is_broken(book: &Path, page: &str, link: &str) -> bool {
    let (file, place) = link.split_once('#').unwrap_or((link, ""));
    if link.contains("://") || link.is_empty() {
        return false;
    }
    let target = match (file, file.strip_prefix("../")) {
        ("", _) => book.join(page),
        (_, Some(outside)) => house::top().join(outside),
        _ => book.join(file),
    };
    if !target.exists() {
        return true;
    }
    let is_page = target.extension().is_some_and(|end| end == "html");
    if place.is_empty() || !is_page {
        return false;
    }
    let text = std::fs::read_to_string(&target).expect("a page");
    !values(&text, "id").contains(&place)
}

#[test]
fn the_book_has_every_page_and_no_link_that_leads_nowhere() {
    let folder = folder();
    let book = folder.path().join("book");
    let made = Run::any(tools::tools().join("bin/mdbook"))
        .args(["build", "--dest-dir"])
        .arg(&book)
        .arg(house::top())
        .run();
    assert_eq!(made.code, Some(0), "{made:?}");
    let said = format!("{}{}", made.stdout, made.stderr);
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
    // Each page once, but for the list of them that those see who read without the book.
    let summary = page::read("docs/SUMMARY.md");
    let mut listed: Vec<&str> = summary
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    let pages = std::fs::read_dir(house::top().join("docs")).expect("pages");
    let pages: BTreeSet<String> = pages
        .filter_map(|page| page.expect("a file").file_name().into_string().ok())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md" && name != "README.md")
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, pages.iter().collect::<Vec<_>>());
    let mut links = 0;
    let mut broken = Vec::new();
    for page in listed {
        let page = page.replace(".md", ".html");
        let html = std::fs::read_to_string(book.join(&page)).expect("a page of the book");
        for link in [values(&html, "href"), values(&html, "src")].concat() {
            links += 1;
            if is_broken(&book, &page, link) {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(links > 500, "{links}");
    assert!(broken.is_empty(), "{broken:#?}");
    // Controls.
    assert!(is_broken(&book, "zoom.html", "nowhere.html"));
    assert!(is_broken(&book, "zoom.html", "farm.html#nowhere"));
    assert!(is_broken(&book, "zoom.html", "../nowhere"));
    assert!(!is_broken(&book, "zoom.html", "farm.html#workers"));
}

#[test]
fn the_tutorial_leads_to_a_video() {
    let folder = folder();
    let place = house::top().join("tests/data/locations/place.kfr");
    std::fs::copy(place, folder.path().join("place.kfr")).expect("a place");
    let port = free_port().to_string();
    // One machine, and pictures of a reader who has less time.
    let replaced = [
        ("a:6379", format!("127.0.0.1:{port}")),
        (
            "--port 6379",
            format!("--port {port} --save '' --bind 127.0.0.1"),
        ),
        ("--insecure", "--backend cpu --threads 1".to_owned()),
        ("640x360", "160x90".to_owned()),
        ("3840x2160", "192x108".to_owned()),
        ("--fps 60", "--fps 12".to_owned()),
    ];
    let replaced: Vec<(&str, &str)> = (replaced.iter())
        .map(|(word, by)| (*word, by.as_str()))
        .collect();
    let mut reader = Reader::new(folder.path(), &replaced);
    let text = page::read("docs/tutorial.md");
    let blocks = page::blocks(&text).expect("every block says whether it is run");
    let mut said = String::new();
    for block in &blocks {
        match &block.usage {
            BlockUse::NotRun(_) => panic!("line {}: all of this page is run", block.line),
            BlockUse::Background => {
                let started = reader.start(&block.commands, LIFE);
                // Redis tells it on stdout.
                if block.commands.starts_with("redis-server") {
                    wait_for(&port);
                } else {
                    started.until_it_says("ready");
                }
            }
            BlockUse::Run => {
                // A reader is slower: workers are listed a second after they came.
                let first = match block.commands.contains("submitter workers list") {
                    true => format!(
                        "for _ in $(seq 300); do [ \"$(submitter workers list --redis redis://127.0.0.1:{port} | grep -c serving)\" = 3 ] && break; sleep 0.1; done\n"
                    ),
                    false => String::new(),
                };
                said += &reader.run(&format!("{first}{}", block.commands)).stdout;
            }
        }
    }
    for name in ["a", "b", "c"] {
        let listed = |line: &str| line.starts_with(&format!("{name} ")) && line.contains("serving");
        assert!(said.lines().any(listed), "{name}: {said}");
    }
    assert!(said.ends_with("h264,192,108\n"), "{said}");
    for file in ["look.png", "magma.png", "preview.mp4", "magma.mp4"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    // The key frames are the farm's. Workers tell what they did with their next sign of life.
    let line = format!("workers list --json --redis redis://127.0.0.1:{port}");
    let strips = || {
        let workers = submitter(&line).ok().json();
        let workers = workers.as_array().expect("a list").iter();
        let strips = workers.filter_map(|worker| worker["strips"].as_u64());
        strips.sum::<u64>()
    };
    let began = Instant::now();
    while strips() <= 10 {
        assert!(began.elapsed() < LIFE / 4, "{} strips", strips());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until somebody listens there.
fn wait_for(port: &str) {
    let began = Instant::now();
    while std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
        assert!(began.elapsed() < LIFE, "nobody listens at {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
