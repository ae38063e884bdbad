//! When faults come, and how soon they have to be over.

use std::time::Duration;

/// How long after a worker's death its strips may lie still where workers are impatient: a short lease, and the longest
/// wait of a look.
pub(super) const SHORT_RECOVERY: Duration = Duration::from_secs(8);
/// Strips that are committed before a fault comes: it is in the job's midst then.
pub(super) const MIDST: u64 = 8;
