//! Farms and workers as their operators meet them.

mod operate;
mod orders;
mod progress;
mod scale;
mod words;
mod worker;
