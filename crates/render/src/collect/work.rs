//! A created job, and all that its strips meet.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use farm_queue::{JobReport, JobSpec};
use fractal::ReferenceOrbit;

use crate::files::Files;
use crate::journal::journal::Journal;
use crate::progress::Progress;
use crate::queue::Queue;
use crate::report::Tally;

/// What was done of a job before this process took it up.
#[derive(Debug, Default)]
pub struct Past {
    /// Strips in its journal.
    pub stored: BTreeSet<u32>,
    /// All strips below this one were queued.
    pub queued: u32,
}

/// One created job and all that its strips meet.
pub struct Work<'a> {
    /// The queue that knows the job.
    pub queue: &'a Queue,
    /// The job.
    pub job: &'a Arc<JobSpec>,
    /// Its reference orbit, where its pixels are computed from one.
    pub orbit: Option<Arc<ReferenceOrbit>>,
    /// Its journal, where it has one.
    pub journal: Option<&'a Journal>,
    /// What was done before.
    pub past: Past,
    /// How long the queue may be out of reach.
    pub limit: Duration,
    /// Its files.
    pub files: &'a mut Files,
    /// Told of every strip.
    pub progress: &'a dyn Progress,
    /// Told of every strip.
    pub tally: &'a mut Tally,
    /// Workers are elsewhere, and may not be there at all.
    pub on_farm: bool,
    /// Strips of a hundred that are audited.
    pub audit: u8,
    /// What is told of the job and this process: title and submitter.
    pub about: JobReport,
}
