//! Ports of this machine that were free a moment ago.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports for servers: below those that systems give to whoever asks for any, so that nobody takes the
/// port of a server that is down for a moment.
const SERVER_PORTS: std::ops::Range<u16> = 16_000..32_000;

/// A port of [`SERVER_PORTS`] that was free a moment ago; each call another one.
pub(crate) fn server_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = SERVER_PORTS.end - SERVER_PORTS.start;
    // Processes that test at once begin at different places.
    let begin = (std::process::id().wrapping_mul(977) % u32::from(span)) as u16;
    (0..span)
        .find_map(|_| {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % span;
            let port = SERVER_PORTS.start + (begin + step) % span;
            TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
        })
        .expect("a loopback port")
}

/// A loopback port that was free a moment ago.
///
/// # Panics
/// When the system has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("its address").port()
}
