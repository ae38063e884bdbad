//! Requests become plans: complete, checked, and the one place of defaults ([`usual`]).

pub mod colours;
pub mod home;
pub mod minibrot;
pub(crate) mod outputs;
pub mod palettes;
pub mod picture;
pub mod refused;
pub mod sequence;
mod sequence_colours;
pub mod usual;
