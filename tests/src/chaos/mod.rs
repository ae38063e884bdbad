//! Real chaos: private farms on which something goes wrong every few seconds, until their picture is done.
//!
//! Each run starts a redis-server with a log, four workers and a submitter, each behind a relay of its own.
//! A seed decides what goes wrong and when; programs, disks and networks run as they run, so that a seed
//! brings the same faults again, not the same microseconds. In the end the picture has to have the bytes
//! that it has in quiet, and no key of its job may be left.
//!
//! - [`dice`]: chance that can be had again; [`fault`]: the kinds of fault
//! - [`stage`]: one farm, what is done to it and how that is undone; [`crew`]: its processes
//! - [`watch`]: what is measured meanwhile; [`report`]: all runs together

pub mod crew;
pub mod dice;
pub mod fault;
pub mod report;
pub mod stage;
pub mod watch;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::job::quiet;
use crate::pictures::digest;
use crew::{Work, tail};
use dice::Dice;
use fault::Kind;
use report::Summary;
use stage::Stage;
use watch::Figures;

/// How often a farm is looked after.
const TICK: Duration = Duration::from_millis(50);
/// Before the first fault, in seconds.
const FIRST: (f64, f64) = (0.3, 1.5);
/// Between two faults, in seconds.
const PAUSE: (f64, f64) = (1.0, 3.0);
/// How long after a job's end workers that did not hear of it may take to put away what they brought.
const LATE_WORKERS: Duration = Duration::from_secs(30);
/// How often one job may fail and be taken up again: strips are given up after so many dead workers.
const MOST_FAILURES: u64 = 5;

/// How long a submitter takes at most to find out that it cannot start.
const STARTING: Duration = Duration::from_secs(15);
/// What a submitter says that was started while the server was out of reach, full, or told to evict.
const UNREACHABLE: [&str; 3] = [
    "cannot reach Redis",
    "Redis is out of memory",
    "cannot be used",
];

/// The pictures: 128 strips each, and some hundredths of a second a strip.
const SCENES: [&str; 3] = [
    "--arithmetic f64 --re -0.75 --im 0.00002 --zoom 1e9 --size 256x512 --iterations 350000 --backend cpu --strip-rows 4",
    "--arithmetic f64 --re -0.75 --im 0.00001 --zoom 3e9 --size 256x512 --iterations 320000 --backend cpu --strip-rows 4",
    "--arithmetic f64 --re -0.75 --im 0.00001 --zoom 3e9 --size 128x512 --iterations 800000 --backend cpu --strip-rows 4 \
     --measure smooth",
];

/// What to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Runs.
    pub runs: u64,
    /// Seed of the first run; the others follow.
    pub seed: u64,
    /// Runs at a time.
    pub parallel: usize,
    /// Workers of each farm that only take their time, of [`stage::WORKERS`].
    pub pretenders: usize,
    /// Seconds that those take for a strip.
    pub strip_secs: f64,
    /// Whether those lie instead: a picture that differs has to be seen.
    pub lie: bool,
    /// How long things go wrong in one run at most.
    pub faults_for: Duration,
    /// How long one run may take.
    pub limit: Duration,
    /// What may go wrong.
    pub kinds: Vec<Kind>,
    /// Whether each fault is told on stderr.
    pub verbose: bool,
}

/// One run.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// Its seed.
    pub seed: u64,
    /// Faults by kind.
    pub faults: BTreeMap<Kind, u64>,
    /// From the submitter's start to its end.
    pub secs: f64,
    /// What was measured.
    pub figures: Figures,
    /// What the workers did.
    pub work: Work,
    /// Strips of the picture.
    pub strips: u64,
    /// How often the job ended as failed and was taken up again.
    pub failures: u64,
    /// How often a submitter was started while the server could not be used.
    pub unlucky: u64,
    /// Whether the picture was another than in quiet.
    pub differs: bool,
    /// Keys that were left over.
    pub left: Vec<String>,
    /// Why it did not come to an end, if so.
    pub broken: Option<String>,
}

impl Played {
    /// Whether all was as it has to be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.differs && self.left.is_empty() && self.broken.is_none()
    }
}

/// Plays all runs, `told` of each as it ends.
///
/// # Panics
/// When the pictures cannot be made in quiet.
#[must_use]
pub fn play_all(settings: &Settings, told: impl Fn(&Played) + Sync) -> Summary {
    for scene in SCENES {
        let _ = quiet(scene);
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
pub fn play(settings: &Settings, seed: u64) -> Played {
    let mut played = Played {
        seed,
        ..Played::default()
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

fn try_play(settings: &Settings, played: &mut Played) -> Result<(), String> {
    let mut dice = Dice::new(played.seed);
    let scene = dice.pick(&SCENES);
    let mut stage = Stage::set(scene, settings.pretenders, dice.clone());
    let begun = Instant::now();
    let mut next = begun + dice.seconds(FIRST.0, FIRST.1);
    let ended = loop {
        std::thread::sleep(TICK);
        stage.tend(settings)?;
        if let Some(ended) = stage.submitter.ended()? {
            if ended.code == Some(0) {
                break ended;
            }
            let young = stage.submitter.age() < STARTING;
            if young && UNREACHABLE.iter().any(|words| ended.stderr.contains(words)) {
                // It was started when the server was not there or not fit: the next one may have more luck.
                played.unlucky += 1;
            } else {
                // A job that gave strips up is taken up again. Others must not fail.
                played.failures += 1;
            }
            if settings.verbose {
                let words = format!("submitter ended: {}", tail(&ended.stderr));
                tell(played.seed, begun, &words);
            }
            if played.failures > MOST_FAILURES {
                return Err(format!("its submitter failed: {}", tail(&ended.stderr)));
            }
            stage.submitter.again(Duration::from_secs(1));
        }
        let now = Instant::now();
        if now - begun > settings.limit {
            return Err(format!(
                "it hangs; its submitter says: {}; keys: {:?}",
                tail(&stage.submitter.said()),
                stage.server.try_ask::<Vec<String>>(&["KEYS", "*"])
            ));
        }
        if now < next || stage.job().is_none() {
            continue;
        }
        if now - begun > settings.faults_for {
            continue;
        }
        let kind = Kind::draw(&settings.kinds, &mut dice);
        if stage.strike(kind) {
            *played.faults.entry(kind).or_default() += 1;
            next = now + dice.seconds(PAUSE.0, PAUSE.1);
            if settings.verbose {
                tell(played.seed, begun, kind.name());
            }
        }
    };
    played.secs = begun.elapsed().as_secs_f64();
    stage.watch.done();
    let lost_its_end = stage.calm();
    let report: serde_json::Value =
        serde_json::from_str(ended.stdout.trim()).map_err(|error| error.to_string())?;
    played.strips = report["strips"].as_u64().unwrap_or(0);
    played.differs = digest(stage.folder.path().join("x.npy")) != quiet(scene);
    let over = Instant::now();
    loop {
        played.left = stage.server.job_keys();
        if lost_its_end {
            // Keys that vanish by themselves are gone in the end.
            (played.left).retain(|key| stage.server.ask::<i64>(&["PTTL", key]) == -1);
        }
        if played.left.is_empty() || over.elapsed() > LATE_WORKERS {
            break;
        }
        std::thread::sleep(TICK);
        stage.tend(settings)?;
    }
    for member in &mut stage.crew {
        member.end()?;
        played.work.computed += member.work.computed;
        played.work.gave_up += member.work.gave_up;
    }
    played.figures = stage.watch.figures();
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a tool's own words, asked for")]
fn tell(seed: u64, begun: Instant, what: &str) {
    eprintln!(
        "seed {seed} at {:5.1} s: {what}",
        begun.elapsed().as_secs_f64()
    );
}
