//! Other formulas than z² + c, and Julia sets.

mod counts;
mod deep;
mod options;
