//! NumPy's arrays.

pub(crate) mod header;
mod numbers;
pub(crate) mod read;
pub mod write;

pub use read::singles;
