//! How many threads a process computes and paints with: one for each core, unless fewer are asked for.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number asked for; 0 while none is.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Sets the number of threads, instead of one for each core. No byte of any result depends on it.
pub fn want(threads: usize) {
    WANTED.store(threads, Ordering::Relaxed);
}

/// The number of threads to use, at least 1.
#[must_use]
pub fn available() -> usize {
    match WANTED.load(Ordering::Relaxed) {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        wanted => wanted,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_number_asked_for_counts() {
        assert!(super::available() >= 1);
        super::want(7);
        assert_eq!(super::available(), 7);
        assert_eq!(crate::reference::threads(), 2);
        super::want(1);
        assert_eq!(crate::reference::threads(), 1);
        super::want(0);
        assert!(super::available() >= 1);
    }
}
