//! The loop between queue and files.
//!
//! - [`mod@collect`]: the loop; [`work`]: what it is given; [`tasks`]: the tasks beside it
//! - [`queue_tasks`]: those that talk with the queue; [`to_files`]: the way to the files
//! - [`ledger`]: where every strip of a job lies and what moves next, with what is decided without waiting: [`assembly`]
//!   (which strip is next), [`failed_strips`], [`standing`] (figures, and workers that fail), [`stragglers`] (the end of a
//!   job), [`audit`] (strips computed twice); [`comparison`] does what audits ask for, and [`computing`] computes here

mod assembly;
mod audit;
#[expect(
    clippy::module_inception,
    reason = "the loop itself, which all others serve"
)]
pub mod collect;
mod comparison;
mod computing;
mod failed_strips;
mod ledger;
mod queue_tasks;
mod standing;
mod stragglers;
mod tasks;
mod to_files;
pub mod work;
