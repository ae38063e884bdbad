//! The queue's protocol driven by something else than a farm.
//!
//! What happens to a strip is decided by [`farm_queue::protocol::table`], which the queue in process is made of and
//! which answers as the scripts in Redis do. Here it meets:
//!
//! - [`worker`] and [`submitter`]: who calls it, as state machines
//! - [`model`]: every order of events in a small farm with faults, by a model checker
//! - [`simulate`]: large farms with faults in virtual time
//! - [`decoders`]: any bytes, for the fuzzer and for tests

#![forbid(unsafe_code)]

pub mod decoders;
pub mod model;
pub mod simulate;
pub mod submitter;
pub mod worker;
