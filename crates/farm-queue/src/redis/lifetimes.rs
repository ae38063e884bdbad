//! How long what lies in Redis outlives the last word of whoever needs it.

use std::time::Duration;

/// How long a job's keys outlive the last sign of its submitter, where another one could go on with it.
pub const JOB_LIFETIME: Duration = Duration::from_secs(3600);
/// The same where none could: there is no journal, or not yet. What is left of a submitter that was killed in its
/// first second takes up memory and workers for no longer than this; of one that was only away it is put up anew.
pub const YOUNG_LIFETIME: Duration = Duration::from_secs(30);
/// How long the state of a job that failed or was cancelled stays readable.
pub const ENDED_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How long a buffer waits to be collected.
pub const RESULT_LIFETIME: Duration = Duration::from_secs(3600);
/// How long a worker counts as alive after it last said so.
pub const PRESENCE_LIFETIME: Duration = Duration::from_secs(15);

/// A time as commands take it, in milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
