//! Strips that this process computes itself, to compare them with what workers delivered.

use std::sync::{Arc, OnceLock};

use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress};
use farm_queue::JobSpec;
use fractal::{ReferenceOrbit, Strip, StripBuffer};
use tokio::task::JoinHandle;

/// A strip on its way.
pub struct Computing {
    progress: Arc<Progress>,
    /// Which.
    pub strip: Strip,
    /// Its end.
    pub task: JoinHandle<Option<StripBuffer>>,
}

impl Computing {
    /// Begins to compute a strip of `job`; `frame` keeps what is prepared for the next one.
    pub fn start(
        job: &Arc<JobSpec>,
        orbit: Option<Arc<ReferenceOrbit>>,
        frame: &Arc<OnceLock<Option<PreparedFrame>>>,
        strip: Strip,
    ) -> Self {
        let progress = Arc::new(Progress::default());
        let (job, frame) = (Arc::clone(job), Arc::clone(frame));
        let task = tokio::task::spawn_blocking({
            let progress = Arc::clone(&progress);
            move || {
                let spec = job.frame.clone();
                let frame = frame.get_or_init(|| PreparedFrame::of(spec, orbit).ok());
                let frame = frame.as_ref()?;
                CpuDevice::new(None).compute(frame, strip, &progress).ok()
            }
        });
        Self {
            progress,
            strip,
            task,
        }
    }
}

impl Drop for Computing {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}
