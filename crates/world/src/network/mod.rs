//! Networks: complete targets, what runs of them, and what changes that.
//!
//! - [`mod@opened`]: a network of a world; [`target`]: its targets; [`access`]: how they and the submitter get into the farm
//! - [`state`]: what runs, on the disk, and for which renders
//! - [`lifecycle`]: what happens to it, by [`boot`], [`status`] and [`shutdown`]; [`redis`]: the Redis of a world that
//!   names none, and the way to it from other machines
//! - [`stage`]: a network for one render; [`figures`]: what is known of its speed

pub mod access;
pub mod boot;
pub mod figures;
pub mod lifecycle;
pub mod opened;
mod redis;
pub mod shutdown;
pub mod stage;
pub mod state;
pub mod status;
pub mod target;
