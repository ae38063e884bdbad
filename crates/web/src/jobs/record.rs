//! What is kept of a job.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::request::JobRequest;

/// What has become of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It waits, or was under way when the server ended: it will be made.
    Queued,
    /// Its files are there.
    Done,
    /// It failed.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl JobState {
    /// It in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A file that a job made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutputFile {
    /// Its name within the server's folder.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
}

/// A job, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name; names sort by time.
    pub job: String,
    /// What is asked for.
    pub request: JobRequest,
    /// What has become of it.
    pub state: JobState,
    /// When it was handed in, in milliseconds since 1970.
    pub submitted: u64,
    /// When it ended, likewise.
    pub ended: Option<u64>,
    /// Seconds that it was under way, all tries together.
    pub seconds: f64,
    /// Columns and rows of its picture, or of a frame.
    pub size: (u32, u32),
    /// Bytes of the disk that it may need until it is done.
    pub need: u64,
    /// Iterations that were made for it.
    pub iterations: f64,
    /// Why it failed.
    pub error: Option<String>,
    /// Its files, once they are there.
    pub outputs: Vec<OutputFile>,
    /// Strips, by worker.
    pub workers: BTreeMap<String, u64>,
}

impl Record {
    /// Bytes of its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.outputs.iter().map(|output| output.bytes).sum()
    }

    /// Whether it has a file of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.outputs.iter().any(|output| output.name == name)
    }
}

/// The time, in milliseconds since 1970.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
