//! Samples of a frame: a regular grid of its pixels, with their counts on the processor.

use fractal::{Counts, FrameSpec, Measure, MeasureSet, Strip};

use crate::cpu::CpuDevice;
use crate::frame::PreparedFrame;
use crate::frame::picks::index_of;
use crate::info::EngineError;
use crate::progress::Progress;

/// Samples along each side.
pub const SIDE: u32 = 20;
/// Iterations after which no further row of samples is begun.
const MOST_ITERATIONS: u128 = 1 << 32;

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
pub(super) fn grid(frame: &PreparedFrame, most_iterations: u64) -> PreparedFrame {
    frame.thinned(FrameSpec {
        width: frame.spec.width.min(SIDE),
        height: frame.spec.height.min(SIDE),
        iterations: frame.spec.iterations.min(most_iterations),
        counts: Counts::Fast,
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
            let Some(counts) = buffer.values::<u32>(Measure::Iterations) else {
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
pub(super) fn spread(rows: u32) -> impl Iterator<Item = u32> {
    let step = (1..rows.max(2))
        .rev()
        .find(|step| step * 5 <= rows * 2 + 4 && gcd(*step, rows) == 1)
        .unwrap_or(1);
    (0..rows).map(move |at| at * step % rows)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
