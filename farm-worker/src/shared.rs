//! What all lanes of one worker share: its settings, its running counts, and whether to stop.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::Device;
use engine::cpu::CpuDevice;
use fractal::{BackendChoice, StripBuffer};
use tokio::sync::watch;

use crate::frames::Frames;

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
}

/// What a worker did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Strips of which it delivered the first buffer.
    pub strips: u64,
    /// Pixels of those.
    pub pixels: u64,
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

/// Running counts of delivered work.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    strips: AtomicU64,
    pixels: AtomicU64,
}

impl Tally {
    pub(crate) fn count(&self, buffer: &StripBuffer) {
        self.strips.fetch_add(1, Ordering::Relaxed);
        self.pixels
            .fetch_add(buffer.pixels() as u64, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            strips: self.strips.load(Ordering::Relaxed),
            pixels: self.pixels.load(Ordering::Relaxed),
        }
    }
}

/// What all lanes of a worker share.
pub(crate) struct Shared<Q> {
    pub queue: Q,
    pub settings: Settings,
    pub frames: Frames,
    pub tally: Tally,
    /// The processor, for strips that an adapter cannot serve; made when first needed.
    pub fallback: OnceLock<Device>,
    pub stop: watch::Receiver<Stop>,
}

impl<Q> Shared<Q> {
    pub(crate) fn cpu(&self) -> &Device {
        self.fallback
            .get_or_init(|| Device::Cpu(CpuDevice::new(self.settings.cpu_threads)))
    }
}
