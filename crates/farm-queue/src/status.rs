//! What is told of jobs and workers: for operators, and between a submitter and its farm.
//!
//! Nothing here decides whether a strip is safe; it is for display and for orders.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::order::Issue;
use crate::protocol::lines;
use fractal::Strip;

/// Most workers and dead strips that a report lists.
pub const MAX_LISTED: usize = 256;

/// What a worker is, as it tells the farm when it joins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerAbout {
    /// The machine's name.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// Version of its program.
    pub version: String,
    /// Digest of its kernels: it is given only jobs of this build. 0: of any, which only tests want.
    pub build: u64,
    /// Names of its devices, one a lane.
    pub devices: Vec<String>,
    /// Kinds of its devices: `cpu`, `gpu` or both with a comma.
    pub backend: String,
    /// The fastest number type of each device.
    pub arithmetics: Vec<String>,
    /// Iterations a second of all its devices together, as measured when it started; 0 when it was not.
    pub speed: u64,
    /// Cores of its machine that it may use; 0 where it does not tell.
    pub cores: u32,
    /// Threads that its processor's lane computes with; 0 where it has none.
    pub threads: u32,
    /// What its operator calls it: a job that asks for a tag is given to workers that have it.
    pub tags: Vec<String>,
}

impl WorkerAbout {
    /// Whether it has the tag that a job asks for, if it asks for one.
    #[must_use]
    pub fn has_tag(&self, wanted: Option<&str>) -> bool {
        wanted.is_none_or(|wanted| self.tags.iter().any(|tag| tag == wanted))
    }
}

/// What a worker has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerFigures {
    /// Strips of which it delivered the first buffer.
    pub strips: u64,
    /// Pixels of those.
    pub pixels: u64,
    /// Seconds that its devices computed.
    pub busy_secs: f64,
    /// Strips that failed on it.
    pub failed: u64,
}

/// How an operator wants a worker to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaveOrder {
    /// What it has in hand is finished, or given back where that takes long.
    Drain,
    /// What it has in hand is given back at once.
    Stop,
    /// As [`LeaveOrder::Drain`]; then its program starts itself anew, as it lies on the disk by then.
    Restart,
}

impl LeaveOrder {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }

    /// The order of that name; `None` for one that this build does not know.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Drain, Self::Stop, Self::Restart]
            .into_iter()
            .find(|order| order.name() == name)
    }
}

/// Whether a job goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Workers are offered its strips.
    #[default]
    Running,
    /// Nobody is, until it is resumed.
    Paused,
    /// An operator ended it.
    Cancelled,
    /// It ended without all of its strips; it can be retried.
    Failed,
}

impl JobState {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Running, Self::Paused, Self::Cancelled, Self::Failed]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A strip that was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadStrip {
    /// Its index.
    pub strip: u32,
    /// What workers said.
    pub reasons: Vec<String>,
}

/// How a job stands, as its submitter tells about once a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobReport {
    /// The first file that it makes, for people.
    pub title: String,
    /// Machine and process of its submitter.
    pub submitter: String,
    /// Whose it is, for people: nobody checks it.
    pub owner: String,
    /// Strips of the job.
    pub strips: u32,
    /// Strips that are there.
    pub collected: u32,
    /// Seconds since this submitter took it up.
    pub elapsed_secs: f64,
    /// Strips a second, of late.
    pub strips_per_sec: f64,
    /// Seconds that it may still take; `None` where nobody knows.
    pub secs_left: Option<f64>,
    /// Strips by worker, at most [`MAX_LISTED`].
    pub by_worker: BTreeMap<String, u64>,
    /// Deliveries beyond the first of each strip.
    pub retries: u64,
    /// Results that were thrown away.
    pub rejected: u64,
    /// Strips that were issued once more towards the end.
    pub speculated: u64,
    /// Strips that were compared with another worker's.
    pub audited: u64,
    /// Strips that were given up, at most [`MAX_LISTED`].
    pub dead: Vec<DeadStrip>,
}

/// What operators want of a job, as its submitter hears it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobOrders {
    /// Whether it goes on.
    pub state: JobState,
    /// How often somebody asked to retry its dead strips.
    pub retries: u64,
}

/// A strip that some worker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasedStrip {
    /// The strip.
    pub strip: Strip,
    /// What for.
    pub issue: Issue,
    /// Name of the worker.
    pub worker: String,
    /// How often it was delivered.
    pub attempt: u32,
    /// The queue's name for the entry.
    pub entry: String,
}

/// What of a job is on the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// Strips that no worker has, those included that were given back.
    pub waiting: u64,
    /// Strips that some worker has.
    pub leases: Vec<LeasedStrip>,
}

/// What a worker shows of itself: the value of its key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerRecord {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub about: WorkerAbout,
    /// What it did.
    #[serde(flatten)]
    pub figures: WorkerFigures,
}

/// Why and until when a worker gets no strips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    /// Milliseconds of the server's clock.
    pub until_ms: u64,
    /// How often it was in quarantine lately, this time included.
    pub strikes: u32,
    /// One line.
    pub reason: String,
}

impl Quarantine {
    /// Reads `UNTIL STRIKES REASON`.
    #[must_use]
    pub fn parse(record: &str) -> Option<Self> {
        let mut parts = record.splitn(3, ' ');
        Some(Self {
            until_ms: parts.next()?.parse().ok()?,
            strikes: parts.next()?.parse().ok()?,
            reason: lines::reason_line(parts.next().unwrap_or_default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_of_quarantine_are_read() {
        let read = Quarantine::parse("1700000000000 2 three failures").unwrap();
        assert_eq!((read.until_ms, read.strikes), (1_700_000_000_000, 2));
        assert_eq!(read.reason, "three failures");
        assert_eq!(JobState::parse("paused"), Some(JobState::Paused));
        assert_eq!(JobState::parse("Paused"), None);
    }

    proptest! {
        #[test]
        fn any_record_is_read_without_panic(text in any::<String>()) {
            let _ = Quarantine::parse(&text);
            let _ = serde_json::from_str::<WorkerRecord>(&text);
            let _ = serde_json::from_str::<JobReport>(&text);
        }
    }
}
