//! Names of everything that lies in Redis.
//!
//! | key | type | holds | removed by |
//! |---|---|---|---|
//! | `mf:jobs` | sorted set | active jobs by priority | `finish`; pruned by `create` |
//! | `mf:{J}:spec` | string | the job's spec as JSON | `finish` |
//! | `mf:{J}:q` | stream, group `w` | strips to do and under way | `finish`; entries by commit |
//! | `mf:{J}:r:S` | string | strip S's buffer until it is collected | `collect`, `finish` |
//! | `mf:{J}:bits` | bitmap | strips with a committed buffer | `finish` |
//! | `mf:{J}:got` | bitmap | strips that were collected | `finish` |
//! | `mf:{J}:done` | stream | announcements of committed strips | `finish`; entries by `collect` |
//! | `mf:{J}:dead` | stream | strips given up, with reasons | `finish`; entries by `collect` |
//! | `mf:{J}:why` | hash | reasons of failed deliveries by strip | `finish` |
//! | `mf:{J}:crew` | sorted set | workers of a job with a cap, by the time until which they count | `finish`, expiry |
//! | `mf:workers` | sorted set | workers, by the time until which they count as alive | `leave` |
//! | `mf:ctl` | channel | hints: wake up | |
//!
//! `{J}` is the job's name as a hash tag: all keys of a job lie in one slot, so every script touches one
//! slot. Every key expires; a job's submitter keeps those of its job, and `mf:jobs`, alive.

use crate::job::JobId;

/// Active jobs by priority.
pub const JOBS: &str = "mf:jobs";
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
/// Message on [`CONTROL`]: a strip was given back, look among the leases now.
pub const WAKE_CLAIM: &str = "claim";
/// Message on [`CONTROL`]: a job ended.
pub const WAKE_ENDED: &str = "ended";

/// The names of one job's keys, made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobKeys {
    /// The spec.
    pub spec: String,
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

    /// Where the buffer of strip `index` lies until it is collected.
    #[must_use]
    pub fn result(&self, index: u32) -> String {
        format!("{}{index}", self.result_prefix)
    }

    /// All keys but the results.
    #[must_use]
    pub fn fixed(&self) -> [&str; 8] {
        [
            &self.spec,
            &self.queue,
            &self.bits,
            &self.got,
            &self.done,
            &self.dead,
            &self.why,
            &self.crew,
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
