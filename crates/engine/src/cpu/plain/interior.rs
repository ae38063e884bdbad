//! Which pixels of a picture are proved to be inside.
//!
//! What a pixel's orbit leads to depends on how bands are cut, and on which thread is first; but it is nothing but the
//! time that depends on it: a proof holds for all c within a small part of a pixel's size of those that it is for, which is far
//! more than rounding may move an orbit by.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::lanes::LaneStates;
use super::points::{INDEX, INDEX_BITS, MAX_GROUP};
use crate::deep::field::{Field, PASSES, add_around};
use crate::deep::{Course, Square};
use crate::frame::PreparedFrame;
use crate::progress::Progress;

/// How near an orbit has to come to where it was, as a share of the square root of a pixel: the points of a cycle are
/// farther apart than that in any component of a pixel's size.
const NEAR: f64 = 1.0 / 8.0;
/// Share of a pixel's size by which c may be off the sample that is proved.
const SLACK: f64 = 1.0 / 16.0;
/// Steps that a band's proofs may take before any of them has succeeded.
const AT_FIRST: u64 = 1 << 12;
/// Steps of pixels that take as long as a proof's step: those are vectors'.
const LANES: u64 = 64;
/// Of what proofs save, the share that others may take.
const SAVED: u64 = 4;
/// The longest period that is looked for, as a share of the steps that the orbit has made, and at all.
const OF_STEPS: u64 = 4;
const LONGEST_PERIOD: u64 = 1 << 16;
/// A proof is looked for where at least this many periods are left before the limit: it takes as long as they do.
const PASSES_LEFT: u64 = 32;
/// The largest square that is tried at once.
const LARGEST: u32 = 1 << 12;
/// Steps after which an orbit is looked at for the first time, and how many times as many later the next time.
const FIRST_LOOK: u64 = 2048;
const LATER: u64 = 4;
/// More than the vectors of any instance.
const MOST_VECTORS: usize = MAX_GROUP / 2;
/// Over 1 by more than the rounding of a few operations.
const ABOVE: f64 = 1.0 + 1.0 / (1u64 << 40) as f64;

/// The pixels of a frame that are proved so far, a bit each in row order; no memory is taken before there are any.
#[derive(Debug, Default)]
pub(in crate::cpu) struct Inside(OnceLock<Vec<AtomicU64>>);

impl Inside {
    /// Most pixels of a frame of which some are kept: 16 MiB of them.
    pub(in crate::cpu) const MOST_PIXELS: usize = 1 << 27;

    /// The bits of `count` pixels from `first` on, at most 32.
    #[inline(always)]
    pub(super) fn bits(&self, first: usize, count: usize) -> u32 {
        let Some(words) = self.0.get() else {
            return 0;
        };
        let word = |at: usize| words.get(at).map_or(0, |word| word.load(Ordering::Relaxed));
        let (at, shift) = (first / 64, first % 64);
        let mut bits = word(at) >> shift;
        if shift + count > 64 {
            bits |= word(at + 1) << (64 - shift);
        }
        bits as u32 & ((1u64 << count) - 1) as u32
    }

    /// Sets the bits of the pixels from `from` to one before `to` of a frame of `pixels`; how many were not set before.
    fn set(&self, from: usize, to: usize, pixels: usize) -> u64 {
        let new = || {
            (0..pixels.div_ceil(64))
                .map(|_| AtomicU64::new(0))
                .collect()
        };
        let words = self.0.get_or_init(new);
        let (mut at, mut set) = (from, 0);
        while at < to {
            let end = to.min((at / 64 + 1) * 64);
            let bits = (u64::MAX >> (64 - (end - at))) << (at % 64);
            let before = words[at / 64].fetch_or(bits, Ordering::Relaxed);
            set += u64::from((bits & !before).count_ones());
            at = end;
        }
        set
    }
}

/// What one band adds to it.
pub(in crate::cpu) struct Proofs<'a> {
    frame: &'a PreparedFrame,
    inside: &'a Inside,
    limit: u64,
    /// The band's first pixel.
    first: usize,
    /// The pixel of each lane, by its meta word, and the step at which its orbit is looked at next.
    looks: [[(u64, u64); 8]; MOST_VECTORS],
    /// See [`NEAR`].
    reach: f64,
    /// What c may be off by: within [`SLACK`], and by its own rounding.
    slack: f64,
    rounding: f64,
    /// Steps that proofs may take.
    paid: u64,
    progress: &'a Progress,
}

impl<'a> Proofs<'a> {
    /// Of a band of `frame` whose first pixel has the number `first`; `c_max` bounds |c|.
    pub(super) fn new(
        frame: &'a PreparedFrame,
        inside: &'a Inside,
        first: usize,
        c_max: f64,
        progress: &'a Progress,
    ) -> Self {
        let rounding = 4.0 * f64::EPSILON * c_max;
        Self {
            frame,
            inside,
            limit: frame.spec.iterations,
            first,
            looks: [[(0, 0); 8]; MOST_VECTORS],
            reach: NEAR * frame.pixel_spacing.sqrt(),
            slack: SLACK * frame.pixel_spacing + rounding,
            rounding,
            paid: AT_FIRST,
            progress,
        }
    }

    /// The lanes, by their bits, whose pixels are inside, of those whose orbits it is time to look at.
    #[inline(never)]
    pub(super) fn prove_lanes(&mut self, lanes: &LaneStates) -> u32 {
        let mut done = 0;
        for lane in (0..8).filter(|lane| lanes.alive >> lane & 1 != 0) {
            let meta = lanes.metas[lane].to_bits();
            let n = lanes.time.wrapping_add(meta >> INDEX_BITS);
            let (pixel, look) = &mut self.looks[lanes.vector][lane];
            if *pixel != meta {
                (*pixel, *look) = (meta, FIRST_LOOK);
            }
            if n >= *look {
                *look = LATER * n;
                let pixel = self.first + (meta & INDEX) as usize;
                let z = [lanes.x[lane], lanes.y[lane]];
                done |= u32::from(self.prove_pixel(pixel, z, n)) << lane;
            }
        }
        done
    }

    /// Whether the pixel of this number is inside, whose orbit is at `z` after `n` steps; if so, others of its component are
    /// proved as well.
    fn prove_pixel(&mut self, pixel: usize, z: [f64; 2], n: u64) -> bool {
        if self.inside.bits(pixel, 1) != 0 {
            return true;
        }
        self.paid = self.paid.saturating_add(n / LANES);
        let left = self.limit.saturating_sub(n) / PASSES_LEFT;
        let steps = (n / OF_STEPS).min(self.paid).min(left).min(LONGEST_PERIOD);
        let width = self.frame.columns.len();
        let (col, row) = ((pixel % width) as u32, (pixel / width) as u32);
        let c = self.frame.at(col as usize, row as usize);
        let found = Course::PLAIN.cycle_near(z, c, steps, self.reach);
        let spent = found.map_or(steps, |cycle| PASSES * cycle.period);
        self.paid = self.paid.saturating_sub(spent);
        let Some(cycle) = found else {
            return false;
        };
        if !Course::PLAIN.is_inside(&cycle, self.slack) {
            // So near to a boundary a proof is for this pixel alone.
            return Course::PLAIN.is_inside(&cycle, self.rounding);
        }
        let square = Square { col, row, size: 1 };
        self.mark(square, cycle.settles());
        add_around(self, &Course::PLAIN, cycle, square, LARGEST);
        true
    }

    /// The numbers of a square's pixels in each of its rows, from the first to one past the last.
    fn rows(&self, square: Square) -> impl Iterator<Item = (usize, usize)> + use<> {
        let width = self.frame.columns.len();
        let (col_end, row_end) = square.ends(self.extent());
        (square.row as usize..row_end as usize).map(move |row| {
            let first = row * width;
            (first + square.col as usize, first + col_end as usize)
        })
    }
}

impl Field for Proofs<'_> {
    fn extent(&self) -> (u32, u32) {
        (
            self.frame.columns.len() as u32,
            self.frame.rows.len() as u32,
        )
    }

    fn is_known(&self, square: Square) -> bool {
        self.rows(square).all(|(from, to)| {
            (from..to).step_by(32).all(|at| {
                let count = (to - at).min(32);
                self.inside.bits(at, count).count_ones() as usize == count
            })
        })
    }

    fn disc(&self, square: Square) -> ([f64; 2], f64) {
        let (col_end, row_end) = square.ends(self.extent());
        let (right, down) = (col_end as usize - 1, row_end as usize - 1);
        let (left, up) = (square.col as usize, square.row as usize);
        let at = |col, row| self.frame.at(col, row);
        let ([ax, ay], [bx, by]) = (at(left, up), at(right, down));
        let middle = [ax + (bx - ax) / 2.0, ay + (by - ay) / 2.0];
        let far = [at(left, up), at(right, up), at(left, down), at(right, down)]
            .map(|[x, y]| [x - middle[0], y - middle[1]])
            .map(|[x, y]| (x * x + y * y).sqrt());
        let spread = far.into_iter().fold(0.0, f64::max) * ABOVE + self.slack;
        (middle, spread)
    }

    fn mark(&mut self, square: Square, saved: u64) {
        let pixels = self.frame.columns.len() * self.frame.rows.len();
        let mut new = 0;
        for (from, to) in self.rows(square) {
            new += self.inside.set(from, to, pixels);
        }
        let each = self.limit.min(saved) / (LANES * SAVED);
        self.paid = self.paid.saturating_add(new.saturating_mul(each));
    }

    fn pays(&mut self, steps: u64) -> bool {
        self.progress.step();
        let pays = steps <= self.paid && !self.progress.is_cancelled();
        if pays {
            self.paid -= steps;
        }
        pays
    }
}

#[cfg(test)]
mod tests {
    use fractal::{Counts, FrameSpec, Grid, Measure, MeasureSet, Strip, Transform, View};

    use super::*;
    use crate::cpu::CpuDevice;

    #[test]
    fn proofs_change_no_count() {
        let turned = Transform {
            rotate: 33.0,
            stretch: 40.0,
            stretch_angle: 20.0,
        };
        // One of how many pixels inside is proved at least; in the third view most lie in cardioid and disc, which need no proof.
        let upright = Transform::default();
        for (re, im, zoom, transform, share) in [
            ("-1.75", "0.001", "50", upright, 2),
            ("-0.7454", "0.1131", "400", upright, 5),
            ("-0.75", "0.05", "30", turned, 10_000),
            ("-0.15652", "1.03225", "100", turned, 2),
        ] {
            let spec = FrameSpec {
                view: View::Centre {
                    re: re.parse().unwrap(),
                    im: im.parse().unwrap(),
                    zoom: zoom.parse().unwrap(),
                },
                transform,
                grid: Grid::Pixels,
                width: 150,
                height: 110,
                iterations: 30_000,
                escape_radius: 256.0,
                z0: (0.0, 0.0),
                formula: fractal::Formula::default(),
                julia: None,
                skip_error_log2: fractal::SKIP_ERROR_LOG2,
                counts: Counts::Fast,
                measures: MeasureSet::default().with(Measure::Iterations),
            };
            let strip = Strip {
                index: 0,
                row0: 0,
                rows: spec.height,
            };
            let compute = |on| {
                let frame = PreparedFrame::new(spec.clone()).unwrap();
                let device = CpuDevice::new(Some(2)).shortcuts(on);
                let buffer = device.compute(&frame, strip, &Progress::default());
                let counts = buffer
                    .unwrap()
                    .values::<u32>(Measure::Iterations)
                    .unwrap()
                    .to_vec();
                (counts, frame.cache.get_or_init(Inside::default))
            };
            let ((counts, inside), (iterated, none)) = (compute(true), compute(false));
            assert!(counts == iterated, "{re} {im} {zoom}");
            let proved = |at: &usize| inside.bits(*at, 1) != 0;
            let found = (0..counts.len()).filter(proved).count();
            let all = counts.iter().filter(|count| **count == 0).count();
            assert!(
                all > 200 && none.bits(0, 32) == 0,
                "{re} {im} {zoom}: {all}"
            );
            assert!(share * found >= all, "{re} {im} {zoom}: {found} of {all}");
        }
    }

    #[test]
    fn bits_are_those_that_were_set() {
        let inside = Inside::default();
        assert_eq!(inside.bits(0, 32), 0);
        assert_eq!(inside.set(60, 70, 200), 10);
        assert_eq!(inside.set(65, 75, 200), 5);
        for first in 0..200 {
            for count in [1, 8, 32] {
                let expected = (0..count).fold(0u32, |bits, i| {
                    bits | u32::from((60..75).contains(&(first + i))) << i
                });
                assert_eq!(inside.bits(first, count), expected, "{first} {count}");
            }
        }
    }
}
