//! The last few jobs' frames, made ready for kernels.
//!
//! A frame's coordinates are computed, and its reference orbit is fetched, once a job rather than once a strip; an
//! orbit that several jobs share, once for all. Bounded, because a worker serves jobs for weeks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use engine::{PreparedFrame, Progress, orbit_value_bytes};
use farm_queue::{JobId, JobSpec, OrbitKey, QueueError, WorkerQueue};
use fractal::ReferenceOrbit;
use fractal::frame::FrameError;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use crate::lanes::memory::display_bytes;

/// Jobs whose frames are kept.
const KEPT: usize = 8;
/// Most bytes of frames that are kept, the newest one aside: the largest picture's coordinates take 2 MiB, a long orbit
/// with all that is made of it a hundred times as much.
const MAX_KEPT_BYTES: u64 = 1 << 30;

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameTrouble {
    /// The job's frame is over a limit.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The job's reference orbit, with what is made of it, takes more memory than this worker has for it.
    #[error(
        "the job's reference orbit takes {} here, and this worker has {} for it (--memory)",
        display_bytes(*takes),
        display_bytes(*most)
    )]
    Memory {
        /// Bytes, roughly.
        takes: u64,
        /// Bytes.
        most: u64,
    },
    /// The queue does not hold the job's reference orbit; may pass, when its submitter puts it there again.
    #[error("the job's reference orbit is not on the queue")]
    NoOrbit,
    /// The queue did not give it.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// It could not be made ready.
    #[error("the frame was not made ready: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

impl FrameTrouble {
    /// Whether the same may go well in a while, through no fault of this worker.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoOrbit => true,
            Self::Queue(error) => !matches!(error, QueueError::Spec(_)),
            Self::Memory { .. } | Self::Frame(_) | Self::Panicked(_) => false,
        }
    }
}

struct KeptFrame {
    id: JobId,
    orbit: Option<OrbitKey>,
    frame: Arc<OnceCell<Arc<PreparedFrame>>>,
}

impl KeptFrame {
    fn bytes(&self) -> u64 {
        self.frame.get().map_or(0, |frame| frame.bytes())
    }
}

/// Frames by job, the most recently asked for the first time last.
pub struct Frames {
    kept: Mutex<VecDeque<KeptFrame>>,
    /// Most bytes of one, and of all that are kept.
    memory: u64,
    /// Orbits are unpacked one at a time: two jobs together would take twice as much.
    unpacking: AsyncMutex<()>,
}

impl Frames {
    /// None yet; `memory` is how many bytes one may take, and all that are kept.
    pub fn new(memory: u64) -> Self {
        Self {
            kept: Mutex::default(),
            memory,
            unpacking: AsyncMutex::default(),
        }
    }

    /// The frame of `job`, made ready now if it is not among the kept ones, with its reference orbit from `queue`.
    ///
    /// # Errors
    /// When the job's frame is over a limit, or its orbit does not come.
    pub async fn get<Q: WorkerQueue>(
        &self,
        queue: &Q,
        job: &JobSpec,
        progress: &Progress,
    ) -> Result<Arc<PreparedFrame>, FrameTrouble> {
        let make = async {
            let _one = match &job.orbit {
                Some(_) => Some(self.unpacking.lock().await),
                None => None,
            };
            let orbit = match &job.orbit {
                None => None,
                Some(key) => Some(self.orbit(queue, job, key, progress).await?),
            };
            let (spec, arithmetic) = (job.frame.clone(), job.arithmetic);
            progress.step();
            let made = tokio::task::spawn_blocking(move || PreparedFrame::of(spec, orbit));
            let made = made.await??.pinned(arithmetic);
            self.check(made.bytes())?;
            Ok(Arc::new(made))
        };
        let frame = self.get_or_make(job, make).await?;
        self.trim(self.memory.min(MAX_KEPT_BYTES));
        Ok(frame)
    }

    /// A job's orbit: another kept frame's, or the queue's.
    async fn orbit<Q: WorkerQueue>(
        &self,
        queue: &Q,
        job: &JobSpec,
        key: &OrbitKey,
        progress: &Progress,
    ) -> Result<Arc<ReferenceOrbit>, FrameTrouble> {
        if let Some(orbit) = self.kept_orbit(key).and_then(|orbit| orbit.upgrade()) {
            return Ok(orbit);
        }
        // As it travels and unpacked, both are there for a moment.
        self.check(key.bytes())?;
        let each = orbit_value_bytes(job.frame.counts);
        let most = (self.memory - key.bytes()) / each;
        let piece = || progress.step();
        match queue.orbit(job, most, &piece).await {
            Err(QueueError::LongOrbit(values)) => Err(FrameTrouble::Memory {
                takes: values.saturating_mul(each).saturating_add(key.bytes()),
                most: self.memory,
            }),
            orbit => orbit?.ok_or(FrameTrouble::NoOrbit),
        }
    }

    fn check(&self, takes: u64) -> Result<(), FrameTrouble> {
        if takes <= self.memory {
            return Ok(());
        }
        Err(FrameTrouble::Memory {
            takes,
            most: self.memory,
        })
    }

    fn kept_orbit(&self, key: &OrbitKey) -> Option<Weak<ReferenceOrbit>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same = kept.iter().filter(|kept| kept.orbit.as_ref() == Some(key));
        same.filter_map(|kept| kept.frame.get()?.deep.as_ref())
            .map(|deep| Arc::downgrade(&deep.orbit))
            .next()
    }

    async fn get_or_make(
        &self,
        job: &JobSpec,
        make: impl Future<Output = Result<Arc<PreparedFrame>, FrameTrouble>>,
    ) -> Result<Arc<PreparedFrame>, FrameTrouble> {
        // Made outside the lock: slots that start on one job together wait instead of repeating it, and
        // those of other jobs go on.
        let place = self.place(job);
        place.get_or_try_init(|| make).await.cloned()
    }

    /// Where the frame of a job is kept, or will be.
    fn place(&self, job: &JobSpec) -> Arc<OnceCell<Arc<PreparedFrame>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.iter().find(|kept| kept.id == job.id) {
            return Arc::clone(&kept.frame);
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        let frame = Arc::<OnceCell<_>>::default();
        kept.push_back(KeptFrame {
            id: job.id.clone(),
            orbit: job.orbit.clone(),
            frame: Arc::clone(&frame),
        });
        frame
    }

    /// Drops the oldest frames while all together are more than `most`.
    fn trim(&self, most: u64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.len() > 1 && kept.iter().map(KeptFrame::bytes).sum::<u64>() > most {
            kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fractal::{BackendChoice, FrameSpec, Grid, Measure, MeasureSet, StripPlan, View};
    use std::time::Duration;
    use tokio::sync::oneshot;

    fn job() -> JobSpec {
        let side = |text: &str| text.parse().unwrap();
        JobSpec {
            id: JobId::generate(),
            frame: FrameSpec {
                view: View::Bounds {
                    xmin: side("-2"),
                    xmax: side("0.5"),
                    ymin: side("-1.5"),
                    ymax: side("1.5"),
                },
                transform: fractal::Transform::default(),
                grid: Grid::Pixels,
                width: 4,
                height: 4,
                iterations: 10,
                escape_radius: 256.0,
                z0: (0.0, 0.0),
                formula: fractal::Formula::default(),
                julia: None,
                skip_error_log2: fractal::SKIP_ERROR_LOG2,
                counts: fractal::Counts::Fast,
                measures: MeasureSet::default().with(Measure::Iterations),
            },
            strips: StripPlan {
                height: 4,
                strip_rows: 4,
            },
            backend: BackendChoice::Auto,
            max_workers: None,
            build: 0,
            orbit: None,
            arithmetic: None,
            on: None,
        }
    }

    fn ready(job: &JobSpec) -> Arc<PreparedFrame> {
        Arc::new(PreparedFrame::new(job.frame.clone()).unwrap())
    }

    #[tokio::test]
    async fn a_frame_in_the_making_holds_up_its_own_job_only() {
        let frames = Arc::new(Frames::new(u64::MAX));
        let (slow, other) = (job(), job());
        let (go_on, may_go_on) = oneshot::channel();
        let first = tokio::spawn({
            let (frames, slow) = (Arc::clone(&frames), slow.clone());
            async move {
                let made = async {
                    may_go_on.await.unwrap();
                    Ok(ready(&slow))
                };
                frames.get_or_make(&slow, made).await.unwrap()
            }
        });
        // Until the first has begun.
        while frames.kept.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn({
            let (frames, slow) = (Arc::clone(&frames), slow.clone());
            async move {
                let twice = async { panic!("made twice") };
                frames.get_or_make(&slow, twice).await.unwrap()
            }
        });
        let made = async { Ok(ready(&other)) };
        frames.get_or_make(&other, made).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!second.is_finished());
        go_on.send(()).unwrap();
        assert!(Arc::ptr_eq(&first.await.unwrap(), &second.await.unwrap()));
    }

    #[tokio::test]
    async fn the_oldest_frames_are_dropped_and_failures_are_not_kept() {
        let frames = Frames::new(u64::MAX);
        let jobs: Vec<_> = (0..=KEPT).map(|_| job()).collect();
        let failed = frames.get_or_make(&jobs[0], async { Err(FrameTrouble::NoOrbit) });
        assert!(failed.await.is_err_and(|trouble| trouble.may_pass()));
        for job in &jobs {
            frames
                .get_or_make(job, async { Ok(ready(job)) })
                .await
                .unwrap();
        }
        let kept = async { panic!("still kept") };
        frames.get_or_make(&jobs[1], kept).await.unwrap();
        let mut made = false;
        let again = async {
            made = true;
            Ok(ready(&jobs[0]))
        };
        frames.get_or_make(&jobs[0], again).await.unwrap();
        assert!(made);
        assert_eq!(frames.kept.lock().unwrap().len(), KEPT);
    }
}
