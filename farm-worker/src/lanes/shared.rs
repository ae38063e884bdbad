//! What all lanes of one worker share: its settings, its running counts, and whether to stop.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use engine::Device;
use engine::cpu::CpuDevice;
use fractal::BackendChoice;
use tokio::sync::watch;

use crate::lanes::frames::Frames;
use crate::lanes::station::Station;
use crate::metrics::meters::Meters;

/// What a worker is told when it starts; complete, no defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which devices it was opened with: decides whether adapters' lanes also serve jobs that are pinned
    /// to the processor.
    pub backend: BackendChoice,
    /// Threads of the processor's lane; all cores when `None`.
    pub cpu_threads: Option<usize>,
    /// How long strips in hand may take to finish when it is told to stop, before they are given back.
    pub grace: Duration,
    /// How long a computation may show no progress before its strip is given to somebody else; longer where strips
    /// usually take more than a twentieth of it. And how long all lanes may hang before the worker gives up.
    pub strip_timeout: Duration,
    /// Most bytes of one job's reference orbit with all that is made of it, and of those that are kept.
    pub memory: u64,
}

/// Whether, and how urgently, to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Go on.
    No,
    /// Take no new strip, finish those in hand.
    Soon,
    /// Give back what is in hand.
    Now,
}

/// What all lanes of a worker share.
pub(crate) struct Shared<Q> {
    pub queue: Q,
    pub settings: Settings,
    pub frames: Frames,
    pub meters: Arc<Meters>,
    /// The processor, for strips that an adapter cannot serve; made when first needed.
    pub fallback: OnceLock<Arc<Station>>,
    pub stop: watch::Receiver<Stop>,
}

impl<Q> Shared<Q> {
    pub(crate) fn cpu(&self) -> &Arc<Station> {
        self.fallback.get_or_init(|| {
            let device = Device::Cpu(CpuDevice::new(self.settings.cpu_threads));
            Arc::new(Station::new(Arc::new(device)))
        })
    }
}
