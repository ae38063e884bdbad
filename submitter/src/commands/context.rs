//! What all commands have.

use std::sync::Arc;

use render::{Progress, Stop};

use crate::terminal::progress::TerminalProgress;

/// What all commands have: who is told of the work, and what stops it.
pub struct Context {
    /// Nothing is said of the work.
    pub quiet: bool,
    /// Who is told.
    pub progress: Arc<dyn Progress>,
    /// The request to stop.
    pub stop: Stop,
}

impl Context {
    /// Of a command that is to be `quiet`, or not.
    pub fn new(quiet: bool, stop: Stop) -> Self {
        Self {
            quiet,
            progress: Arc::new(TerminalProgress::new(quiet)),
            stop,
        }
    }
}

/// Lets what follows compute and paint with so many threads, or with one for each core.
pub fn compute_with(threads: Option<u16>) {
    let threads = threads.map_or(0, usize::from);
    fractal::threads::want(threads);
    if threads > 0 {
        // What has no threads of its own, as packing EXR; a later command of a batch finds them started.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("threads-{number}"))
            .build_global();
    }
}
