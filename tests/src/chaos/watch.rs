//! What is measured while things go wrong: how soon a dead worker's strips are taken up, and how much memory
//! the server needs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use farm_queue::JobId;

use crate::server::Server;

/// How often the server is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// Longest wait for a dead worker's strips before it is told as it is.
const GIVE_UP: Duration = Duration::from_secs(60);

/// Figures of one run.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Seconds from a worker's death until others had each of its strips, where nothing else was wrong with
    /// the server or the job meanwhile.
    pub recoveries: Vec<f64>,
    /// Strips of dead workers that were not taken up within a minute, although nothing else was wrong.
    pub abandoned: u64,
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
    at: Instant,
    owners: BTreeSet<String>,
    /// Slots that it had.
    slots: BTreeSet<String>,
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
    pub fn dies(&mut self, server: &Server, job: &JobId, worker: &str) {
        let Some(seen) = Seen::now(server, job) else {
            return;
        };
        let prefix = format!("{worker}.");
        let theirs = || (seen.owner_of.iter()).filter(|(_, owner)| owner.starts_with(&prefix));
        let slots: BTreeSet<String> = theirs()
            .filter_map(|(entry, _)| seen.slot_of.get(entry).cloned())
            .collect();
        if !slots.is_empty() {
            self.deaths.push(Death {
                at: Instant::now(),
                owners: theirs().map(|(_, owner)| owner.clone()).collect(),
                slots,
            });
        }
    }

    /// Something is done to the server or to the job that holds strips up by itself: what is waited for
    /// now would not measure what a worker's death costs.
    pub fn disturbed(&mut self) {
        self.deaths.clear();
    }

    /// Looks at the server, when it is time.
    pub fn look(&mut self, server: &Server, job: &JobId) {
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
        if self.deaths.is_empty() {
            return;
        }
        let Some(seen) = Seen::now(server, job) else {
            return;
        };
        for death in &mut self.deaths {
            let waits = |slot: &String| {
                let mut entries = seen.slot_of.iter().filter(|(_, of)| *of == slot).peekable();
                // Without an entry it is done. With entries, somebody alive has to have one of them.
                entries.peek().is_some()
                    && !entries.any(|(entry, _)| {
                        (seen.owner_of.iter()).any(|(pending, owner)| {
                            let alive = !owner.starts_with('_') && !death.owners.contains(owner);
                            pending == entry && alive
                        })
                    })
            };
            let (left, taken): (BTreeSet<_>, BTreeSet<_>) = std::mem::take(&mut death.slots)
                .into_iter()
                .partition(waits);
            death.slots = left;
            let secs = death.at.elapsed().as_secs_f64();
            (self.figures.recoveries).extend(taken.iter().map(|_| secs));
        }
        self.deaths.retain(|death| {
            let over = death.at.elapsed() > GIVE_UP;
            if over {
                self.figures.abandoned += death.slots.len() as u64;
            }
            !over && !death.slots.is_empty()
        });
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
