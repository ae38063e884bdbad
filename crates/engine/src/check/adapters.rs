//! Whether an adapter's arithmetics suffice for a frame.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use fractal::Arithmetic;

use super::samples::{Comparison, Samples};
use crate::frame::PreparedFrame;
use crate::gpu::GpuDevice;
use crate::info::EngineError;
use crate::progress::Progress;

/// Most samples of a hundred that may differ in an adapter's arithmetic from the processor's.
pub const MOST_PERCENT: f64 = 1.0;
/// How long a thread that waits for another one's check sleeps between two looks.
const WAIT: Duration = Duration::from_millis(20);

/// Counts of samples by some device in an arithmetic.
pub(crate) type CountSamples<'a> =
    &'a dyn Fn(Arithmetic, &Samples) -> Result<Vec<u32>, EngineError>;

/// What samples show of a device's arithmetics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The first that suffices; the one that came nearest where none does.
    pub(crate) arithmetic: Arithmetic,
    pub(crate) suffices: bool,
    pub(crate) comparison: Comparison,
}

/// Outcomes for one frame, kept with it.
#[derive(Debug, Default)]
pub(crate) struct Checks(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    samples: Option<Arc<Samples>>,
    /// By the device's number.
    outcomes: Vec<(u64, Outcome)>,
}

impl Checks {
    /// Those of a frame.
    pub(crate) fn of(frame: &PreparedFrame) -> Arc<Self> {
        frame.cache.get_or_init(Self::default)
    }

    /// The outcome for the device numbered `device`: the known one, or that of a check made now. The first of
    /// `candidates`, which become more precise, suffices whose counts of the samples, by `count`, are near enough.
    pub(crate) fn outcome(
        &self,
        frame: &PreparedFrame,
        device: u64,
        candidates: &[Arithmetic],
        progress: &Progress,
        count: CountSamples<'_>,
    ) -> Result<Option<Outcome>, EngineError> {
        let mut table = loop {
            match self.0.try_lock() {
                Ok(table) => break table,
                Err(TryLockError::Poisoned(poisoned)) => break PoisonError::into_inner(poisoned),
                // Another strip's thread makes the check, and shows its own progress.
                Err(TryLockError::WouldBlock) => std::thread::sleep(WAIT),
            }
            if progress.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
        };
        let known = table.outcomes.iter().find(|(known, _)| *known == device);
        if let Some((_, outcome)) = known {
            return Ok(Some(*outcome));
        }
        let samples = match &table.samples {
            Some(samples) => Arc::clone(samples),
            None => Arc::new(Samples::of(frame, u64::MAX, progress)?),
        };
        table.samples = Some(Arc::clone(&samples));
        let outcome = first_sufficient(candidates, &samples, count)?;
        table
            .outcomes
            .extend(outcome.map(|outcome| (device, outcome)));
        Ok(outcome)
    }
}

/// The first of `candidates` that suffices, or the nearest; `None` where there are none.
fn first_sufficient(
    candidates: &[Arithmetic],
    samples: &Samples,
    count: CountSamples<'_>,
) -> Result<Option<Outcome>, EngineError> {
    let mut nearest: Option<Outcome> = None;
    for arithmetic in candidates {
        let comparison = samples.compare(&count(*arithmetic, samples)?);
        let outcome = Outcome {
            arithmetic: *arithmetic,
            suffices: comparison.is_within(MOST_PERCENT),
            comparison,
        };
        if outcome.suffices {
            return Ok(Some(outcome));
        }
        let error = |outcome: &Outcome| {
            let comparison = outcome.comparison;
            (comparison.falsely_inside, comparison.off)
        };
        if nearest
            .as_ref()
            .is_none_or(|old| error(&outcome) < error(old))
        {
            nearest = Some(outcome);
        }
    }
    Ok(nearest)
}

/// What samples of a frame show of an adapter's arithmetics; `None` where there is nothing to compare: no arithmetic is
/// exact enough by what is known beforehand, or no iterations are counted.
///
/// # Errors
/// As [`GpuDevice::compute`].
pub(crate) fn check_adapter(
    gpu: &GpuDevice,
    frame: &PreparedFrame,
    progress: &Progress,
) -> Result<Option<Outcome>, EngineError> {
    let candidates = gpu.candidates(frame);
    if candidates.is_empty() || !frame.counts_iterations() {
        return Ok(None);
    }
    let count = |arithmetic: Arithmetic, samples: &Samples| {
        let counts = gpu.compute_samples(frame, arithmetic, &samples.places, progress)?;
        let comparison = samples.compare(&counts);
        tracing::info!(
            device = gpu.info().name,
            arithmetic = arithmetic.name(),
            samples = comparison.samples,
            off = comparison.off,
            falsely_inside = comparison.falsely_inside,
            "arithmetic compared with the processor's"
        );
        Ok(counts)
    };
    Checks::of(frame).outcome(frame, gpu.number(), &candidates, progress, &count)
}
