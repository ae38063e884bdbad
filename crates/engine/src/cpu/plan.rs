//! What a frame asks of the kernels.

use fractal::smooth::Smoothing;
use fractal::transform::Shape;
use fractal::{Counts, FrameSpec, Measure};

use super::plain::rounding::Rounding;
use super::radius::Radius;
use crate::frame::PreparedFrame;

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
    /// Bound of |c|².
    pub(super) c_max2: f64,
    /// Whether cardioid and disc may decide a pixel's count.
    pub(super) known_parts: bool,
    /// Whether exact cycles are looked for.
    pub(super) cycles: bool,
    /// Square of a modulus from which no orbit of this frame returns.
    pub(super) no_return2: f64,
    pub(super) counts: bool,
    /// Whether each count has to be certain.
    pub(super) settled: bool,
    pub(super) rounding: Rounding,
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
            c_max2,
            starts_at_c: radius >= 2.0 && from_zero && beyond_c,
            // The tests' fourth powers of c must be numbers.
            known_parts: shortcuts && from_zero && radius >= 2.0 && c_max2 <= MOST_TESTED2,
            cycles: shortcuts,
            no_return2: c_max2.max(4.0) * ABOVE,
            counts: frame.counts_iterations(),
            settled: spec.counts == Counts::Settled,
            rounding: Rounding::new(c_max2.sqrt(), spec.iterations),
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

    /// Whether it may pay to prove that pixels are inside. Where counts have to be certain, which pixels go again would depend
    /// on what was proved first.
    pub(super) fn proves(&self) -> bool {
        /// The least limit for which it does.
        const LEAST: u64 = 1 << 12;
        self.known_parts && self.cycles && self.counts && !self.settled && self.limit >= LEAST
    }

    /// Blocks of `steps` that end an orbit outside the escape radius.
    pub(super) fn blocks_to_escape(&self, steps: u64) -> Blocks {
        Blocks {
            steps,
            limit: self.limit,
            bound2: self.radius.below2,
            tied2: self.radius.above2,
            radius: self.radius,
            rounding: self.rounding,
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
            rounding: self.rounding,
        }
    }
}

/// What all lanes of one kernel have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    /// Steps of a block, a power of two.
    pub(super) steps: u64,
    /// Iteration limit N.
    pub(super) limit: u64,
    /// A lane has escaped when |z|² at a block's end is not at most this;
    pub(super) bound2: f64,
    /// but where it is at most this, when z is outside of the radius.
    pub(super) tied2: f64,
    /// The radius.
    pub(super) radius: Radius,
    pub(super) rounding: Rounding,
}
