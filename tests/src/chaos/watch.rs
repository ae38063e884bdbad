//! What is measured while things go wrong: how soon a dead worker's strips are taken up, and how much memory
//! the server needs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use farm_queue::JobId;

use crate::servers::server::Server;

/// How often the server is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// Longest wait for a dead worker's strips before it is told as it is.
const GIVE_UP: Duration = Duration::from_secs(60);

/// How long a strip has to be off the queue to be done: what the server lost is queued again sooner.
const DONE: Duration = Duration::from_secs(4);

/// Figures of one run.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Seconds from a worker's death until others had each of its strips, where nothing was wrong with
    /// the server or the submitter meanwhile.
    pub recoveries: Vec<f64>,
    /// The same where something was.
    pub disturbed: Vec<f64>,
    /// Strips of dead workers that were not taken up within a minute.
    pub abandoned: u64,
    /// Strips that workers had in hand when they were killed.
    pub killed: u64,
    /// Most memory that the server used beyond what it uses empty, in bytes.
    pub peak_bytes: u64,
}

/// Watches one run.
#[derive(Debug)]
pub struct Watch {
    figures: Figures,
    empty_bytes: u64,
    last: Instant,
    deaths: Vec<Death>,
}

#[derive(Debug)]
struct Death {
    job: JobId,
    at: Instant,
    disturbed: bool,
    owners: BTreeSet<String>,
    /// Slots that it had, and since when each of them is not on the queue.
    slots: BTreeMap<String, Option<Instant>>,
}

/// A job's stream and who has what of it.
struct Seen {
    slot_of: BTreeMap<String, String>,
    owner_of: Vec<(String, String)>,
}

impl Watch {
    /// Watches a server that is still empty.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        Self {
            figures: Figures::default(),
            empty_bytes: server.figure("used_memory"),
            last: Instant::now(),
            deaths: Vec::new(),
        }
    }

    /// A worker is about to die: notes what it has.
    pub fn dies(&mut self, server: &Server, jobs: &[JobId], worker: &str) {
        let prefix = format!("{worker}.");
        for job in jobs {
            let Some(seen) = Seen::now(server, job) else {
                continue;
            };
            let theirs = || (seen.owner_of.iter()).filter(|(_, owner)| owner.starts_with(&prefix));
            let slots: BTreeMap<String, Option<Instant>> = theirs()
                .filter_map(|(entry, _)| Some((seen.slot_of.get(entry)?.clone(), None)))
                .collect();
            self.figures.killed += slots.len() as u64;
            if !slots.is_empty() {
                self.deaths.push(Death {
                    job: job.clone(),
                    at: Instant::now(),
                    disturbed: false,
                    owners: theirs().map(|(_, owner)| owner.clone()).collect(),
                    slots,
                });
            }
        }
    }

    /// Something is done to the server or to the job that holds strips up by itself: what is waited for
    /// now does not measure what a worker's death alone costs.
    pub fn disturbed(&mut self) {
        for death in &mut self.deaths {
            death.disturbed = true;
        }
    }

    /// Looks at the server, when it is time.
    pub fn look(&mut self, server: &Server) {
        if self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        if let Some(info) = server.try_ask::<String>(&["INFO", "memory"]) {
            let used = info.lines().find_map(|line| {
                line.strip_prefix("used_memory:")?
                    .trim()
                    .parse::<u64>()
                    .ok()
            });
            let beyond = used.unwrap_or(0).saturating_sub(self.empty_bytes);
            self.figures.peak_bytes = self.figures.peak_bytes.max(beyond);
        }
        let mut jobs: Vec<JobId> = self.deaths.iter().map(|death| death.job.clone()).collect();
        jobs.dedup();
        for job in jobs {
            if let Some(seen) = Seen::now(server, &job) {
                self.compare(&job, &seen);
            }
        }
        self.deaths.retain(|death| {
            let over = death.at.elapsed() > GIVE_UP;
            if over {
                self.figures.abandoned += death.slots.len() as u64;
            }
            !over && !death.slots.is_empty()
        });
    }

    /// What has become of the strips of a job whose workers died.
    fn compare(&mut self, job: &JobId, seen: &Seen) {
        for death in self.deaths.iter_mut().filter(|death| death.job == *job) {
            let figures = if death.disturbed {
                &mut self.figures.disturbed
            } else {
                &mut self.figures.recoveries
            };
            let (at, owners) = (death.at, &death.owners);
            death.slots.retain(|slot, gone| {
                let mut entries = seen.slot_of.iter().filter(|(_, of)| *of == slot).peekable();
                if entries.peek().is_none() {
                    let since = *gone.get_or_insert_with(Instant::now);
                    let done = since.elapsed() > DONE;
                    if done {
                        figures.push((since - at).as_secs_f64());
                    }
                    return !done;
                }
                *gone = None;
                let is_theirs = |(entry, owner): &(String, String)| {
                    let alive = !owner.starts_with('_') && !owners.contains(owner);
                    alive && seen.slot_of.get(entry) == Some(slot)
                };
                let taken = seen.owner_of.iter().any(is_theirs);
                if taken {
                    figures.push(at.elapsed().as_secs_f64());
                }
                !taken
            });
        }
    }

    /// A job is done, and with it all that was waited for of it.
    pub fn done(&mut self, job: &JobId) {
        for death in self.deaths.extract_if(.., |death| death.job == *job) {
            let figures = if death.disturbed {
                &mut self.figures.disturbed
            } else {
                &mut self.figures.recoveries
            };
            let now = Instant::now();
            let secs = |gone: &Option<Instant>| (gone.unwrap_or(now) - death.at).as_secs_f64();
            figures.extend(death.slots.values().map(secs));
        }
    }

    /// What was measured.
    #[must_use]
    pub fn figures(self) -> Figures {
        self.figures
    }
}

impl Seen {
    fn now(server: &Server, job: &JobId) -> Option<Self> {
        let queue = format!("mf:{{{job}}}:q");
        let entries: Vec<(String, Vec<String>)> = server.try_ask(&["XRANGE", &queue, "-", "+"])?;
        let rows: Vec<(String, String, u64, u64)> =
            server.try_ask(&["XPENDING", &queue, "w", "-", "+", "1000"])?;
        let slot = |fields: &[String]| {
            let at = fields.iter().step_by(2).position(|name| name == "s")?;
            fields.get(2 * at + 1).cloned()
        };
        Some(Self {
            slot_of: entries
                .into_iter()
                .filter_map(|(entry, fields)| Some((entry, slot(&fields)?)))
                .collect(),
            owner_of: rows
                .into_iter()
                .map(|(entry, owner, _, _)| (entry, owner))
                .collect(),
        })
    }
}
