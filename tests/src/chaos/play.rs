//! The course of a run: faults come, submitters end and go on, and in the end nothing may be wrong or left.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use farm_queue::JobId;

use super::crew::tail;
use super::dice::Dice;
use super::ends::{End, Faults, classify};
use super::fault::Kind;
use super::report::Summary;
use super::run::{RunRecord, Settings};
use super::scene::Scene;
use super::stage::Stage;
use crate::images::pictures::digest;
use crate::processes::job::quiet;

/// How often a farm is looked after.
const TICK: Duration = Duration::from_millis(50);
/// Before the first fault, in seconds.
const FIRST: (f64, f64) = (0.3, 1.5);
/// Between two faults, in seconds.
const PAUSE: (f64, f64) = (1.0, 3.0);
/// How long after a job's end workers that did not hear of it may take to put away what they brought.
const LATE_WORKERS: Duration = Duration::from_secs(30);
/// Between a submitter's end and its next start.
const AGAIN: Duration = Duration::from_secs(1);

/// Plays all runs, `told` of each as it ends.
///
/// # Panics
/// When the pictures cannot be made in quiet.
#[must_use]
pub fn play_all(settings: &Settings, told: impl Fn(&RunRecord) + Sync) -> Summary {
    for run in 0..settings.runs {
        for picture in Scene::drawn(settings.seed.wrapping_add(run)).pictures {
            let _ = quiet(picture);
        }
    }
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let played = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for number in 0..settings.parallel.max(1) {
            let player = || loop {
                let run = next.fetch_add(1, Ordering::Relaxed);
                if run >= settings.runs {
                    return;
                }
                let one = play(settings, settings.seed.wrapping_add(run));
                told(&one);
                let mut played = played.lock().unwrap_or_else(PoisonError::into_inner);
                played.push(one);
            };
            std::thread::Builder::new()
                .name(format!("chaos-{number}"))
                .spawn_scoped(scope, player)
                .expect("a thread");
        }
    });
    let mut played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    played.sort_by_key(|one| one.seed);
    Summary {
        played,
        secs: begun.elapsed().as_secs_f64(),
    }
}

/// Plays one run.
#[must_use]
pub fn play(settings: &Settings, seed: u64) -> RunRecord {
    let mut played = RunRecord {
        seed,
        ..RunRecord::default()
    };
    // The harness panics where a server or a program does not do what it has to.
    let run = AssertUnwindSafe(|| try_play(settings, &mut played));
    let outcome = std::panic::catch_unwind(run).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(tail(words.unwrap_or("the harness broke")).to_owned())
    });
    played.broken = outcome.err();
    played
}

fn try_play(settings: &Settings, played: &mut RunRecord) -> Result<(), String> {
    let mut dice = Dice::new(played.seed);
    let scene = Scene::drawn(played.seed);
    played.scene = scene.name;
    let mut stage = Stage::set(&scene, settings, dice.clone());
    let begun = Instant::now();
    let mut next = begun + dice.seconds(FIRST.0, FIRST.1);
    // Faults that may cost deliveries, since strips were last given up.
    let mut costly = 0;
    // What the server may have forgotten of the first job that ended.
    let mut lapses = None;
    loop {
        std::thread::sleep(TICK);
        stage.tend(settings)?;
        heed_ends(settings, played, &mut stage, begun, &mut costly)?;
        if played.pictures > 0 {
            lapses.get_or_insert(stage.realm.lapses);
        }
        if stage.submitters.iter().all(|submitter| submitter.is_done) {
            break;
        }
        let now = Instant::now();
        if now - begun > settings.limit {
            let said = stage.submitters.iter().map(|submitter| submitter.said());
            return Err(format!(
                "it hangs; its submitters say: {}; keys: {:?}",
                tail(&said.collect::<String>()),
                stage.realm.ask::<Vec<String>>(&["KEYS", "*"])
            ));
        }
        if now < next || !stage.has_jobs() || now - begun > settings.faults_for {
            continue;
        }
        let kind = Kind::draw(&settings.kinds, &mut dice);
        if stage.strike(kind) {
            *played.faults.entry(kind).or_default() += 1;
            costly += u64::from(kind.costs_deliveries());
            next = now + dice.seconds(PAUSE.0, PAUSE.1);
            if settings.verbose {
                tell(played.seed, begun, kind.name());
            }
        }
    }
    played.secs = begun.elapsed().as_secs_f64();
    stage.calm();
    let lost_an_end = lapses.is_some_and(|before| stage.realm.lapses > before);
    for submitter in &stage.submitters {
        let made = digest(stage.folder.path().join(&submitter.file));
        played.differing += u64::from(made != quiet(submitter.picture));
    }
    nothing_is_left(settings, played, &mut stage, lost_an_end)?;
    for member in &mut stage.crew {
        member.end()?;
        played.work.computed += member.work.computed;
        played.work.gave_up += member.work.gave_up;
    }
    played.figures = stage.watch.figures();
    Ok(())
}

/// Counts how submitters ended; those that are to go on are started again.
fn heed_ends(
    settings: &Settings,
    played: &mut RunRecord,
    stage: &mut Stage,
    begun: Instant,
    costly: &mut u64,
) -> Result<(), String> {
    for submitter in &mut stage.submitters {
        let Some(ended) = submitter.ended()? else {
            continue;
        };
        let faults = Faults {
            at_its_start: submitter.was_ill(),
            costly: *costly,
        };
        let end = classify(&ended, faults)?;
        *played.ends.entry(end).or_default() += 1;
        if settings.verbose {
            let words = format!("submitter ended ({}): {}", end.name(), tail(&ended.stderr));
            tell(played.seed, begun, &words);
        }
        if end != End::Done {
            if end == End::GivenUp {
                *costly = 0;
            }
            submitter.again(AGAIN);
            continue;
        }
        let report: serde_json::Value =
            serde_json::from_str(ended.stdout.trim()).map_err(|error| error.to_string())?;
        played.strips += ["strips", "audited"]
            .map(|name| report[name].as_u64().unwrap_or(0))
            .iter()
            .sum::<u64>();
        played.pictures += 1;
        submitter.is_done = true;
        if let Some(job) = report["job"].as_str().and_then(JobId::parse) {
            stage.watch.done(&job);
        }
    }
    let killed = stage.submitters.iter().map(|submitter| submitter.killed);
    let killed: u64 = killed.sum();
    if killed > 0 {
        played.ends.insert(End::Killed, killed);
    }
    played.starts = stage
        .submitters
        .iter()
        .map(|submitter| submitter.starts)
        .sum();
    Ok(())
}

/// Looks for keys of jobs until there are none, or workers that did not hear of their end had their time.
fn nothing_is_left(
    settings: &Settings,
    played: &mut RunRecord,
    stage: &mut Stage,
    lost_an_end: bool,
) -> Result<(), String> {
    let over = Instant::now();
    loop {
        let server = stage.realm.server();
        played.left = server.job_keys();
        if lost_an_end {
            // Keys that vanish by themselves are gone in the end.
            (played.left).retain(|key| server.ask::<i64>(&["PTTL", key]) == -1);
        }
        if played.left.is_empty() || over.elapsed() > LATE_WORKERS {
            return Ok(());
        }
        std::thread::sleep(TICK);
        stage.tend(settings)?;
    }
}

#[expect(clippy::print_stderr, reason = "a tool's own words, asked for")]
fn tell(seed: u64, begun: Instant, what: &str) {
    eprintln!(
        "seed {seed} at {:5.1} s: {what}",
        begun.elapsed().as_secs_f64()
    );
}
