//! Other formulas than z² + c, and Julia sets.

mod adapters;
mod counts;
mod deep;
mod minibrots;
mod options;
