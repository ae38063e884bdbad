//! The last few jobs' frames, made ready for kernels.
//!
//! A frame's coordinates are computed once a job rather than once a strip. Bounded, because a worker
//! serves jobs for weeks: a picture of the largest size takes 2 MiB here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use engine::PreparedFrame;
use farm_queue::{JobId, JobSpec};
use fractal::frame::FrameError;

/// Jobs whose frames are kept.
const KEPT: usize = 8;

/// Frames by job, the most recently made last.
#[derive(Debug, Default)]
pub struct Frames {
    kept: Mutex<VecDeque<(JobId, Arc<PreparedFrame>)>>,
}

impl Frames {
    /// The frame of `job`, made ready now if it is not among the kept ones.
    ///
    /// # Errors
    /// When the job's frame is over a limit.
    pub fn get(&self, job: &JobSpec) -> Result<Arc<PreparedFrame>, FrameError> {
        // Held while a frame is made: slots that start on one job together wait instead of repeating it.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, frame)) = kept.iter().find(|(id, _)| *id == job.id) {
            return Ok(Arc::clone(frame));
        }
        let frame = Arc::new(PreparedFrame::new(job.frame.clone())?);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((job.id.clone(), Arc::clone(&frame)));
        Ok(frame)
    }
}
