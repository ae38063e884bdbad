//! The queue: protocol, in process and in Redis.
