//! The farm: its state, its server, and the network between them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use farm_queue::protocol::table::{CommitOutcome, EntryId, JobTable, Limits, TakenEntry};

use super::costs::Step;
use super::dice::Dice;
use super::events::{Answer, Ask, Event, Events};
use super::process::Process;
use super::report::Report;
use super::settings::Settings;
use crate::submitter::Submitter;
use crate::worker::Worker;

/// How long anybody waits for an answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a dead worker takes to come back.
pub(super) const REBIRTH: Duration = Duration::from_secs(30);
/// How long the server takes to come back.
pub(super) const OUTAGE: Duration = Duration::from_secs(2);
/// Most that a server forgets.
pub(super) const UNSAVED_SECS: f64 = 1.0;
/// Between two signs of life.
pub(super) const PRESENCE: Duration = Duration::from_secs(5);
/// Between two looks of the submitter.
pub(super) const TICK: Duration = Duration::from_secs(1);
/// Waits between looks while there is nothing to do: the shortest, and the longest; half of the time since there was
/// something in between.
pub(super) const POLL_WAITS: (Duration, Duration) =
    (Duration::from_millis(30), Duration::from_secs(1));
/// Most announcements that one round of the submitter reads.
pub(super) const ROUND: usize = 64;
/// Strips by whose times the submitter judges what is late: some of all, not the last ones, because towards the end
/// those come from the slowest workers.
pub(super) const SAMPLE: usize = 512;
/// What is late: seconds, and times of what 95 % of the strips took.
pub(super) const LATE: (f64, f64) = (3.0, 2.5);

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimulationError {
    /// Strips that nobody has and nobody will make.
    #[error("at {at:?} strips were lost: {slots:?}")]
    Lost {
        /// When.
        at: Duration,
        /// Which.
        slots: Vec<u32>,
    },
    /// Not everything was there in time.
    #[error("after {0:?} of virtual time strips were missing")]
    Late(Duration),
    /// Bytes of another strip, or other bytes.
    #[error("strip {0} came with wrong bytes")]
    Bytes(u32),
}

pub(super) struct Lane {
    pub(super) machine: Worker<Process>,
    pub(super) alive: bool,
    pub(super) speed: f64,
    pub(super) stands_still_until: Duration,
    /// Strips that it began: events of earlier ones mean nothing any more.
    pub(super) begun: u64,
    pub(super) since: Duration,
    pub(super) last_lease: Duration,
    pub(super) next_scan: Duration,
    pub(super) adopts: bool,
    /// Looks so far: of several reasons for the next one only the first counts.
    pub(super) looks: u64,
    /// Looks in a row that found nothing.
    pub(super) in_vain: u32,
}

/// A run.
pub struct Simulation<'a> {
    pub(super) settings: &'a Settings,
    pub(super) dice: Dice,
    pub(super) events: Events,
    pub(super) now: Duration,
    pub(super) table: JobTable<Process, u64>,
    pub(super) saved: Option<JobTable<Process, u64>>,
    pub(super) down: bool,
    pub(super) busy_until: Duration,
    pub(super) lanes: Vec<Lane>,
    pub(super) idle: BTreeSet<u32>,
    pub(super) submitter: Submitter<u64>,
    pub(super) collects: bool,
    pub(super) work: Vec<f32>,
    pub(super) counted: Vec<bool>,
    pub(super) delivered: u64,
    pub(super) sample: Vec<f64>,
    pub(super) first_seen: BTreeMap<EntryId, Duration>,
    pub(super) copied: BTreeSet<u32>,
    pub(super) report: Report,
}

/// What a strip's bytes are.
pub(super) fn digest(slot: u32) -> u64 {
    u64::from(slot).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

pub(super) fn secs(secs: f64) -> Duration {
    // For ever is what a Duration can hold and still be added to.
    Duration::try_from_secs_f64(secs).unwrap_or(Duration::from_secs(u64::MAX >> 1))
}

impl<'a> Simulation<'a> {
    /// A farm at its start.
    #[must_use]
    pub fn new(settings: &'a Settings) -> Self {
        let mut dice = Dice::new(settings.seed);
        let limits = Limits {
            lease: settings.lease,
            reasons: 0,
            ..Limits::default()
        };
        let lanes: Vec<Lane> = (0..settings.workers)
            .map(|worker| {
                let slow = dice.chance(settings.slow_share);
                let speed = dice.log_normal(settings.speed_spread);
                Lane {
                    machine: Worker::new(Process { worker, start: 0 }),
                    alive: false,
                    speed: if slow { speed / 10.0 } else { speed },
                    stands_still_until: Duration::ZERO,
                    begun: 0,
                    since: Duration::ZERO,
                    last_lease: Duration::ZERO,
                    next_scan: Duration::ZERO,
                    adopts: false,
                    looks: 0,
                    in_vain: 0,
                }
            })
            .collect();
        let spread = settings.strip_spread;
        let work: Vec<f32> = (0..settings.strips)
            .map(|_| (settings.strip_secs * dice.log_normal(spread)) as f32)
            .collect();
        let speeds: f64 = lanes.iter().map(|lane| lane.speed).sum();
        let all: f64 = work.iter().map(|secs| f64::from(*secs)).sum();
        let mut farm = Self {
            settings,
            events: Events::default(),
            now: Duration::ZERO,
            table: JobTable::new(limits),
            saved: None,
            down: false,
            busy_until: Duration::ZERO,
            lanes,
            idle: BTreeSet::new(),
            submitter: Submitter::new(settings.strips, settings.window),
            collects: false,
            counted: vec![false; work.len()],
            work,
            delivered: 0,
            sample: Vec::with_capacity(SAMPLE),
            first_seen: BTreeMap::new(),
            copied: BTreeSet::new(),
            report: Report {
                strips: settings.strips,
                workers: settings.workers,
                ideal_secs: all / speeds,
                ..Report::default()
            },
            dice,
        };
        farm.table.create();
        farm.events.plan(Duration::ZERO, Event::Tick);
        for worker in 0..settings.workers {
            // They were waiting for a job, and hear of it at about the same time.
            let at = secs(farm.dice.uniform());
            farm.events.plan(at, Event::Start(worker));
        }
        farm.plan_restart();
        farm
    }

    pub(super) fn count(&mut self, fault: &'static str) {
        *self.report.faults.entry(fault).or_default() += 1;
    }

    pub(super) fn lane(&mut self, process: Process) -> Option<&mut Lane> {
        let lane = self.lanes.get_mut(process.worker as usize)?;
        (lane.alive && lane.machine.process == process).then_some(lane)
    }

    pub(super) fn plan_restart(&mut self) {
        if self.settings.restart_secs > 0.0 {
            let wait = self.dice.until(1.0 / self.settings.restart_secs);
            let unsaved = self.dice.uniform() * UNSAVED_SECS;
            let down = self.now + secs(wait + UNSAVED_SECS);
            self.events.plan(down - secs(unsaved), Event::Save);
            self.events.plan(down, Event::ServerDown);
        }
    }

    /// The server's time for `count` steps; when it is through.
    pub(super) fn spend(&mut self, step: Step, count: usize) -> Duration {
        let bytes = self.settings.strip_bytes;
        let cost = self.settings.costs.of(step, bytes) * count as f64;
        *self.report.steps.entry(step).or_default() += count as u64;
        self.report.server_secs += cost;
        let wait = self.busy_until.saturating_sub(self.now).as_secs_f64();
        self.report.longest_wait = self.report.longest_wait.max(wait);
        self.busy_until = self.busy_until.max(self.now) + secs(cost);
        self.busy_until
    }

    pub(super) fn network(&mut self) -> Duration {
        self.settings.network.mul_f64(self.dice.log_normal(0.5))
    }

    pub(super) fn ask(&mut self, process: Process, ask: Ask) {
        let at = self.now + self.network();
        self.events.plan(at, Event::Arrives(process, ask));
    }

    pub(super) fn serve(&mut self, process: Process, ask: Ask) {
        let times_out = Event::Answered(process, Answer::TimedOut(ask.clone()));
        if self.down {
            self.events.plan(self.now + TIMEOUT, times_out);
            return;
        }
        let step = match &ask {
            Ask::Look { claim: true } => Step::Claim,
            Ask::Look { claim: false } => Step::Lease,
            Ask::Adopt => Step::Adopt,
            Ask::Beat(_) => Step::Heartbeat,
            Ask::Deliver(_) => Step::Deliver,
            Ask::Presence => Step::Presence,
        };
        let through = self.spend(step, 1);
        let answer = match ask {
            Ask::Look { claim } => {
                let taken = if claim {
                    // Devices do not fail here: nothing is left to others.
                    self.table.claim(&process, through, &[])
                } else {
                    self.table.lease(&process, through)
                };
                Answer::Looked { claim, taken }
            }
            Ask::Adopt => Answer::Looked {
                claim: false,
                taken: self.table.adopt(&process, &[], through),
            },
            Ask::Beat(taken) => Answer::Beaten(self.table.heartbeat(&process, &taken, through)),
            Ask::Deliver(taken) => Answer::Delivered(self.deliver(process, &taken)),
            Ask::Presence => return,
        };
        if self.dice.chance(self.settings.lost_answers) {
            self.count("lost answers");
            self.events.plan(through + TIMEOUT, times_out);
            return;
        }
        let at = through + self.network();
        self.events.plan(at, Event::Answered(process, answer));
    }

    pub(super) fn deliver(
        &mut self,
        process: Process,
        taken: &TakenEntry<Process>,
    ) -> CommitOutcome {
        let slot = taken.entry.slot;
        self.table.store(slot, digest(slot));
        let committed = self.table.commit(taken.id, slot);
        match committed {
            CommitOutcome::First => {
                let speed = self.lanes[process.worker as usize].speed;
                let took = f64::from(self.work[slot as usize]) / speed;
                if !std::mem::replace(&mut self.counted[slot as usize], true) {
                    self.report.useful_secs += took;
                }
                self.delivered += 1;
                if self.sample.len() < SAMPLE {
                    self.sample.push(took);
                } else {
                    // Every strip stays in the sample by the same chance.
                    let place = (self.dice.uniform() * self.delivered as f64) as usize;
                    if let Some(place) = self.sample.get_mut(place) {
                        *place = took;
                    }
                }
                if !std::mem::replace(&mut self.collects, true) {
                    let at = self.busy_until + self.network();
                    self.events.plan(at, Event::Collect);
                }
            }
            CommitOutcome::Duplicate => self.count("duplicates"),
            CommitOutcome::JobGone | CommitOutcome::NoBuffer => self.count("refused"),
        }
        committed
    }
}
