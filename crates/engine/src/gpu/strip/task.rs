//! What is asked of a strip, and what all its rounds have in common.

use fractal::{Arithmetic, Decimal, Measure, MeasureSet, Strip};
use shaders::Kernel;
use shaders::layout::{Round, flag, split};

use crate::frame::PreparedFrame;
use crate::progress::Progress;

/// Escape radius from which on a pixel that has left it cannot come back if |c| is not larger: |z² + c| >=
/// |z|² - |z| >= 1.5 |z|, with much to spare for rounding.
const NO_RETURN_RADIUS: f64 = 2.5;

/// A share of a value that an operation in single precision rounds it by at most, with much to spare.
const ROUNDING_OF_SINGLES: f64 = 1.0 / (1u64 << 16) as f64;

/// What is asked of a strip beside its frame.
#[derive(Clone, Copy, Debug)]
pub(in crate::gpu) struct Task<'a> {
    pub(in crate::gpu) frame: &'a PreparedFrame,
    pub(in crate::gpu) arithmetic: Arithmetic,
    pub(in crate::gpu) strip: Strip,
    /// Whether provably interior points may be reported without iterating, and blocks of steps made at once.
    pub(in crate::gpu) shortcuts: bool,
    /// Instead of the strip single pixels, by column and row.
    pub(in crate::gpu) listed: Option<&'a [(u32, u32)]>,
    /// Whether the moves of deltas are asked for, in the place of |z|².
    pub(in crate::gpu) moves: bool,
    pub(in crate::gpu) progress: &'a Progress,
}

/// The kernels that a frame's measures need.
pub(in crate::gpu) fn kernels(frame: &PreparedFrame) -> impl Iterator<Item = Kernel> {
    let measures = frame.spec.measures;
    let escape = if measures.contains(Measure::Distance) {
        Kernel::EscapeWithDerivative
    } else {
        Kernel::Escape
    };
    let stability = measures.contains(Measure::Stability);
    let escape = frame.counts_iterations().then_some(escape);
    escape
        .into_iter()
        .chain(stability.then_some(Kernel::Stability))
}

/// Whether measures are made of |z| at escape.
fn has_norms(measures: MeasureSet) -> bool {
    let of_norms = [Measure::Smooth, Measure::Fraction, Measure::Distance];
    of_norms.iter().any(|measure| measures.contains(*measure))
}

/// What all rounds of a part have in common.
pub(super) fn first_round(task: Task<'_>, kernel: Kernel, pixels: u32) -> Round {
    let spec = &task.frame.spec;
    // Coordinates are monotonic: the largest are at the ends, whichever strip this is.
    let reach = |values: &[f64]| {
        values
            .first()
            .map_or(0.0, |v| v.abs())
            .max(values.last().map_or(0.0, |v| v.abs()))
    };
    let largest_c = match &task.frame.turned {
        Some(turned) => turned.farthest2().sqrt(),
        None => reach(&task.frame.columns).hypot(reach(&task.frame.rows)),
    };
    let (radius2, flags) = if spec.is_general() {
        let largest_c = match &spec.julia {
            Some(c) => c.each_ref().map(Decimal::to_f64).map(f64::abs),
            None => [largest_c, 0.0],
        };
        let largest_c = largest_c[0].hypot(largest_c[1]);
        // As processors have it: beyond it nothing comes back.
        let radius = match kernel {
            Kernel::Stability => (4.0 * largest_c).max(256.0),
            _ => spec.escape_radius,
        };
        let stays = (spec.formula).stays_outside(radius, largest_c, ROUNDING_OF_SINGLES);
        let flags = [
            (stays, flag::BLOCKS),
            (has_norms(spec.measures), flag::NORM),
        ];
        let flags = flags.map(|(is_set, flag)| if is_set { flag } else { 0 });
        (radius * radius, flags[0] | flags[1])
    } else if kernel == Kernel::Stability {
        // Beyond both 2 and |c| every orbit grows for good.
        ((largest_c * largest_c).max(4.0) * 1.001, 0)
    } else {
        let mut flags = 0;
        if task.shortcuts && spec.z0 == (0.0, 0.0) && spec.escape_radius >= 2.0 {
            flags |= flag::SHORTCUTS;
        }
        if spec.escape_radius >= NO_RETURN_RADIUS && spec.escape_radius >= largest_c {
            flags |= flag::BLOCKS;
        }
        if has_norms(spec.measures) {
            flags |= flag::NORM;
        }
        (spec.escape_radius * spec.escape_radius, flags)
    };
    let listed = task.listed.map_or(0, |_| flag::LISTED);
    let flags = if task.arithmetic.is_delta() {
        let skips = if task.shortcuts { flag::SHORTCUTS } else { 0 };
        let second = if task.moves {
            flag::MOVES
        } else {
            flags & flag::NORM
        };
        second | listed | skips
    } else {
        flags | listed
    };
    let ([re, re_low], [im, im_low]) = (split(spec.z0.0), split(spec.z0.1));
    Round {
        zero: 0,
        width: spec.width,
        first_step: 0,
        steps: 0,
        limit: spec.short_limit().unwrap_or(u32::MAX - 1),
        flags,
        slot: 0,
        plane: pixels,
        z0: [re, re_low, im, im_low],
        radius2: split(radius2),
        radius: split(radius2.sqrt()),
    }
}
