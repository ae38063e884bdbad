//! What the tests are made of: farms with each kind of queue, servers, jobs, and the steps that many of them share.

pub(crate) mod farms;
pub(crate) mod samples;
pub(crate) mod server;
pub(crate) mod steps;
