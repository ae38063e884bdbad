//! Whatever fails, the picture is the same and nothing stays.

mod faults;
mod interrupts;
mod matrix;
mod resume;
