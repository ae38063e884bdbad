//! The most of everything that a page may ask for or hold.

use std::time::Duration;

/// Connections at a time; for one more the oldest ends by which nobody was let in, or it waits.
pub const MOST_CONNECTIONS: usize = 512;
/// Those of watchers: some are left for whoever may do everything.
pub const MOST_CONNECTIONS_OF_WATCHERS: usize = MOST_CONNECTIONS - 64;
/// How long a request's head may take to come.
pub const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request's body may take to come.
pub const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a request's head.
pub const MOST_HEAD_BYTES: usize = 32 << 10;
/// Bytes of a request in JSON: two coordinates of [`MOST_DIGITS`], and change.
pub const MOST_JSON_BYTES: usize = 64 << 10;
/// Bytes of a file that is dropped on the page.
pub const MOST_FILE_BYTES: usize = 32 << 20;
/// Characters of a number: views to 1e8000, and some more.
pub const MOST_DIGITS: usize = 8500;
/// log2 of the largest magnification: 1e8192 or so.
pub const MOST_ZOOM_LOG2: f64 = 27_300.0;
/// Iterations of a pixel.
pub const MOST_ITERATIONS: u64 = 10_000_000;
/// Operations of a phase of a formula, each of which is done at every iteration.
pub const MOST_OPERATIONS: usize = 16;
/// Tiles, files and searches that are computed at a time; more wait.
pub const MOST_UNDER_WAY: usize = 4;
/// Those of watchers among them: one is left for whoever may do everything.
pub const MOST_OF_WATCHERS: usize = 3;
/// Those that wait; more are refused.
pub const MOST_WAITING: usize = 64;
/// Those of watchers among them.
pub const MOST_WAITING_WATCHERS: usize = 48;
/// Files that are taken at a time, from their first byte until they are read; more are refused.
pub const MOST_FILES: usize = 8;
/// Mebibytes of large answers that wait to be read by whoever asked; more are refused.
pub const MOST_UNREAD_MIB: usize = 512;
/// How long whoever asked may read nothing of an answer.
pub const READ_PATIENCE: Duration = Duration::from_secs(30);
/// Pages whose generations are remembered; of more, the one that was silent for longest is forgotten.
pub const MOST_VIEWERS: usize = 256;
/// Letters of the name that a page gives itself.
pub const MOST_VIEWER_LETTERS: usize = 64;
/// Browsers that are let in by each address; of more, the first is forgotten and has to come by the printed address again.
pub const MOST_SESSIONS: usize = 256;
/// Bytes of a file that is saved.
pub const MOST_SAVED_BYTES: u64 = 1 << 28;
/// Pages that watch the farm at a time; more are refused.
pub const MOST_WATCHERS: usize = 256;
/// Jobs or workers of one order.
pub const MOST_ORDERED: usize = 1000;
/// Bytes of a file of gradients.
pub const MOST_GRADIENT_BYTES: usize = 4 << 20;
/// Bytes that are read of one to find each of its gradients, all together.
pub const MOST_GRADIENT_WORK: usize = 256 << 20;
/// Gradients of a file that is dropped on the page.
pub const MOST_GRADIENTS: usize = 256;
/// Samples of a job: a poster of 2^17 x 2^17 pixels, or all key frames of a sequence together.
pub const MOST_JOB_SAMPLES: u64 = 1 << 34;
/// Files of a job.
pub const MOST_OUTPUTS: usize = 8;
/// Bytes of a file's name.
pub const MOST_NAME_BYTES: usize = 120;
/// Jobs that wait or are under way; more are refused.
pub const MOST_QUEUED: usize = 1000;
/// Jobs that are kept in the history; of more, the oldest is forgotten. Its files stay.
pub const MOST_HISTORY: usize = 100_000;
/// Jobs that are under way at a time on a farm, which shares its workers among them; one in process.
pub const MOST_RUNNING: usize = 4;
/// Jobs of a list.
pub const MOST_LISTED: usize = 200;
/// Bytes of the disk that stay free beside what jobs need.
pub const SPARE_BYTES: u64 = 256 << 20;
/// Pixels of a side of a small picture.
pub const THUMBNAIL_SIDE: u32 = 160;
/// Pixels of the longer side of a picture as it grows.
pub const GROWN_SIDE: u32 = 320;
/// Workers that are told apart in one.
pub const MOST_MAKERS: usize = 200;
