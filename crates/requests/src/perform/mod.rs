//! Requests are carried out: a module a deed. Each is an async function of what is requested, by what means, who is told,
//! and what stops it.

pub mod colours;
pub mod minibrot;
pub mod picture;
pub mod preview;
pub mod resume;
pub mod sequence;
pub mod tile;
