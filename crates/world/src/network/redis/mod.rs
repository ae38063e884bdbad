//! The Redis of a world that names none, and the way to it from other machines.

pub mod private_redis;
pub mod tunnel;
