//! Everything that may be asked for, as data, and what answers it.
//!
//! - [`request`]: what is drawn, and by what means; [`plan`]: requests become plans, the one place of defaults
//! - [`place`]: where something is computed; [`perform`]: requests are carried out; [`error`]: why one was not

#![forbid(unsafe_code)]
// wgpu's types lie deep in each other, where a future shows that it may go to another thread.
#![recursion_limit = "256"]

pub mod error;
pub mod perform;
pub mod place;
pub mod plan;
pub mod request;

pub use error::{Error, ErrorKind};
pub use request::{
    ColourRequest, FarmMeans, FormulaRequest, Means, MinibrotRequest, PaintRequest, PictureRequest,
    SequenceMeans, SequenceRequest, Size, TurnRequest, ViewRequest,
};
pub use world::error::with_causes;
