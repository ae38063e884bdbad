//! A farm that is busy with a video still answers the explorer within a second.

use std::time::{Duration, Instant};

use farm_tests::{Server, Worker, folder, submitter};
use rustix::process::Signal;
use serde_json::json;

use super::super::farm_view::gathered;
use super::super::setup::Page;

/// Views that are asked for.
const VIEWS: u64 = 12;
/// What an answer may take in the median, and what the slowest may take: the machine has other tests to run.
const MOST_MEDIAN: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(6);

/// How long each answer took, and who made it.
struct Asked {
    took: Vec<Duration>,
    by_farm: usize,
}

/// Asks for views as somebody who flies would, each once.
fn fly(page: &Page, cookie: &str, viewer: &str, size: &str, scale: u32) -> Asked {
    let mut asked = Asked {
        took: Vec::new(),
        by_farm: 0,
    };
    for generation in 1..=VIEWS {
        let zoom = format!("{}", 300 * generation);
        let request = json!({ "re": "-0.7436", "im": "0.1318", "zoom": zoom, "size": size, "iterations": 2000 });
        let body = json!({ "viewer": viewer, "generation": generation, "scale": scale, "near": true, "request": request });
        let start = Instant::now();
        let answer = page.ask(cookie, "/api/tile", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        asked.took.push(start.elapsed());
        asked.by_farm += usize::from(answer.header("tile-maker") == Some("farm"));
    }
    asked.took.sort_unstable();
    asked
}

#[test]
fn a_farm_that_is_busy_with_a_video_answers_within_a_second() {
    let server = Server::start();
    let _crew = Worker::crew(&server, 2);
    let page = Page::serve(&format!("--redis {}", server.url()));
    let cookie = page.operator();
    let folder = folder();
    gathered(&page, "mandelfarm_workers ", |workers| workers == 2.0);
    // Strips of many hundred milliseconds: what is in hand when a view comes is finished first.
    let video = format!(
        "zoom --re -0.7436438870371587 --im 0.13182590420531197 --to 1e9 --size 1280x720 --fps 10 --samples 4 \
         --iterations 20000 --threads 1 -q -o dive.mp4 --redis {}",
        server.url()
    );
    let mut video = submitter(&video).within(&folder).start();
    gathered(&page, "mandelfarm_job_strips_collected", |strips| {
        strips > 0.0
    });
    // First pixels as the page asks for them, and whole views.
    for (viewer, size, scale) in [("first", "1600x896", 8), ("whole", "640x400", 1)] {
        let asked = fly(&page, &cookie, viewer, size, scale);
        let (median, slowest) = (
            asked.took[VIEWS as usize / 2],
            asked.took[VIEWS as usize - 1],
        );
        eprintln!(
            "{viewer}: {size} at 1/{scale}: median {median:.0?}, slowest {slowest:.0?}, {} of {VIEWS} by the farm",
            asked.by_farm
        );
        assert!(median <= MOST_MEDIAN, "{viewer}: {:?}", asked.took);
        assert!(slowest <= MOST, "{viewer}: {:?}", asked.took);
    }
    assert!(video.is_running(), "it was busy");
    video.signal(Signal::INT);
    assert_eq!(video.wait().code, Some(130));
}
