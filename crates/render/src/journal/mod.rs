//! A job's finished strips on the submitter's disk, so that it can go on after anything that ends it.
//!
//! - [`mod@journal`]: one job's, open; [`writer`]: the thread that writes it; [`records`]: what its file holds
//! - [`plan_file`]: a job's plan; [`store`]: the folder of all journals

#[expect(clippy::module_inception, reason = "the journal itself")]
pub mod journal;
pub mod plan_file;
pub mod records;
mod saved_path;
pub mod store;
mod writer;
