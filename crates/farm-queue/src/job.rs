//! What a job is: parameters, never code.

use std::fmt;
use std::time::Duration;

use fractal::{Arithmetic, BackendChoice, FrameSpec, StripPlan};
use serde::{Deserialize, Serialize};

use crate::orbit::OrbitKey;

/// A lease that shows no heartbeat for this long is given to somebody else.
pub const LEASE: Duration = Duration::from_secs(15);
/// Deliveries of one strip after which it is put to the dead letters.
pub const MAX_DELIVERIES: u32 = 4;

/// A job's name: a ULID, so names sort by the time of submission.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct JobId(String);

/// A text that names no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job's name is a ULID, 26 letters and digits")]
pub struct JobIdError;

impl TryFrom<String> for JobId {
    type Error = JobIdError;

    /// Only the one way in which we write a name: keys are made of it.
    fn try_from(text: String) -> Result<Self, JobIdError> {
        Self::parse(&text)
            .filter(|id| id.0 == text)
            .ok_or(JobIdError)
    }
}

impl JobId {
    /// A new name.
    #[must_use]
    pub fn generate() -> Self {
        Self(ulid::Ulid::generate().to_string())
    }

    /// The name in a text from outside; `None` unless it is a ULID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ulid::Ulid::from_string(text)
            .ok()
            .map(|id| Self(id.to_string()))
    }

    /// As 16 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 16] {
        // Every way to make a name checks that it is a ULID.
        ulid::Ulid::from_string(&self.0)
            .unwrap_or(ulid::Ulid::nil())
            .to_bytes()
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
    /// Most workers that may have strips of it at a time, at least 1; all when `None`.
    pub max_workers: Option<u16>,
    /// Digest of the kernels that may compute it: a picture is never put together from two builds.
    pub build: u64,
    /// The reference orbit from which its pixels are computed as deltas; plain iteration when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orbit: Option<OrbitKey>,
    /// The one arithmetic that may compute it; whichever is exact enough for the view when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arithmetic: Option<Arithmetic>,
    /// The tag that workers have which may compute it; all when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
}
