//! Many jobs: limits of the queue and of the history, and how long answers take.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::queue::{Jobs, JobsSettings, Wanted};
use super::record::{JobState, OutputFile, Record};
use super::request::JobRequest;
use super::store::Store;
use crate::limits::{MOST_HISTORY, MOST_QUEUED};

fn request(name: &str) -> JobRequest {
    let text = format!("{{\"outputs\":[\"{name}\"],\"picture\":{{\"density\":\"20\"}}}}");
    serde_json::from_str(&text).unwrap()
}

fn record(number: usize, state: JobState) -> Record {
    Record {
        // As names are: they sort by time.
        job: format!("01{number:024}"),
        request: request(&format!("poster-{number}.png")),
        state,
        submitted: number as u64,
        ended: Some(number as u64),
        seconds: 1.0,
        size: (50, 60),
        need: 1000,
        iterations: 1e6,
        error: None,
        outputs: vec![OutputFile {
            name: format!("poster-{number}.png"),
            bytes: 10,
        }],
        workers: BTreeMap::from([("crew".to_owned(), 7)]),
    }
}

fn settings(folder: &tempfile::TempDir) -> JobsSettings {
    JobsSettings {
        folder: folder.path().to_owned(),
        ..JobsSettings::default()
    }
}

/// A folder with these jobs in its history.
fn filled(records: &[Record]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(Jobs::open(settings(&folder)).unwrap());
    let store = Store::open(&folder.path().join(".mandelfarm/jobs.redb")).unwrap();
    store.put(records).unwrap();
    folder
}

#[test]
fn a_hundred_thousand_jobs_are_answered_for_at_once() {
    let all: Vec<_> = (0..MOST_HISTORY)
        .map(|number| record(number, JobState::Done))
        .collect();
    let folder = filled(&all);
    let jobs = Jobs::open(settings(&folder)).unwrap();
    let ask = |find: &str, state| {
        let wanted = Wanted {
            find: find.to_owned(),
            state,
            most: 50,
            ..Wanted::default()
        };
        let begun = Instant::now();
        let (listed, more) = jobs.list(&wanted).unwrap();
        let took = begun.elapsed();
        assert!(took < Duration::from_millis(100), "{find}: {took:?}");
        (listed.len(), more)
    };
    assert_eq!(ask("", None), (50, true));
    assert_eq!(ask("POSTER-77777.", None), (1, false));
    assert_eq!(ask("nothing", None), (0, false));
    assert_eq!(ask("", Some(JobState::Failed)), (0, false));
    assert_eq!(jobs.counts().0, BTreeMap::from([("done", MOST_HISTORY)]));
    // One more is taken, and the oldest is forgotten.
    let new = jobs.submit(request("new.png")).unwrap();
    assert_eq!(jobs.job(&new.job).unwrap().record, new);
    assert!(jobs.job(&all[0].job).is_err(), "the oldest");
    assert!(jobs.job(&all[1].job).is_ok());
    drop(jobs);
    let again = Jobs::open(settings(&folder)).unwrap();
    assert_eq!(again.counts().0["done"], MOST_HISTORY - 1);
    assert_eq!(again.job(&new.job).unwrap().record, new);
}

#[test]
fn no_more_wait_than_may() {
    let waiting: Vec<_> = (0..MOST_QUEUED)
        .map(|number| record(number, JobState::Queued))
        .collect();
    let folder = filled(&waiting);
    let jobs = Jobs::open(settings(&folder)).unwrap();
    let refused = jobs.submit(request("new.png")).unwrap_err();
    assert_eq!(refused.status, 429, "{refused:?}");
    jobs.cancel(&waiting[0].job).unwrap();
    jobs.submit(request("new.png")).unwrap();
    assert_eq!(jobs.cancel(&waiting[0].job).unwrap_err().status, 409);
    assert_eq!(jobs.retry(&waiting[0].job).unwrap_err().status, 429);
}

#[test]
fn what_is_kept_of_jobs_that_are_no_more_goes() {
    let folder = filled(&[record(1, JobState::Done), record(2, JobState::Failed)]);
    let work = folder.path().join(".mandelfarm/work");
    for job in [
        &record(1, JobState::Done).job,
        &record(2, JobState::Failed).job,
    ] {
        std::fs::create_dir_all(work.join(job)).unwrap();
    }
    std::fs::create_dir_all(work.join("stranger")).unwrap();
    let jobs = Jobs::open(settings(&folder)).unwrap();
    let left: Vec<_> = std::fs::read_dir(&work).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "of the one that can be retried");
    jobs.forget(&record(2, JobState::Failed).job).unwrap();
    assert_eq!(std::fs::read_dir(&work).unwrap().count(), 0);
    let held = Jobs::open(settings(&folder)).err().unwrap();
    assert!(held.to_string().contains("another server"), "{held}");
}
