//! What has a name: palettes and formulas.

pub mod formulas;
pub mod palettes;
