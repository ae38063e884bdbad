//! Files: those of other programs, batches of jobs, and what cannot be done.

mod bad_input;
mod batch;
mod formats;
mod images;
mod others;
