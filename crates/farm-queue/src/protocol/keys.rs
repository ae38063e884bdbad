//! Names of everything that lies in Redis.
//!
//! | key | type | holds | removed by |
//! |---|---|---|---|
//! | `mf:jobs` | sorted set | jobs that workers are offered, by priority | `finish`, pause; pruned by `create` |
//! | `mf:all` | sorted set | all jobs, by priority | `finish`; pruned by `create` |
//! | `mf:{J}:spec` | string | the job's spec as JSON | `finish` |
//! | `mf:{J}:state` | hash | what operators want of it, what its submitter says of it | `finish`; expiry after `fail` |
//! | `mf:{J}:q` | stream, group `w` | strips to do and under way | `finish`; entries by commit |
//! | `mf:{J}:r:S` | string | strip S's buffer until it is collected | `collect`, `finish` |
//! | `mf:{J}:bits` | bitmap | strips with a committed buffer | `finish` |
//! | `mf:{J}:got` | bitmap | strips that were collected | `finish` |
//! | `mf:{J}:done` | stream | announcements of committed strips | `finish`; entries by `collect` |
//! | `mf:{J}:dead` | stream | strips given up, with reasons | `finish`; entries by `collect` |
//! | `mf:{J}:why` | hash | reasons of failed deliveries by strip | `finish` |
//! | `mf:{J}:crew` | sorted set | workers of a job with a cap, by the time until which they count | `finish`, expiry |
//! | `mf:workers` | sorted set | workers, by the time until which they count as alive | `leave` |
//! | `mf:worker:P` | string | what process P of a worker is and did, as JSON | `leave`, expiry |
//! | `mf:orders` | hash | what operators want of workers, by process | `leave`, expiry |
//! | `mf:bad` | hash | workers in quarantine, by name: until when, how often, why | expiry |
//! | `mf:orbit:{D}:jobs` | set | jobs that use the reference orbit with digest D | its last job's `finish`, expiry |
//! | `mf:orbit:{D}:N` | string | its bytes, in pieces from N = 0 on | its last job's `finish`, expiry |
//! | `mf:ctl` | channel | hints: wake up | |
//!
//! `S` is a slot: a strip's index, or for its audit the number of strips and the index.
//! `{J}` is the job's name as a hash tag: all keys of a job lie in one slot, so every script touches one
//! slot. Every key expires; a job's submitter keeps those of its job, and `mf:jobs`, alive. They outlive it by an hour where
//! another one could go on with the job, else by half a minute.

use crate::job::JobId;
use crate::orbit::OrbitKey;

/// Jobs that workers are offered, by priority.
pub const JOBS: &str = "mf:jobs";
/// All jobs, by priority.
pub const ALL_JOBS: &str = "mf:all";
/// Workers that operators want something of.
pub const ORDERS: &str = "mf:orders";
/// Workers in quarantine.
pub const QUARANTINE: &str = "mf:bad";
/// Channel of hints; losing one costs a poll.
pub const CONTROL: &str = "mf:ctl";
/// The one consumer group of a job's stream.
pub const GROUP: &str = "w";
/// Workers that are alive.
pub const WORKERS: &str = "mf:workers";
/// Owner of entries that a worker gave back uncounted.
pub const RELEASED: &str = "_released";
/// Owner of entries that a worker failed at.
pub const FAILED: &str = "_failed";

/// Message on [`CONTROL`]: there is something new to lease.
pub const WAKE_WORK: &str = "work";
/// Message on [`CONTROL`]: there is something new to lease, of a job before which others wait.
pub const WAKE_URGENT: &str = "urgent";
/// Message on [`CONTROL`]: a strip was given back, look among the leases now.
pub const WAKE_CLAIM: &str = "claim";
/// Message on [`CONTROL`]: a job ended.
pub const WAKE_ENDED: &str = "ended";
/// Message on [`CONTROL`]: an operator wants something of jobs or workers.
pub const WAKE_ORDERS: &str = "orders";

/// Where a process of a worker says what it is.
#[must_use]
pub fn worker(process: &str) -> String {
    format!("mf:worker:{process}")
}

/// The set of jobs that use an orbit, and then the orbit's pieces.
#[must_use]
pub fn orbit(key: &OrbitKey) -> Vec<String> {
    let digest = key.digest();
    let pieces = (0..key.chunks()).map(|piece| format!("mf:orbit:{{{digest}}}:{piece}"));
    std::iter::once(format!("mf:orbit:{{{digest}}}:jobs"))
        .chain(pieces)
        .collect()
}

/// The names of one job's keys, made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobKeys {
    /// The spec.
    pub spec: String,
    /// Operators' wishes and the submitter's report.
    pub state: String,
    /// The stream of strips.
    pub queue: String,
    /// Strips with a committed buffer.
    pub bits: String,
    /// Strips that were collected.
    pub got: String,
    /// The stream of announcements.
    pub done: String,
    /// The stream of dead letters.
    pub dead: String,
    /// Reasons of failed deliveries.
    pub why: String,
    /// Workers of a job with a cap on them.
    pub crew: String,
    result_prefix: String,
}

impl JobKeys {
    /// The names for `job`.
    #[must_use]
    pub fn new(job: &JobId) -> Self {
        let key = |part: &str| format!("mf:{{{job}}}:{part}");
        Self {
            spec: key("spec"),
            state: key("state"),
            queue: key("q"),
            bits: key("bits"),
            got: key("got"),
            done: key("done"),
            dead: key("dead"),
            why: key("why"),
            crew: key("crew"),
            result_prefix: key("r:"),
        }
    }

    /// Where the buffer for `slot` lies until it is collected.
    #[must_use]
    pub fn result(&self, slot: u32) -> String {
        format!("{}{slot}", self.result_prefix)
    }

    /// All keys but the results; the state last.
    #[must_use]
    pub fn fixed(&self) -> [&str; 9] {
        [
            &self.spec,
            &self.queue,
            &self.bits,
            &self.got,
            &self.done,
            &self.dead,
            &self.why,
            &self.crew,
            &self.state,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_job_has_one_hash_tag() {
        let job = JobId::generate();
        let keys = JobKeys::new(&job);
        let tag = format!("mf:{{{job}}}:");
        let result = keys.result(7);
        assert!(keys.fixed().iter().all(|key| key.starts_with(&tag)));
        assert_eq!(result, format!("{tag}r:7"));
    }
}
