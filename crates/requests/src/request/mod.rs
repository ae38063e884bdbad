//! Requests: what is drawn, and by what means. Both are plain data, and nothing in them is a default.
//!
//! What is drawn ([`PictureRequest`], [`SequenceRequest`], [`PaintRequest`], [`MinibrotRequest`]) is serde data with the names
//! of the command line's options as its keys, and safe from anybody: it names no file, no address and no program. The
//! [`means`] do, and cannot be deserialised: who takes requests from a network has nothing to take them from.

mod colours;
mod formula;
pub mod means;
mod picture;
mod sequence;
mod text;
mod view;

pub use colours::ColourRequest;
pub use formula::FormulaRequest;
pub use means::{FarmMeans, Means, SequenceMeans};
pub use picture::{MinibrotRequest, PaintRequest, PictureRequest};
pub use sequence::SequenceRequest;
pub use text::Size;
pub use view::{TurnRequest, ViewRequest};
