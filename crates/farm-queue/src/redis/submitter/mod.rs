//! The queue in Redis as a submitter sees it.
//!
//! Each job is read on a connection of its own, because a read that waits holds up whatever comes after
//! it. What was fetched is kept until the caller has it: a call of `collect` that is dropped half-way loses
//! nothing.
//!
//! - [`connection`]: the connection, and the lifetimes of what lies in the server; [`job`]: what is kept of a job here
//! - [`health`]: a job is put up, repaired, reported on and ended; [`reading`]: what workers delivered
//! - [`strips`]: which strips the server holds; [`commands`]: what several of these send
//! - [`watch`]: whether the server still keeps what it is given
//! - [`queue`]: the calls themselves, over all of these

mod commands;
mod connection;
mod health;
mod job;
mod queue;
mod reading;
mod strips;
mod watch;

pub(super) use commands::add_removal;
pub use connection::RedisJobQueue;
pub(super) use strips::under_way;
