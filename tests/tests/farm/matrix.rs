//! The failure matrix: one test a row, each with the real programs on a real redis-server.
//!
//! Whatever goes wrong, the picture has the bytes that it has in quiet, and no key of its job is left. Each
//! row says beside that what else has to hold. The table is in `docs/reliability.md`, with each row's test.

mod failover;
mod network;
mod passing;
mod planted;
mod redis;
mod rollback;
mod submitter;
mod workers;

use std::time::Duration;

/// How long after a worker's death its strips may lie still where workers are impatient: a short lease, and the longest
/// wait of a look.
const SHORT_RECOVERY: Duration = Duration::from_secs(8);
/// Strips that are committed before a fault comes: it is in the job's midst then.
const MIDST: u64 = 8;
