//! How long connections and commands may take.

use std::time::Duration;

/// Longest time to open a connection.
pub(in crate::redis) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time that a small command may take.
pub(in crate::redis) const CONTROL_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time that a command with a buffer may take, beside the time of its bytes.
const BULK_TIMEOUT: Duration = Duration::from_secs(10);
/// The slowest network that is waited for.
const SLOWEST_BYTES_PER_SEC: u64 = 32 << 10;
/// Longest time that a command may take which moves `bytes`.
pub(in crate::redis) fn bulk_timeout(bytes: u64) -> Duration {
    BULK_TIMEOUT + Duration::from_secs(bytes / SLOWEST_BYTES_PER_SEC)
}
