//! One job, from strips to files or to memory.
//!
//! Data goes one way: a [`plan`] -> what it needs ([`prepare`]) -> strips on a [`queue`] -> workers -> buffers
//! ([`collect`]), kept in a [`journal`] -> in order -> [`files`], or a [`picture`] in memory.
//!
//! - [`mod@render`]: the whole way; [`tile`]: small pictures at once
//! - [`progress`]: what becomes known meanwhile; [`stop`]: a request to end it; [`deed`]: a future of it; [`report`]: what is said when it is done;
//!   [`error`]: why there is no picture
//! - [`job`]: jobs as the queue knows them

#![forbid(unsafe_code)]

pub mod collect;
pub mod deed;
pub mod error;
pub mod files;
pub mod job;
pub mod journal;
pub mod picture;
pub mod plan;
pub mod prepare;
pub mod progress;
pub mod queue;
pub mod render;
pub mod report;
pub mod stop;
#[cfg(test)]
mod tests;
pub mod tile;

pub use deed::Deed;
pub use error::{CollectError, RenderError};
pub use picture::Picture;
pub use plan::RenderPlan;
pub use progress::{Arrival, Event, Progress, Silent};
pub use report::Report;
pub use stop::Stop;
