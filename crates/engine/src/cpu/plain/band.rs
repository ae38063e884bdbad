//! A band: the pixels, consecutive in row order, that one thread computes at a time.

use fractal::smooth::Smoothing;
use fractal::transform::Shape;
use fractal::{FrameSpec, Measure};

use super::lanes::{Blocks, INDEX_BITS, Points};
use super::radius::Radius;
use super::simd::Simd;
use super::{escape, finish, stability};
use crate::prepared::PreparedFrame;
use crate::progress::Progress;

/// Pixels whose first steps are made together, before the survivors go to the lanes: a multiple of every
/// instance's lanes, small enough that all of it stays in the first-level cache.
pub(super) const CHUNK: usize = 480;
/// Most pixels of a band: its index has to fit into a meta word.
pub(super) const MAX_PIXELS: usize = 1 << 17;
const _: () = assert!(MAX_PIXELS + CHUNK <= 1 << INDEX_BITS);

/// What a frame asks of the kernels, derived once a strip.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) z0: (f64, f64),
    /// R².
    pub(super) radius2: f64,
    pub(super) radius: Radius,
    pub(super) limit: u64,
    /// Whether an orbit that has escaped stays outside, so that a block's end tells of the whole block.
    pub(super) outside_for_good: bool,
    /// Whether the first step from z₀ = 0 can be left out: it leads to c, and no c is outside.
    pub(super) starts_at_c: bool,
    /// Whether cardioid and disc may decide a pixel's count.
    pub(super) known_parts: bool,
    /// Whether exact cycles are looked for.
    pub(super) cycles: bool,
    /// Square of a modulus from which no orbit of this frame returns.
    pub(super) no_return2: f64,
    pub(super) counts: bool,
    pub(super) derivative: bool,
    /// Whether it matters where orbits end, and not only how far out.
    pub(super) angles: bool,
    pub(super) stability: bool,
    pub(super) smoothing: Smoothing,
    pub(super) spacing: f64,
    /// How the samples of a turned view lie.
    pub(super) shape: Option<Shape>,
}

/// Slightly over 1: far more than rounding, far less than anything that matters.
const ABOVE: f64 = 1.0 + 1.0 / (1u64 << 20) as f64;

/// Square of the largest |c| of a frame of which pixels may be known to be inside.
const MOST_TESTED2: f64 = 1e60;

impl Plan {
    pub(super) fn new(frame: &PreparedFrame, shortcuts: bool) -> Self {
        let spec: &FrameSpec = &frame.spec;
        let c_max2 = frame.farthest2();
        let radius = spec.escape_radius;
        let from_zero = spec.z0 == (0.0, 0.0);
        // |z| > R >= 2 and |z| >= |c| make |z'| >= |z| (|z| - 1) > |z|. From z0 = 0 an orbit passes c.
        let beyond_c = radius * radius >= c_max2 * ABOVE;
        Self {
            z0: spec.z0,
            radius2: radius * radius,
            radius: Radius::new(radius),
            limit: spec.iterations,
            outside_for_good: radius >= 2.0 && (from_zero || beyond_c),
            starts_at_c: radius >= 2.0 && from_zero && beyond_c,
            // The tests' fourth powers of c must be numbers.
            known_parts: shortcuts && from_zero && radius >= 2.0 && c_max2 <= MOST_TESTED2,
            cycles: shortcuts,
            no_return2: c_max2.max(4.0) * ABOVE,
            counts: frame.counts_iterations(),
            derivative: spec.measures.contains(Measure::Distance)
                || spec.measures.contains(Measure::Direction),
            angles: spec.measures.contains(Measure::Phase)
                || spec.measures.contains(Measure::Direction)
                || spec.measures.contains(Measure::Distance)
                    && frame.shape.is_some_and(|shape| !shape.is_square),
            shape: frame.shape,
            stability: spec.measures.contains(Measure::Stability),
            smoothing: Smoothing::new(radius),
            spacing: frame.pixel_spacing,
        }
    }

    /// Blocks of `steps` that end an orbit outside the escape radius.
    pub(super) fn blocks_to_escape(&self, steps: u64) -> Blocks {
        Blocks {
            steps,
            limit: self.limit,
            bound2: self.radius.below2,
            tied2: self.radius.above2,
            radius: self.radius,
        }
    }

    /// Blocks of `steps` that end an orbit that cannot return.
    pub(super) fn blocks_to_the_end(&self, steps: u64) -> Blocks {
        Blocks {
            steps,
            limit: self.limit,
            bound2: self.no_return2,
            tied2: self.no_return2,
            radius: self.radius,
        }
    }
}

/// The part of each plane that a band fills; `None` for measures that are not asked for.
#[derive(Debug, Default)]
pub(super) struct Planes<'a> {
    pub(super) iterations: Option<&'a mut [u32]>,
    pub(super) smooth: Option<&'a mut [f32]>,
    pub(super) distance: Option<&'a mut [f32]>,
    pub(super) stability: Option<&'a mut [f64]>,
    pub(super) fraction: Option<&'a mut [f32]>,
    pub(super) phase: Option<&'a mut [f32]>,
    pub(super) direction: Option<&'a mut [f32]>,
}

/// Where an orbit ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// z_n
    pub(super) z: [f64; 2],
    /// dz_n/dc, where the kernel carries it.
    pub(super) slope: [f64; 2],
}

/// A thread's working memory, used for one band after the other.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Count of each pixel of the band.
    pub(super) counts: Vec<u32>,
    /// |z_n|² of each pixel that escaped.
    pub(super) norm2: Vec<f64>,
    /// |dz_n/dc|² of each pixel that escaped, if the frame asks for distances.
    pub(super) derivative2: Vec<f64>,
    /// z_n and dz_n/dc of each pixel that escaped, if the frame asks for angles.
    pub(super) ends: Vec<Place>,
    /// |z_N|², or NaN, of each pixel, if the frame asks for stability.
    pub(super) stability: Vec<f64>,
    /// Real and imaginary parts of c of the present chunk.
    pub(super) cx: Vec<f64>,
    pub(super) cy: Vec<f64>,
    /// Orbits waiting for a lane.
    pub(super) queue: Box<Points>,
    /// Orbits whose escape is known to lie in the block that they begin.
    pub(super) aside: Box<Points>,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            counts: Vec::new(),
            norm2: Vec::new(),
            derivative2: Vec::new(),
            ends: Vec::new(),
            stability: Vec::new(),
            cx: vec![0.0; CHUNK],
            cy: vec![0.0; CHUNK],
            queue: Points::new(),
            aside: Points::new(),
        }
    }
}

/// One band's computation.
#[derive(Debug)]
pub(super) struct Band<'a> {
    pub(super) frame: &'a PreparedFrame,
    pub(super) plan: &'a Plan,
    /// First pixel, counted in row order from the picture's first.
    pub(super) first: usize,
    /// Pixels, at least 1 and at most [`MAX_PIXELS`].
    pub(super) len: usize,
    pub(super) planes: Planes<'a>,
    pub(super) scratch: &'a mut Scratch,
    pub(super) progress: &'a Progress,
    /// Set by [`compute`]: see [`fractal::StripBuffer::iterations_total`].
    pub(super) iterations_total: u128,
}

impl Band<'_> {
    /// Writes the coordinates of up to [`CHUNK`] pixels from `start` on to the scratch memory and returns
    /// how many there are; zeros follow the last one.
    #[inline(always)]
    pub(super) fn load_chunk(&mut self, start: usize) -> usize {
        let width = self.frame.columns.len();
        let len = CHUNK.min(self.len - start);
        let (mut row, mut col) = ((self.first + start) / width, (self.first + start) % width);
        let mut at = 0;
        while at < len {
            let run = (width - col).min(len - at);
            if let Some(turned) = &self.frame.turned {
                for i in 0..run {
                    let [x, y] = turned.at(col + i, row);
                    (self.scratch.cx[at + i], self.scratch.cy[at + i]) = (x, y);
                }
                (at, row, col) = (at + run, row + 1, 0);
                continue;
            }
            self.scratch.cx[at..at + run].copy_from_slice(&self.frame.columns[col..col + run]);
            self.scratch.cy[at..at + run].fill(self.frame.rows[row]);
            (at, row, col) = (at + run, row + 1, 0);
        }
        if !self.plan.starts_at_c {
            self.settle_ties(start, len);
        }
        self.scratch.cx[len..].fill(0.0);
        self.scratch.cy[len..].fill(0.0);
        len
    }
}

impl Band<'_> {
    /// Moves coordinates by a last bit where rounding put them on another side of the escape radius than they are, or off it.
    #[inline(always)]
    fn settle_ties(&mut self, start: usize, len: usize) {
        for i in 0..len {
            let (x, y) = (self.scratch.cx[i], self.scratch.cy[i]);
            if self.plan.radius.is_tied(x, y) {
                self.settle_tie(start + i, i);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn settle_tie(&mut self, pixel: usize, i: usize) {
        let (width, at) = (self.frame.columns.len(), self.first + pixel);
        if let Some(beyond) = self.frame.starts_beyond(at % width, at / width) {
            let c = [self.scratch.cx[i], self.scratch.cy[i]];
            let [x, y] = self.plan.radius.settled(c, beyond);
            (self.scratch.cx[i], self.scratch.cy[i]) = (x, y);
        }
    }
}

/// Computes a band; `false` if it was cancelled.
#[inline(always)]
pub(super) fn compute<S: Simd, const V: usize>(s: S, band: &mut Band<'_>) -> bool {
    const {
        let group = V * S::LANES;
        assert!(CHUNK.is_multiple_of(group) && group <= escape::MAX_GROUP && S::LANES <= 8);
    }
    let plan = band.plan;
    let counted = !plan.counts
        || match (plan.derivative, plan.cycles) {
            (false, false) => escape::run::<S, V, false, false>(s, band),
            (false, true) => escape::run::<S, V, false, true>(s, band),
            (true, false) => escape::run::<S, V, true, false>(s, band),
            (true, true) => escape::run::<S, V, true, true>(s, band),
        };
    let steady = !plan.stability
        || counted
            && match plan.cycles {
                false => stability::run::<S, V, false>(s, band),
                true => stability::run::<S, V, true>(s, band),
            };
    if counted && steady {
        finish::write(band);
    }
    counted && steady
}
