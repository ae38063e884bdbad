//! What a job is: parameters, never code.

use std::fmt;
use std::time::Duration;

use fractal::{BackendChoice, FrameSpec, StripPlan};
use serde::{Deserialize, Serialize};

/// A lease that shows no heartbeat for this long is given to somebody else.
pub const LEASE: Duration = Duration::from_secs(15);
/// Deliveries of one strip after which it is put to the dead letters.
pub const MAX_DELIVERIES: u32 = 4;

/// A job's name: a ULID, so names sort by the time of submission.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// A new name.
    #[must_use]
    pub fn generate() -> Self {
        Self(ulid::Ulid::generate().to_string())
    }

    /// The name in a text from outside; `None` unless it is a ULID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ulid::Ulid::from_string(text).ok().map(|id| Self(id.to_string()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything that a worker must know of a job. Immutable once created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// Its name.
    pub id: JobId,
    /// What is computed.
    pub frame: FrameSpec,
    /// How it is cut.
    pub strips: StripPlan,
    /// Which kinds of device may compute it.
    pub backend: BackendChoice,
}
