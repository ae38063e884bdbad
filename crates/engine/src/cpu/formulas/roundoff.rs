//! What doubles round by.

/// Unit roundoff of doubles.
pub(super) const UNIT: f64 = f64::EPSILON / 2.0;
