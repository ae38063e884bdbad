//! How many threads a process computes and paints with: as many as it has cores, unless whoever started it said less.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What was said; 0 until then.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// From now on so many, and no longer one for each core. Decides no byte of anything.
pub fn want(threads: usize) {
    WANTED.store(threads, Ordering::Relaxed);
}

/// How many there are to be.
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
    fn what_was_said_counts() {
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
