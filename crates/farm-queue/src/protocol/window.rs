//! How many bytes of buffers may be under way at once.
//!
//! The submitter is the brake of the whole farm: it queues no more strips than their results have room
//! for. So a picture of any size passes through a Redis of any size.

/// The window of the queue in process: enough for every core to be busy, little enough to stay well
/// within the memory that one render may use.
pub const MEMORY_WINDOW_BYTES: u64 = 128 << 20;
/// Largest window on a server.
pub const MAX_REDIS_WINDOW_BYTES: u64 = 256 << 20;
/// Smallest window on a server: less could not keep two workers busy.
pub const MIN_REDIS_WINDOW_BYTES: u64 = 8 << 20;
/// Share of the server's memory limit that one job may fill, as a divisor.
const MEMORY_SHARE: u64 = 4;

/// The window on a server with this `maxmemory` (0: none).
#[must_use]
pub fn redis_window_bytes(maxmemory: u64) -> u64 {
    if maxmemory == 0 {
        MAX_REDIS_WINDOW_BYTES
    } else {
        (maxmemory / MEMORY_SHARE).clamp(MIN_REDIS_WINDOW_BYTES, MAX_REDIS_WINDOW_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_server_within_limits() {
        assert_eq!(redis_window_bytes(0), MAX_REDIS_WINDOW_BYTES);
        assert_eq!(redis_window_bytes(1 << 20), MIN_REDIS_WINDOW_BYTES);
        assert_eq!(redis_window_bytes(100 << 20), 25 << 20);
        assert_eq!(redis_window_bytes(u64::MAX), MAX_REDIS_WINDOW_BYTES);
    }
}
