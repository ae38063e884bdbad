//! The protocol of the queue: pure functions and values, no I/O.
//!
//! Whatever travels between machines is written and read here, and every reader treats its input as
//! hostile: it checks lengths against the job's spec and named limits before it allocates, and answers
//! with a typed error, never a panic.
//!
//! - [`keys`]: names of everything that lies in Redis
//! - [`spec`]: a job's spec as it travels
//! - [`signing`]: the farm's key, and who made a spec
//! - [`blob`]: a computed strip as it travels
//! - [`packing`]: its planes made smaller
//! - [`entry`]: the small fields of stream entries
//! - [`attempts`]: how often a strip may be delivered, and what is remembered of its failures; [`lines`]: the words of
//!   workers, as they are kept; [`sealed`]: their reasons on a farm with a key
//! - [`failures`]: what a worker failed at and leaves to others
//! - [`choice`]: which job a worker serves next
//! - [`table`]: what a queue holds of a job, and every step on it, as a state machine
//! - [`window`]: how many bytes may be under way at once

pub mod attempts;
pub mod blob;
pub mod choice;
pub mod entry;
pub mod failures;
pub mod keys;
pub mod lines;
pub mod packing;
pub mod sealed;
pub mod signing;
pub mod spec;
pub mod table;
pub mod window;
