//! A farm under the access list that `submitter redis-acl` prints: it works, and nothing else does.

mod allowed;
mod refused;
mod setup;
