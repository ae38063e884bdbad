//! World files: what is written in them, checked key by key.

pub mod fields;
pub mod names;
pub mod settings;
#[cfg(test)]
pub(crate) mod tests;
pub mod world;
pub mod yaml;
