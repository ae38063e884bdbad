//! The last few jobs' frames, made ready for kernels.
//!
//! A frame's coordinates are computed once a job rather than once a strip. Bounded, because a worker
//! serves jobs for weeks: a picture of the largest size takes 2 MiB here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use engine::PreparedFrame;
use farm_queue::{JobId, JobSpec};
use fractal::frame::FrameError;

/// Jobs whose frames are kept.
const KEPT: usize = 8;

type Made = Result<Arc<PreparedFrame>, FrameError>;

/// Frames by job, the most recently asked for the first time last.
#[derive(Debug, Default)]
pub struct Frames {
    kept: Mutex<VecDeque<(JobId, Arc<OnceLock<Made>>)>>,
}

impl Frames {
    /// The frame of `job`, made ready now if it is not among the kept ones.
    ///
    /// # Errors
    /// When the job's frame is over a limit.
    pub fn get(&self, job: &JobSpec) -> Result<Arc<PreparedFrame>, FrameError> {
        self.get_or_make(&job.id, || {
            PreparedFrame::new(job.frame.clone()).map(Arc::new)
        })
    }

    fn get_or_make(&self, id: &JobId, make: impl FnOnce() -> Made) -> Made {
        // Made outside the lock: slots that start on one job together wait instead of repeating it, and
        // those of other jobs go on.
        self.place(id).get_or_init(make).clone()
    }

    /// Where the frame of a job is kept, or will be.
    fn place(&self, id: &JobId) -> Arc<OnceLock<Made>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, place)) = kept.iter().find(|(kept, _)| kept == id) {
            return Arc::clone(place);
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        let place = Arc::<OnceLock<Made>>::default();
        kept.push_back((id.clone(), Arc::clone(&place)));
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    const NOTHING: Made = Err(FrameError::Size {
        width: 0,
        height: 0,
    });

    #[test]
    fn a_frame_in_the_making_holds_up_its_own_job_only() {
        let frames = Frames::default();
        let (slow, other) = (JobId::generate(), JobId::generate());
        std::thread::scope(|scope| {
            let (begun, has_begun) = mpsc::sync_channel(1);
            let (go_on, may_go_on) = mpsc::sync_channel(1);
            let frames = &frames;
            let slow = &slow;
            scope.spawn(move || {
                frames.get_or_make(slow, || {
                    begun.send(()).unwrap();
                    may_go_on.recv().unwrap();
                    NOTHING
                })
            });
            has_begun.recv().unwrap();
            let (done, is_done) = mpsc::sync_channel(1);
            let second = done.clone();
            scope.spawn(move || {
                let _ = frames.get_or_make(slow, || unreachable!("made twice"));
                second.send("slow").unwrap();
            });
            scope.spawn(move || {
                let _ = frames.get_or_make(&other, || NOTHING);
                done.send("other").unwrap();
            });
            let wait = Duration::from_secs(20);
            let first = is_done.recv_timeout(wait);
            // Before anything is asserted: a panic would wait for the threads.
            go_on.send(()).unwrap();
            assert_eq!(first, Ok("other"));
            assert_eq!(is_done.recv_timeout(wait), Ok("slow"));
        });
    }

    #[test]
    fn the_oldest_frames_are_dropped() {
        let frames = Frames::default();
        let jobs: Vec<_> = (0..=KEPT).map(|_| JobId::generate()).collect();
        for job in &jobs {
            let _ = frames.get_or_make(job, || NOTHING);
        }
        let mut made = false;
        let _ = frames.get_or_make(&jobs[1], || unreachable!("still kept"));
        let _ = frames.get_or_make(&jobs[0], || {
            made = true;
            NOTHING
        });
        assert!(made);
        assert_eq!(frames.kept.lock().unwrap().len(), KEPT);
    }
}
