//! Submitters that are killed: the job goes on from its journal, the picture is the same.

use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::job::quiet;
use farm_tests::programs::{Run, Running};
use farm_tests::scenes::{LONG, SLOW, SLOW_STRIPS};
use farm_tests::{Finished, Server, Worker, digest, folder, names_in, submitter};
use rustix::process::Signal;
use tempfile::TempDir;

/// Strips of the pictures here.
const STRIPS: u64 = 48;
/// Longer than any journal takes to begin.
const FOREVER: Duration = Duration::from_secs(60);
/// How long a held render goes on at a time: less than a strip takes.
const SLICE: Duration = Duration::from_millis(5);
/// How long it is held in between while it has no journal, which begins when it is a second old.
const HOLD: Duration = Duration::from_millis(100);

/// A folder for one picture and its journals: on a farm one whose workers take their time ([`Worker::steady`]), in process
/// one whose strips do.
struct Place {
    folder: TempDir,
    redis: Option<String>,
    scene: String,
}

impl Place {
    fn new(server: Option<&Server>) -> Self {
        Self {
            folder: folder(),
            redis: server.map(Server::url),
            scene: match server {
                Some(_) => LONG.to_owned(),
                None => format!("{SLOW} {SLOW_STRIPS} --threads 1"),
            },
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, line: &str) -> Run {
        let journals = self.path().join("journals");
        let run = submitter(line)
            .within(self.path())
            .env("FARM_JOURNAL", &journals.to_string_lossy());
        match &self.redis {
            Some(url) => run.env("FARM_REDIS", url),
            None => run,
        }
    }

    fn render(&self) -> Run {
        self.command(&format!("render {} -o x.npy --json", self.scene))
    }

    /// Starts it in process, and holds it once its journal has so many strips; which job it is. However fast the machine
    /// is, it stands still while it is looked at.
    fn held_at(&self, strips: u64) -> (Running, String) {
        let mut running = self.render().start();
        let started = Instant::now();
        // Its file is there before its strips are.
        while names_in(self.path()).is_empty() {
            assert!(started.elapsed() < FOREVER, "{}", running.said());
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut seen = 0;
        loop {
            running.signal(Signal::CONT);
            std::thread::sleep(SLICE);
            running.signal(Signal::STOP);
            assert!(
                running.is_running() && started.elapsed() < FOREVER,
                "{}",
                running.said()
            );
            let Some(job) = self.journals().pop() else {
                std::thread::sleep(HOLD);
                continue;
            };
            let strips_file = self.path().join("journals").join(&job).join("strips");
            let bytes = strips_file.metadata().map_or(0, |about| about.len());
            if bytes > std::mem::replace(&mut seen, bytes) && self.journalled(&job) >= strips {
                return (running, job);
            }
        }
    }

    /// The same, and kills it.
    fn killed_at(&self, strips: u64) -> String {
        let (running, job) = self.held_at(strips);
        running.signal(Signal::KILL);
        let _ = running.wait();
        job
    }

    /// Jobs that have a journal.
    fn journals(&self) -> Vec<String> {
        let journals = self.path().join("journals");
        if journals.exists() {
            names_in(&journals)
        } else {
            Vec::new()
        }
    }

    /// Strips of a job in its journal, as `submitter resume` tells.
    fn journalled(&self, job: &str) -> u64 {
        let listed = self.command("resume --list --json").ok().json();
        let jobs = listed.as_array().cloned().unwrap_or_default();
        let found = jobs.iter().find(|listed| listed["job"] == job);
        found.map_or(0, |listed| listed["strips_done"].as_u64().unwrap_or(0))
    }

    /// Waits until the journal of a render on a farm has so many strips, kills its submitter, and names the job.
    fn kill_at(&self, mut running: Running, strips: u64) -> String {
        let started = Instant::now();
        let job = loop {
            assert!(
                running.is_running() && started.elapsed() < FOREVER,
                "{}",
                running.said()
            );
            let jobs = self.journals();
            if let Some(job) = jobs.first()
                && self.journalled(job) >= strips
            {
                break job.clone();
            }
        };
        running.signal(Signal::KILL);
        let _ = running.wait();
        job
    }

    /// Whether all is as after a render without trouble.
    fn assert_done(&self, done: &Finished) {
        assert_eq!(
            digest(self.path().join("x.npy")),
            quiet(&self.scene),
            "{done:?}"
        );
        assert_eq!(self.journals(), [""; 0], "the journal is gone");
        let names = names_in(self.path());
        let part = |name: &&String| name.ends_with(".part");
        assert_eq!(names.iter().find(part), None, "nor is a part left");
    }
}

fn figure(done: &Finished, name: &str) -> u64 {
    done.json()[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name}: {done:?}"))
}

#[test]
fn a_killed_render_goes_on_in_process_by_its_name_and_by_the_same_command() {
    for (strips, by_name) in [(1, true), (15, false), (30, true)] {
        let place = Place::new(None);
        let job = place.killed_at(strips);
        let there = place.journalled(&job);
        let done = if by_name {
            place.command(&format!("resume {} --json", &job[..20])).ok()
        } else {
            place.render().ok()
        };
        assert!(
            done.stderr.contains(&format!("going on with job {job}")),
            "{done:?}"
        );
        assert_eq!(figure(&done, "resumed"), there, "{done:?}");
        assert_eq!(done.json()["job"], job);
        // A window is 128 MiB in process, more than the whole picture: what was not there is computed again.
        assert_eq!(figure(&done, "recomputed"), STRIPS - there);
        place.assert_done(&done);
    }
}

#[test]
fn a_killed_render_goes_on_with_redis_kept_and_emptied() {
    for emptied in [false, true] {
        let server = Server::start();
        let workers = ["worker-1", "worker-2"].map(|name| Worker::steady(&server, name));
        let place = Place::new(Some(&server));
        let job = place.kill_at(place.render().start(), 16);
        if emptied {
            let _: String = server.ask(&["FLUSHALL"]);
        }
        let there = place.journalled(&job);
        let done = place.command(&format!("resume {job} --json")).ok();
        assert_eq!(figure(&done, "resumed"), there, "{done:?}");
        let again = figure(&done, "recomputed");
        assert!(again <= STRIPS - there, "{done:?}");
        assert!(
            emptied || again < STRIPS - there,
            "the server had results: {done:?}"
        );
        place.assert_done(&done);
        assert_eq!(server.job_keys(), [""; 0]);
        drop(workers);
    }
}

#[test]
fn a_farm_that_forgets_everything_under_way_is_told_again() {
    let server = Server::start();
    let _workers = ["worker-1", "worker-2"].map(|name| Worker::steady(&server, name));
    let place = Place::new(Some(&server));
    let running = place.render().start();
    let job = server.job();
    server.until_committed(&job, 10);
    let _: String = server.ask(&["FLUSHALL"]);
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(figure(&done, "recomputed") > 0, "{done:?}");
    place.assert_done(&done);
}

#[test]
fn an_interrupted_render_says_how_to_go_on() {
    let place = Place::new(None);
    let (running, job) = place.held_at(1);
    running.signal(Signal::INT);
    running.signal(Signal::CONT);
    let ended = running.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(
        ended.stderr.contains(&format!("submitter resume {job}")),
        "{ended:?}"
    );
    let list = place.command("resume").ok();
    assert!(
        list.stdout.contains(&job) && list.stdout.contains("x.npy"),
        "{list:?}"
    );
    let done = place.command(&format!("resume {job}")).ok();
    place.assert_done(&done);
    let again = place.command(&format!("resume {job}")).run();
    assert_eq!(again.code, Some(1), "it is done: {again:?}");
    assert!(again.stderr.contains("no journal of a job"), "{again:?}");
}

#[test]
fn a_torn_or_damaged_journal_costs_what_is_torn() {
    for cut in [false, true] {
        let place = Place::new(None);
        let job = place.killed_at(8);
        let there = place.journalled(&job);
        let strips = place.path().join("journals").join(&job).join("strips");
        let mut bytes = std::fs::read(&strips).expect("a journal");
        if cut {
            bytes.truncate(bytes.len() - 5);
        } else {
            // Within a strip in the middle.
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        std::fs::write(&strips, bytes).expect("a journal");
        let done = place.render().ok();
        assert_eq!(figure(&done, "resumed"), there - 1, "{done:?}");
        place.assert_done(&done);
    }
}

#[test]
fn a_second_submitter_with_the_same_arguments_has_a_job_of_its_own() {
    let place = Place::new(None);
    let (first, job) = place.held_at(1);
    let refused = place.command(&format!("resume {job}")).run();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("still under way"), "{refused:?}");
    let second = place.render().run();
    first.signal(Signal::CONT);
    let first = first.wait();
    assert_eq!(
        (first.code, second.code),
        (Some(0), Some(0)),
        "{first:?} {second:?}"
    );
    assert_ne!(first.json()["job"], second.json()["job"]);
    assert_eq!(figure(&second, "resumed"), 0);
    place.assert_done(&second);
}

#[test]
fn fresh_starts_over_and_no_journal_leaves_none() {
    let place = Place::new(None);
    let job = place.killed_at(4);
    let done = place.render().arg("--fresh").ok();
    assert_eq!(figure(&done, "resumed"), 0);
    assert_ne!(done.json()["job"], job);
    assert_eq!(digest(place.path().join("x.npy")), quiet(&place.scene));
    assert_eq!(place.journals(), [job], "it is left alone");
    let done = place.render().arg("--no-journal").ok();
    assert_eq!(figure(&done, "resumed"), 0);
}

#[test]
fn audits_agree_among_honest_workers_and_change_nothing() {
    let server = Server::start();
    let _workers = ["worker-1", "worker-2"].map(|name| Worker::steady(&server, name));
    let place = Place::new(Some(&server));
    let done = place.render().args(["--audit", "20"]).ok();
    assert!(figure(&done, "audited") > STRIPS / 20, "{done:?}");
    place.assert_done(&done);
    assert_eq!(server.job_keys(), [""; 0]);
}
