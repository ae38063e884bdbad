//! The page under pressure: a busy farm, a long history with many who watch it, and hostile clients that take their time.

mod attacks;
mod busy_farm;
mod crowd;
