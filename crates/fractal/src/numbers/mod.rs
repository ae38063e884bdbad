//! Numbers that are more than an `f64`.
//!
//! - [`decimal`]: coordinates as typed
//! - [`floatexp`]: doubles with an exponent of their own
//! - `fraction`: fractions of big integers, rounded to doubles

pub mod count;
pub mod decimal;
pub mod floatexp;
pub(crate) mod fraction;
