//! A frame prepared for a device, whichever that is: the numbers that kernels begin with, made once a job.
//!
//! - [`prepared`]: a checked frame with its coordinates; [`deep_frame`]: what a deep view has beside them
//! - [`turned`]: coordinates of turned views
//! - `picks`: evenly chosen columns and rows
//! - `general`: what frames of other formulas have beside them
//! - `cache`: what devices keep with a frame

pub(crate) mod cache;
pub mod deep_frame;
mod general;
pub(crate) mod picks;
pub mod prepared;
pub mod turned;

pub use deep_frame::DeepFrame;
pub use general::GeneralFrame;
pub use prepared::{PreparedFrame, orbit_value_bytes};
