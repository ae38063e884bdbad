//! Whether an arithmetic suffices for a view: a few hundred of its pixels in that arithmetic, held against counts
//! that are known to be better, before the picture is computed with it.
//!
//! How many counts an arithmetic misses depends on where a view lies, and neither its depth nor its extent tells (see
//! `docs/precision.md`). So samples decide, and in two places. Whoever makes a job compares plain doubles with deltas
//! ([`doubles_suffice`]) where doubles might fail; the outcome is part of the job, the same whoever computes it. An adapter
//! compares what it would compute a frame in with the processor's counts ([`Checks`]), once a frame: its driver's
//! rounding is its own. Whatever differs in too many samples gives way to the next more precise arithmetic, and at last
//! to the processor.
//!
//! Samples are a regular grid over the view, the same ones each time, and how many there are depends on the iterations
//! that they take, never on time: the choice is a function of the frame and the kind of device.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use fractal::{Arithmetic, FrameSpec, Measure, MeasureSet, Plane, Strip};

use crate::cpu::CpuDevice;
use crate::info::EngineError;
use crate::picks::index_of;
use crate::prepared::PreparedFrame;
use crate::progress::Progress;

/// Samples along each side.
pub const SIDE: u32 = 20;
/// Iterations after which no further row of samples is begun.
const MOST_ITERATIONS: u128 = 1 << 32;
/// Iteration limit of samples that compare doubles with deltas: their reference orbit is for nothing else.
const PLAIN_ITERATIONS: u64 = 1 << 18;
/// Most samples of a hundred that may differ in an adapter's arithmetic from the processor's.
pub const MOST_PERCENT: f64 = 1.0;
/// The same in plain doubles from deltas: half of that, so that adapters, which are held against doubles then, stay
/// within it as well.
pub const MOST_PERCENT_OF_DOUBLES: f64 = 0.5;
/// How often whoever waits for another's check looks whether it is over.
const WAIT: Duration = Duration::from_millis(20);

/// Pixels of a frame with their counts on the processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// Columns and rows.
    pub places: Vec<(u32, u32)>,
    /// Their counts.
    pub counts: Vec<u32>,
    /// Iteration limit.
    pub limit: u64,
    /// Whether these are exact as far as that goes, being those of deltas.
    pub exact: bool,
}

/// How an arithmetic's counts compare with better ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Pixels compared.
    pub samples: u32,
    /// Those whose counts differ.
    pub off: u32,
    /// Those called inside that escape far below the limit, of which there must be none where the others' counts are
    /// exact; 0 where they are not.
    pub falsely_inside: u32,
}

impl Comparison {
    /// Whether at most so many of a hundred samples differ, and none is falsely inside.
    #[must_use]
    pub fn is_within(&self, percent: f64) -> bool {
        self.falsely_inside == 0 && 100.0 * f64::from(self.off) <= percent * f64::from(self.samples)
    }
}

/// The grid of samples of a frame, as a frame of its own.
fn grid(frame: &PreparedFrame, most_iterations: u64) -> PreparedFrame {
    frame.thinned(FrameSpec {
        width: frame.spec.width.min(SIDE),
        height: frame.spec.height.min(SIDE),
        iterations: frame.spec.iterations.min(most_iterations),
        measures: MeasureSet::default().with(Measure::Iterations),
        ..frame.spec.clone()
    })
}

impl Samples {
    /// Of a frame whose counts have 32 bits; rows far from each other first, so that the first few serve as well.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`].
    pub fn of(
        frame: &PreparedFrame,
        most_iterations: u64,
        progress: &Progress,
    ) -> Result<Self, EngineError> {
        let grid = grid(frame, most_iterations);
        let (width, height) = (grid.spec.width, grid.spec.height);
        let processor = CpuDevice::new(None);
        let mut samples = Self {
            places: Vec::new(),
            counts: Vec::new(),
            limit: grid.spec.iterations,
            exact: frame.deep.is_some(),
        };
        let mut iterations = 0;
        for row in spread(height) {
            let strip = Strip {
                index: 0,
                row0: row,
                rows: 1,
            };
            let buffer = processor.compute(&grid, strip, progress)?;
            progress.step();
            let Some(Plane::Iterations(counts)) = buffer.plane(Measure::Iterations) else {
                break;
            };
            samples.counts.extend_from_slice(counts);
            let row = index_of(row, height, frame.rows.len()) as u32;
            let column = |at| index_of(at, width, frame.columns.len()) as u32;
            samples
                .places
                .extend((0..width).map(|at| (column(at), row)));
            iterations += buffer.iterations_total;
            if iterations > MOST_ITERATIONS {
                break;
            }
        }
        Ok(samples)
    }

    /// How the counts of the same pixels in another arithmetic, or of the first so many, compare.
    #[must_use]
    pub fn compare(&self, counts: &[u32]) -> Comparison {
        let pairs = || counts.iter().zip(&self.counts);
        // A count near the limit may lie on either side of it by its last bits.
        let far = self.limit - self.limit / 16;
        let inside = |(found, known): &(&u32, &u32)| {
            **found == 0 && **known != 0 && u64::from(**known) < far
        };
        Comparison {
            samples: pairs().count() as u32,
            off: pairs().filter(|(found, known)| found != known).count() as u32,
            falsely_inside: match self.exact {
                true => pairs().filter(inside).count() as u32,
                false => 0,
            },
        }
    }
}

/// Every row once, neighbours far apart.
fn spread(rows: u32) -> impl Iterator<Item = u32> {
    let step = (1..rows.max(2))
        .rev()
        .find(|step| step * 5 <= rows * 2 + 4 && gcd(*step, rows) == 1)
        .unwrap_or(1);
    (0..rows).map(move |at| at * step % rows)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Compares plain doubles with deltas on the processor: whether doubles suffice for a view, of which `plain` is the frame
/// and `deep` the one with a reference orbit. Samples are iterated to the limit that `deep` has.
///
/// # Errors
/// [`EngineError::Cancelled`].
pub fn doubles_suffice(
    plain: &PreparedFrame,
    deep: &PreparedFrame,
    progress: &Progress,
) -> Result<Comparison, EngineError> {
    let limit = deep.spec.iterations;
    let exact = Samples::of(deep, limit, progress)?;
    let doubles = Samples::of(plain, limit, progress)?;
    Ok(exact.compare(&doubles.counts))
}

/// The frame that [`doubles_suffice`] computes a reference orbit for: the view, with an iteration limit for which the
/// orbit takes milliseconds.
#[must_use]
pub fn frame_of_doubles(spec: &FrameSpec) -> FrameSpec {
    FrameSpec {
        iterations: spec.iterations.min(PLAIN_ITERATIONS),
        ..spec.clone()
    }
}

/// A device's counts of samples in an arithmetic.
pub(crate) type Counts<'a> = &'a dyn Fn(Arithmetic, &Samples) -> Result<Vec<u32>, EngineError>;

/// What samples said of a device's arithmetics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The first that suffices; the one that came nearest where none does.
    pub(crate) arithmetic: Arithmetic,
    pub(crate) suffices: bool,
    pub(crate) comparison: Comparison,
}

/// What devices found out about a frame, as long as it is kept.
#[derive(Debug, Default)]
pub(crate) struct Checks(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    samples: Option<Arc<Samples>>,
    /// By the device's number.
    verdicts: Vec<(u64, Verdict)>,
}

impl Checks {
    /// What is known of the device numbered `device`, or is found out now: the first of `candidates`, which become more
    /// precise, whose `counts` of the samples are near enough.
    pub(crate) fn verdict(
        &self,
        frame: &PreparedFrame,
        device: u64,
        candidates: &[Arithmetic],
        progress: &Progress,
        counts: Counts<'_>,
    ) -> Result<Option<Verdict>, EngineError> {
        let mut found = loop {
            match self.0.try_lock() {
                Ok(found) => break found,
                Err(TryLockError::Poisoned(poisoned)) => break PoisonError::into_inner(poisoned),
                // Another strip's thread is at it, and shows whether it moves.
                Err(TryLockError::WouldBlock) => std::thread::sleep(WAIT),
            }
            if progress.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
        };
        let known = found.verdicts.iter().find(|(known, _)| *known == device);
        if let Some((_, verdict)) = known {
            return Ok(Some(*verdict));
        }
        let samples = match &found.samples {
            Some(samples) => Arc::clone(samples),
            None => Arc::new(Samples::of(frame, u64::MAX, progress)?),
        };
        found.samples = Some(Arc::clone(&samples));
        let verdict = judge(candidates, &samples, counts)?;
        found
            .verdicts
            .extend(verdict.map(|verdict| (device, verdict)));
        Ok(verdict)
    }
}

/// The first of `candidates` that suffices, or the nearest; `None` of none.
fn judge(
    candidates: &[Arithmetic],
    samples: &Samples,
    counts: Counts<'_>,
) -> Result<Option<Verdict>, EngineError> {
    let mut nearest: Option<Verdict> = None;
    for arithmetic in candidates {
        let comparison = samples.compare(&counts(*arithmetic, samples)?);
        let verdict = Verdict {
            arithmetic: *arithmetic,
            suffices: comparison.is_within(MOST_PERCENT),
            comparison,
        };
        if verdict.suffices {
            return Ok(Some(verdict));
        }
        let badness = |verdict: &Verdict| {
            let comparison = verdict.comparison;
            (comparison.falsely_inside, comparison.off)
        };
        if nearest
            .as_ref()
            .is_none_or(|old| badness(&verdict) < badness(old))
        {
            nearest = Some(verdict);
        }
    }
    Ok(nearest)
}

#[cfg(test)]
mod tests;
