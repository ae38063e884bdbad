//! Key frames: in their folder, and made where they are missing.

pub mod folder;
pub mod make;
#[cfg(test)]
mod tests;
