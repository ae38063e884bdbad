//! The failure matrix: one test a row, each with the real programs on a real redis-server.
//!
//! Whatever goes wrong, the picture has the bytes that it has in quiet, and no key of its job is left. Each
//! row says beside that what else has to hold. The table is in `docs/reliability.md`, with each row's test.

mod failover;
mod moments;
mod network;
mod passing;
mod planted;
mod redis;
mod rollback;
mod submitter;
mod workers;
