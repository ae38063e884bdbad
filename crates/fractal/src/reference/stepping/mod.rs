//! The step z := z² + C of a reference orbit in fixed point.
//!
//! - `format`: how a number of bits is held, in limbs or in digits
//! - `stepper`: what makes steps, and parts of numbers; `steppers`: which one serves a format
//! - `fixed`: in limbs, by the squares of `limbs`
//! - `fourier`: by transforms of digits (`digits`), on one thread or on two (`helper`)

mod digits;
pub(crate) mod fixed;
pub(super) mod format;
mod fourier;
mod helper;
mod limbs;
pub(crate) mod stepper;
pub(super) mod steppers;
