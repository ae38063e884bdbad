//! One run: what it is told, and what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::crew::Work;
use super::ends::Ends;
use super::fault::Kind;
use super::watch::Figures;

/// What to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Runs.
    pub runs: u64,
    /// Seed of the first run; the others follow.
    pub seed: u64,
    /// Runs at a time.
    pub parallel: usize,
    /// Workers of each farm that only take their time, of [`WORKERS`](super::stage::WORKERS).
    pub pretenders: usize,
    /// Seconds that those take for a strip.
    pub strip_secs: f64,
    /// Whether those lie instead: a picture that differs has to be seen.
    pub lie: bool,
    /// How long things go wrong in one run at most.
    pub faults_for: Duration,
    /// How long one run may take.
    pub limit: Duration,
    /// What may go wrong.
    pub kinds: Vec<Kind>,
    /// Whether each fault is told on stderr.
    pub verbose: bool,
}

/// One run.
#[derive(Clone, Debug, Default)]
pub struct RunRecord {
    /// Its seed.
    pub seed: u64,
    /// What was made.
    pub scene: &'static str,
    /// Faults by kind.
    pub faults: BTreeMap<Kind, u64>,
    /// From the submitters' start to the last one's end.
    pub secs: f64,
    /// What was measured.
    pub figures: Figures,
    /// What the workers did.
    pub work: Work,
    /// Strips of the pictures, those twice that were audited.
    pub strips: u64,
    /// Pictures.
    pub pictures: u64,
    /// How often a submitter was started.
    pub starts: u64,
    /// How submitters ended.
    pub ends: Ends,
    /// Pictures that were others than in quiet.
    pub differing: u64,
    /// Keys that were left over.
    pub left: Vec<String>,
    /// Why it did not come to an end, if so.
    pub broken: Option<String>,
}

impl RunRecord {
    /// Whether all was as it has to be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.differing == 0 && self.left.is_empty() && self.broken.is_none()
    }
}
