//! The loop between queue and files.
//!
//! - [`mod@collect`]: the loop; [`work`]: what it is given; [`tasks`]: the tasks beside it
//! - [`queue_tasks`]: those that talk with the queue; [`to_files`]: the way to the files
//! - [`ledger`]: where every strip of a job lies and what moves next; [`audit`]: strips that are computed twice

mod audit;
#[expect(
    clippy::module_inception,
    reason = "the loop itself, which all others serve"
)]
pub mod collect;
mod ledger;
mod queue_tasks;
mod tasks;
mod to_files;
pub mod work;
