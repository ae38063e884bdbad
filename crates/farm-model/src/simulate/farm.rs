//! The farm itself: who does what when something happens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use farm_queue::LeaseState;
use farm_queue::protocol::table::{Committed, Entry, EntryId, JobTable, Limits, Taken};

use super::dice::Dice;
use super::events::{Answer, Ask, Event, Events};
use super::{Report, Settings, Step};
use crate::submitter::Submitter;
use crate::worker::{Stage, Worker};

/// How long anybody waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a dead worker takes to come back.
const REBIRTH: Duration = Duration::from_secs(30);
/// How long the server takes to come back.
const OUTAGE: Duration = Duration::from_secs(2);
/// Most that a server forgets.
const UNSAVED_SECS: f64 = 1.0;
/// Between two signs of life.
const PRESENCE: Duration = Duration::from_secs(5);
/// Between two looks of the submitter.
const TICK: Duration = Duration::from_secs(1);
/// Waits between looks while there is nothing to do: just after there was something, and later.
const POLL_WAITS: (Duration, Duration) = (Duration::from_millis(30), Duration::from_secs(1));
/// Most announcements that one round of the submitter reads.
const ROUND: usize = 64;
/// Strips by whose times the submitter judges what is late: some of all, not the last ones, because towards the end
/// those come from the slowest workers.
const SAMPLE: usize = 512;
/// What is late: seconds, and times of what 95 % of the strips took.
const LATE: (f64, f64) = (3.0, 2.5);

/// A worker's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// Which worker.
    pub worker: u32,
    /// How often it was started before.
    pub start: u32,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.worker, self.start)
    }
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
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

struct Lane {
    machine: Worker<Process>,
    alive: bool,
    speed: f64,
    stands_still_until: Duration,
    /// Strips that it began: events of earlier ones mean nothing any more.
    begun: u64,
    since: Duration,
    last_lease: Duration,
    next_scan: Duration,
    adopts: bool,
    /// Looks so far: of several reasons for the next one only the first counts.
    looks: u64,
}

/// A run.
pub struct Simulation<'a> {
    settings: &'a Settings,
    dice: Dice,
    events: Events,
    now: Duration,
    table: JobTable<Process, u64>,
    saved: Option<JobTable<Process, u64>>,
    down: bool,
    busy_until: Duration,
    lanes: Vec<Lane>,
    idle: BTreeSet<u32>,
    submitter: Submitter<u64>,
    collects: bool,
    work: Vec<f32>,
    counted: Vec<bool>,
    delivered: u64,
    sample: Vec<f64>,
    first_seen: BTreeMap<EntryId, Duration>,
    copied: BTreeSet<u32>,
    report: Report,
}

/// What a strip's bytes are.
fn digest(slot: u32) -> u64 {
    u64::from(slot).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn secs(secs: f64) -> Duration {
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

    /// Lets everything happen until the last strip is there.
    ///
    /// # Errors
    /// What must not happen, and did.
    pub fn run(mut self) -> Result<Report, Broken> {
        while let Some((at, event)) = self.events.next() {
            self.now = at;
            if at > self.settings.limit {
                return Err(Broken::Late(at));
            }
            self.happens(event)?;
            if self.submitter.is_complete() {
                break;
            }
        }
        let journal = self.submitter.journal();
        let wrong = (0..self.settings.strips)
            .find(|slot| journal.get(slot).copied() != Some(digest(*slot)));
        if let Some(slot) = wrong {
            return Err(Broken::Bytes(slot));
        }
        self.report.secs = self.now.as_secs_f64();
        self.report.events = self.events.planned();
        for at in 0..self.lanes.len() {
            self.stop_computing(at);
        }
        Ok(self.report)
    }

    fn count(&mut self, fault: &'static str) {
        *self.report.faults.entry(fault).or_default() += 1;
    }

    fn lane(&mut self, process: Process) -> Option<&mut Lane> {
        let lane = self.lanes.get_mut(process.worker as usize)?;
        (lane.alive && lane.machine.process == process).then_some(lane)
    }

    fn happens(&mut self, event: Event) -> Result<(), Broken> {
        // Who stands still hears of it later.
        if let Event::Answered(process, _)
        | Event::Computed(process, _)
        | Event::BeatDue(process, _)
        | Event::Poll(process, _)
        | Event::PresenceDue(process) = &event
        {
            let now = self.now;
            let Some(lane) = self.lane(*process) else {
                return Ok(());
            };
            if lane.stands_still_until > now {
                let later = lane.stands_still_until;
                self.events.plan(later, event);
                return Ok(());
            }
        }
        match event {
            Event::Arrives(process, ask) => self.serve(process, ask),
            Event::Answered(process, answer) => self.hears(process, answer),
            Event::Computed(process, begun) => self.has_computed(process, begun),
            Event::BeatDue(process, begun) => self.beats(process, begun),
            Event::Poll(process, looks) => {
                if self.lanes[process.worker as usize].looks == looks {
                    self.looks(process);
                }
            }
            Event::PresenceDue(process) => {
                self.ask(process, Ask::Presence);
                self.events
                    .plan(self.now + PRESENCE, Event::PresenceDue(process));
            }
            Event::Crash(process) => self.crashes(process),
            Event::Pause(process) => self.stands_still(process),
            Event::Start(worker) => self.starts(worker),
            Event::Collect => self.collect()?,
            Event::Tick => self.tick()?,
            Event::Save => self.saved = Some(self.table.clone()),
            Event::ServerDown => {
                self.count("server restarts");
                self.down = true;
                if let Some(saved) = self.saved.take() {
                    self.table.roll_back_to(saved);
                }
                self.events.plan(self.now + OUTAGE, Event::ServerUp);
            }
            Event::ServerUp => {
                self.down = false;
                self.submitter.server_changed();
                self.plan_restart();
            }
        }
        Ok(())
    }

    fn plan_restart(&mut self) {
        if self.settings.restart_secs > 0.0 {
            let wait = self.dice.until(1.0 / self.settings.restart_secs);
            let unsaved = self.dice.uniform() * UNSAVED_SECS;
            let down = self.now + secs(wait + UNSAVED_SECS);
            self.events.plan(down - secs(unsaved), Event::Save);
            self.events.plan(down, Event::ServerDown);
        }
    }

    // The server.

    /// The server's time for `count` steps; when it is through.
    fn spend(&mut self, step: Step, count: usize) -> Duration {
        let bytes = self.settings.strip_bytes;
        let cost = self.settings.costs.of(step, bytes) * count as f64;
        *self.report.steps.entry(step).or_default() += count as u64;
        self.report.server_secs += cost;
        let wait = self.busy_until.saturating_sub(self.now).as_secs_f64();
        self.report.longest_wait = self.report.longest_wait.max(wait);
        self.busy_until = self.busy_until.max(self.now) + secs(cost);
        self.busy_until
    }

    fn network(&mut self) -> Duration {
        self.settings.network.mul_f64(self.dice.log_normal(0.5))
    }

    fn ask(&mut self, process: Process, ask: Ask) {
        let at = self.now + self.network();
        self.events.plan(at, Event::Arrives(process, ask));
    }

    fn serve(&mut self, process: Process, ask: Ask) {
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
                    self.table.claim(&process, through)
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

    fn deliver(&mut self, process: Process, taken: &Taken<Process>) -> Committed {
        let slot = taken.entry.slot;
        self.table.store(slot, digest(slot));
        let committed = self.table.commit(taken.id, slot);
        match committed {
            Committed::First => {
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
            Committed::Duplicate => self.count("duplicates"),
            Committed::JobGone | Committed::NoBuffer => self.count("refused"),
        }
        committed
    }

    // Workers.

    fn starts(&mut self, worker: u32) {
        let lane = &mut self.lanes[worker as usize];
        lane.alive = true;
        lane.stands_still_until = Duration::ZERO;
        lane.adopts = false;
        let process = lane.machine.process;
        let crash = self.dice.until(self.settings.crashes_per_hour / 3600.0);
        let pause = self.dice.until(self.settings.pauses_per_hour / 3600.0);
        self.events.plan(self.now, Event::PresenceDue(process));
        self.plan_look(process, self.now);
        self.events
            .plan(self.now + secs(crash), Event::Crash(process));
        self.events
            .plan(self.now + secs(pause), Event::Pause(process));
    }

    /// Counts what a lane computed up to now.
    fn stop_computing(&mut self, at: usize) {
        let lane = &self.lanes[at];
        if matches!(lane.machine.hand, Some((_, Stage::Leased))) {
            self.report.computed_secs += self.now.saturating_sub(lane.since).as_secs_f64();
        }
    }

    fn crashes(&mut self, process: Process) {
        if self.lane(process).is_none() {
            return;
        }
        self.count("crashes");
        self.stop_computing(process.worker as usize);
        let lane = &mut self.lanes[process.worker as usize];
        lane.alive = false;
        lane.machine.crash(Process {
            start: process.start + 1,
            ..process
        });
        self.idle.remove(&process.worker);
        self.events
            .plan(self.now + REBIRTH, Event::Start(process.worker));
    }

    fn stands_still(&mut self, process: Process) {
        let until = self.now + self.settings.lease.mul_f64(4.0 * self.dice.uniform());
        let Some(lane) = self.lane(process) else {
            return;
        };
        lane.stands_still_until = until;
        self.count("pauses");
        let next = self.dice.until(self.settings.pauses_per_hour / 3600.0);
        self.events.plan(until + secs(next), Event::Pause(process));
    }

    fn looks(&mut self, process: Process) {
        self.idle.remove(&process.worker);
        let now = self.now;
        let Some(lane) = self
            .lane(process)
            .filter(|lane| lane.machine.hand.is_none())
        else {
            return;
        };
        lane.looks += 1;
        let ask = if lane.adopts {
            Ask::Adopt
        } else {
            Ask::Look {
                claim: now >= lane.next_scan,
            }
        };
        self.ask(process, ask);
    }

    fn plan_look(&mut self, process: Process, at: Duration) {
        let looks = self.lanes[process.worker as usize].looks;
        self.events.plan(at, Event::Poll(process, looks));
    }

    fn hears(&mut self, process: Process, answer: Answer) {
        let now = self.now;
        let (jitter, scan) = (0.75 + 0.25 * self.dice.uniform(), self.settings.lease / 4);
        let Some(lane) = self.lane(process) else {
            return;
        };
        match answer {
            Answer::Looked { taken: None, claim } => {
                if std::mem::take(&mut lane.adopts) {
                    self.looks(process);
                } else if claim {
                    lane.next_scan = now + scan.mul_f64(jitter);
                    self.ask(process, Ask::Look { claim: false });
                } else {
                    let recently = now < lane.last_lease + POLL_WAITS.1;
                    let (soon, later) = POLL_WAITS;
                    let wait = if recently { soon } else { later };
                    self.idle.insert(process.worker);
                    self.plan_look(process, now + wait);
                }
            }
            Answer::Looked {
                taken: Some(taken), ..
            } => {
                let slot = taken.entry.slot;
                lane.machine.begin(Some(taken));
                lane.begun += 1;
                (lane.since, lane.last_lease) = (now, now);
                let (begun, speed) = (lane.begun, lane.speed);
                let takes = f64::from(self.work[slot as usize]) / speed;
                self.idle.remove(&process.worker);
                self.events
                    .plan(now + secs(takes), Event::Computed(process, begun));
                let beat = now + self.settings.lease / 3;
                self.events.plan(beat, Event::BeatDue(process, begun));
            }
            Answer::Beaten(state) => {
                if state != LeaseState::Held && lane.machine.hand.is_some() {
                    self.stop_computing(process.worker as usize);
                    self.lanes[process.worker as usize].machine.beaten(state);
                    self.count("stopped");
                    self.looks(process);
                }
            }
            Answer::Delivered(committed) => {
                lane.machine.committed(committed);
                self.looks(process);
            }
            Answer::TimedOut(Ask::Look { .. } | Ask::Adopt) => {
                lane.adopts = true;
                self.looks(process);
            }
            Answer::TimedOut(Ask::Deliver(taken)) => self.ask(process, Ask::Deliver(taken)),
            Answer::TimedOut(Ask::Beat(_) | Ask::Presence) => {}
        }
    }

    fn has_computed(&mut self, process: Process, begun: u64) {
        let at = process.worker as usize;
        if self.lanes[at].begun != begun || self.lanes[at].machine.hand.is_none() {
            return;
        }
        self.stop_computing(at);
        let machine = &mut self.lanes[at].machine;
        machine.compute();
        if let Some((taken, _)) = machine.hand.clone() {
            self.ask(process, Ask::Deliver(taken));
        }
    }

    fn beats(&mut self, process: Process, begun: u64) {
        let lane = &self.lanes[process.worker as usize];
        if lane.begun != begun {
            return;
        }
        if let Some((taken, Stage::Leased)) = lane.machine.hand.clone() {
            self.ask(process, Ask::Beat(taken));
            let next = self.now + self.settings.lease / 3;
            self.events.plan(next, Event::BeatDue(process, begun));
        }
    }

    // The submitter.

    fn collect(&mut self) -> Result<(), Broken> {
        if self.down {
            self.events.plan(self.now + TICK, Event::Collect);
            return Ok(());
        }
        self.repair();
        let received = self.submitter.collect(&mut self.table, ROUND);
        let right = |slot: &u32| self.submitter.journal().get(slot) == Some(&digest(*slot));
        let first = received.first.iter().find(|slot| !right(slot));
        let again = received.again.iter().find(|(slot, b)| digest(*slot) != *b);
        if let Some(slot) = first.or(again.map(|(slot, _)| slot)) {
            return Err(Broken::Bytes(*slot));
        }
        let count = received.first.len() + received.again.len();
        self.spend(Step::Collect, count);
        let share = self.submitter.journal().len() as f64 / f64::from(self.settings.strips);
        if share >= 0.99 && self.report.secs_99 == 0.0 {
            self.report.secs_99 = self.now.as_secs_f64();
        }
        self.fill();
        let own = secs(self.settings.costs.submitter * count as f64);
        let at = self.busy_until.max(self.now) + 2 * self.settings.network + own;
        self.collects = self.submitter.has_mail(&self.table);
        if self.collects {
            self.events.plan(at, Event::Collect);
        }
        Ok(())
    }

    fn repair(&mut self) {
        if self.submitter.repair_due() {
            self.count("repairs");
            self.submitter.repair(&mut self.table);
        }
    }

    fn fill(&mut self) {
        let before = self.submitter.awaited().len();
        if !self.submitter.fill(&mut self.table) {
            return;
        }
        let queued = self.submitter.awaited().len().saturating_sub(before);
        self.spend(Step::Enqueue, queued);
        self.wake();
    }

    /// The hint reaches whoever waits for something to do.
    fn wake(&mut self) {
        let at = self.busy_until + self.settings.network;
        for worker in std::mem::take(&mut self.idle) {
            let process = self.lanes[worker as usize].machine.process;
            self.plan_look(process, at);
        }
    }

    fn tick(&mut self) -> Result<(), Broken> {
        self.events.plan(self.now + TICK, Event::Tick);
        if self.down {
            return Ok(());
        }
        self.spend(Step::Report, 1);
        self.repair();
        self.fill();
        if self.settings.check {
            let awaited: Vec<u32> = self.submitter.awaited().iter().copied().collect();
            let slots = self.table.missing(&awaited);
            // What was refused is asked for again before it is missed.
            if !slots.is_empty() {
                return Err(Broken::Lost {
                    at: self.now,
                    slots,
                });
            }
        }
        if self.settings.speculation && self.submitter.todo() == 0 {
            self.speculate();
        }
        if !self.collects && self.submitter.has_mail(&self.table) {
            self.collects = true;
            self.events.plan(self.now, Event::Collect);
        }
        Ok(())
    }

    /// Issues once more what is late when nothing else is to be done.
    fn speculate(&mut self) {
        let queue = self.table.queue();
        if queue.is_none_or(|queue| queue.has_new() || queue.has_idle()) {
            return;
        }
        let mut times = self.sample.clone();
        times.sort_by(f64::total_cmp);
        let p95 = times.get(times.len() * 95 / 100).copied().unwrap_or(0.0);
        let late = secs(LATE.0.max(LATE.1 * p95));
        let mut copies = Vec::new();
        let mut seen = BTreeMap::new();
        for (id, entry, holder) in self.table.under_way() {
            let since = self.first_seen.get(&id).copied().unwrap_or(self.now);
            seen.insert(id, since);
            if let Some((holder, _)) = holder
                && self.now - since >= late
                && !entry.extra
                && self.copied.insert(entry.slot)
            {
                copies.push(Entry {
                    slot: entry.slot,
                    not: Some(*holder),
                    extra: true,
                });
            }
        }
        self.first_seen = seen;
        if !copies.is_empty() {
            let count = copies.len();
            *self.report.faults.entry("copies").or_default() += count as u64;
            self.spend(Step::Enqueue, count);
            self.table.enqueue(copies);
            self.wake();
        }
    }
}
