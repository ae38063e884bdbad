//! Kernels of all formulas but z² + c, and of Julia sets: plain ones in doubles, and deltas from reference orbits with blocks
//! whose bounds are proved.
//!
//! - `program`, `plain`: orbits in doubles, in vectors
//! - `real`, `matrix`: numbers and linear maps; `linear`: steps and blocks as such maps, with what they leave out; `table`: the
//!   blocks of an orbit
//! - `delta`: one step of a delta; `pixel`: a pixel's orbit; `deep`: what they share
//! - `strip`: a strip of a frame; `values`: its planes

mod deep;
mod delta;
mod linear;
mod matrix;
mod pixel;
mod plain;
mod program;
mod real;
mod strip;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub(super) use strip::Band;
pub(crate) use strip::KERNEL_ID;
