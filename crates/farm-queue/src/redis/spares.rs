//! Memory of buffers that were handed out, to be used again.
//!
//! A buffer is large enough that its memory would come fresh from the system each time, and to be given
//! fresh pages costs about as much as unpacking into them. So the queue keeps a hold of the last few buffers
//! that it handed out, and writes over those that nobody else holds any more.

use std::collections::VecDeque;
use std::sync::Arc;

use fractal::{Plane, StripBuffer};

/// The last few buffers that were handed out.
pub(super) struct Spares {
    lent: VecDeque<Arc<StripBuffer>>,
    most: usize,
}

impl Spares {
    /// Of at most `most` buffers.
    pub(super) fn new(most: usize) -> Self {
        Self {
            lent: VecDeque::with_capacity(most),
            most,
        }
    }

    /// The buffer to hand out; its memory may come back.
    pub(super) fn lend(&mut self, buffer: StripBuffer) -> Arc<StripBuffer> {
        let buffer = Arc::new(buffer);
        if self.lent.len() >= self.most {
            self.lent.pop_front();
        }
        self.lent.push_back(Arc::clone(&buffer));
        buffer
    }

    /// The planes of a buffer that nobody else holds; none where there is no such buffer.
    pub(super) fn take(&mut self) -> Vec<Plane> {
        let free = (self.lent.iter()).position(|buffer| Arc::strong_count(buffer) == 1);
        (free.and_then(|at| self.lent.remove(at)))
            .and_then(Arc::into_inner)
            .map_or_else(Vec::new, |buffer| buffer.planes)
    }
}
