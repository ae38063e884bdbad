//! Values to places on the palette, in 2^-32 of a turn.
//!
//! Any rising function of a value, laid out once as straight pieces of equal width in the logarithm of
//! 1 + value - low: the leading bits of that number choose the piece, and the rest of its bits the place in it. So
//! linear, logarithmic and ranked values cost the same, all in whole numbers, with no operation that two machines
//! could round differently; and going round the palette any number of times is what 32 bits do when they overflow.

use super::distribution::Distribution;
use crate::scheme::scheme::{Mapping, Repeat};

/// Leading bits of the mantissa that choose a piece: as many pieces in each octave of 1 + value - low.
const PIECE_BITS: u32 = 10;
const SHIFT: u32 = f32::MANTISSA_DIGITS - 1 - PIECE_BITS;
const ONE: u32 = 1f32.to_bits();
/// Octaves that are laid out for values whose highest is not known: iteration limits have up to 53 bits.
const MOST_OCTAVES: f64 = 54.0;
/// One turn of the palette.
const TURN: f64 = 4_294_967_296.0;
/// The last place before a turn is full.
const LAST: f64 = TURN - 1.0;

/// Places of values.
#[derive(Clone, Debug)]
pub struct Places {
    /// What values are multiplied by first.
    scale: f32,
    low: f32,
    /// The highest 1 + value - low that is told from others.
    top: f32,
    pieces: Vec<Piece>,
}

/// A straight piece: its place at the start, and what that rises by in each unit of the last place.
#[derive(Clone, Copy, Debug)]
struct Piece {
    place: u32,
    rise: u32,
}

/// How places go on from what is mapped.
#[derive(Clone, Copy, Debug)]
struct Course {
    /// Turns for each unit of the mapped value.
    turns: f64,
    offset: f64,
    /// Whether it ends with the palette.
    ends: bool,
}

impl Places {
    /// Places of values that are between `low` and `high` when multiplied by `scale`; with a period, of all values.
    #[must_use]
    pub fn of_range(
        mapping: Mapping,
        scale: f64,
        (low, high): (f64, f64),
        (repeat, offset): (Option<Repeat>, f64),
    ) -> Self {
        let mapped = |above: f64| match mapping {
            Mapping::Log | Mapping::Rank => libm::log2(1.0 + above),
            Mapping::Sqrt => above.sqrt(),
            Mapping::Linear => above,
        };
        match repeat {
            Some(Repeat::Period(period)) => {
                let course = Course {
                    turns: 1.0 / period,
                    offset,
                    ends: false,
                };
                Self::new(scale, 0.0, libm::exp2(MOST_OCTAVES), mapped, course)
            }
            _ => {
                let extent = (high - low).max(f64::from(f32::EPSILON));
                let (cycles, ends) = cycles(repeat);
                let course = Course {
                    turns: cycles / mapped(extent),
                    offset,
                    ends,
                };
                Self::new(scale, low, 1.0 + extent, mapped, course)
            }
        }
    }

    /// Places of values by their ranks: the share of a picture's outside that has less.
    #[must_use]
    pub fn of_ranks(distribution: &Distribution, (repeat, offset): (Option<Repeat>, f64)) -> Self {
        let sorted = distribution.sorted();
        let (low, high) = match (sorted.first(), sorted.last()) {
            (Some(low), Some(high)) => (f64::from(*low), f64::from(*high)),
            _ => (0.0, 1.0),
        };
        let count = sorted.len().max(1) as f64;
        // Half of those that are equal to it count as less.
        let rank = |above: f64| {
            let value = (low + above) as f32;
            let less = sorted.partition_point(|other| *other < value);
            let equal = sorted[less..].partition_point(|other| *other <= value);
            (less as f64 + 0.5 * equal as f64) / count
        };
        let (turns, ends) = cycles(repeat);
        let course = Course {
            turns,
            offset,
            ends,
        };
        Self::new(1.0, low, 1.0 + (high - low).max(1.0), rank, course)
    }

    /// Lays out `mapped`, a function of value - low, up to `top`, the highest 1 + value - low.
    fn new(scale: f64, low: f64, top: f64, mapped: impl Fn(f64) -> f64, course: Course) -> Self {
        let top = top as f32;
        let count = piece_of(top) + 1;
        let at = |piece: u32| {
            let start = f32::from_bits(ONE + (piece << SHIFT));
            let turns = mapped(f64::from(start) - 1.0) * course.turns;
            // Whatever is past the end has the last colour.
            if course.ends {
                turns.min(LAST / TURN)
            } else {
                turns
            }
        };
        let pieces = (0..count).map(|piece| {
            let (start, end) = (at(piece), at(piece + 1));
            let rise = (end - start) * TURN / f64::from(1u32 << SHIFT);
            Piece {
                place: wrapped((start + course.offset) * TURN),
                rise: wrapped(if course.ends {
                    rise.floor()
                } else {
                    rise.round()
                }),
            }
        });
        Self {
            scale: scale as f32,
            low: low as f32,
            top,
            pieces: pieces.collect(),
        }
    }

    /// Whether no piece spans more than `share` of a turn, so that its start may stand for it.
    #[must_use]
    pub fn is_finer_than(&self, share: f64) -> bool {
        let most = share * TURN / f64::from(1u32 << SHIFT);
        self.pieces
            .iter()
            .all(|piece| f64::from(piece.rise) <= most)
    }

    /// Number of pieces.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// The place in the middle of a piece.
    #[must_use]
    pub fn middle(&self, piece: usize) -> u32 {
        let Piece { place, rise } = self.pieces[piece];
        place.wrapping_add(rise.wrapping_mul(1 << (SHIFT - 1)))
    }

    /// The piece that `value` lies in: the first for all that is below the range or no number, the last for all above.
    #[inline]
    #[must_use]
    pub fn piece(&self, value: f32) -> u32 {
        self.bits(value) >> SHIFT
    }

    /// The place of `value`, likewise.
    #[inline]
    #[must_use]
    pub fn place(&self, value: f32) -> u32 {
        let bits = self.bits(value);
        let Piece { place, rise } = self.pieces[(bits >> SHIFT) as usize];
        place.wrapping_add((bits & ((1 << SHIFT) - 1)).wrapping_mul(rise))
    }

    #[inline]
    fn bits(&self, value: f32) -> u32 {
        // `max` takes what is no number to 1 too.
        (1.0 + (value * self.scale - self.low))
            .max(1.0)
            .min(self.top)
            .to_bits()
            - ONE
    }
}

fn piece_of(value: f32) -> u32 {
    (value.max(1.0).to_bits() - ONE) >> SHIFT
}

/// How often the palette is run through, and whether it ends with that.
fn cycles(repeat: Option<Repeat>) -> (f64, bool) {
    match repeat {
        Some(Repeat::Cycles(cycles)) => (cycles, false),
        _ => (1.0, true),
    }
}

/// The part of a turn, of any number of them.
fn wrapped(units: f64) -> u32 {
    units.rem_euclid(TURN) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(places: &Places, value: f64) -> f64 {
        f64::from(places.place(value as f32)) / TURN
    }

    #[test]
    fn every_mapping_follows_its_formula() {
        let (low, high) = (12.0, 5012.0);
        for (mapping, mapped) in [
            (Mapping::Log, (|x: f64| (1.0 + x).log2()) as fn(f64) -> f64),
            (Mapping::Sqrt, f64::sqrt),
            (Mapping::Linear, |x| x),
        ] {
            let places = Places::of_range(mapping, 1.0, (low, high), (None, 0.0));
            for step in 0..=1000 {
                let value = f64::from((low + (high - low) * f64::from(step) / 1000.0) as f32);
                let expected = mapped(value - low) / mapped(high - low);
                let error = share(&places, value) - expected;
                assert!(error.abs() < 1e-3, "{mapping:?} {value}: {error}");
            }
            assert!(share(&places, low) < 1e-6 && share(&places, high) > 0.9995);
            assert_eq!(places.place(-5.0), places.place(low as f32), "below");
            assert_eq!(places.place(f32::NAN), places.place(low as f32));
            assert_eq!(places.place(1e9), places.place(high as f32), "above");
        }
    }

    #[test]
    fn periods_come_round_at_any_depth() {
        let period = 7.25;
        let turns = (Some(Repeat::Period(period)), 0.25);
        let places = Places::of_range(Mapping::Linear, 1.0, (0.0, 1.0), turns);
        for value in [1.0, 6.5, 100.75, 4096.0, 123_456.75, 8_000_001.0] {
            let expected = (value / period + 0.25).fract();
            let apart = (share(&places, value) - expected).abs();
            // Single precision has so much of a count left.
            let precise = 1e-5 + value * 1.2e-7 / period;
            assert!(apart.min(1.0 - apart) < precise, "{value}: {apart}");
        }
        let half = Places::of_range(Mapping::Linear, 0.5, (0.0, 1.0), turns);
        assert_eq!(
            half.place(14.5),
            places.place(7.25),
            "values are scaled first"
        );
    }

    #[test]
    fn cycles_run_over_the_range() {
        let turns = (Some(Repeat::Cycles(3.0)), 0.0);
        let places = Places::of_range(Mapping::Linear, 1.0, (10.0, 40.0), turns);
        for (value, expected) in [(10.0, 0.0), (15.0, 0.5), (25.0, 0.5), (32.5, 0.25)] {
            assert!((share(&places, value) - expected).abs() < 1e-4, "{value}");
        }
    }

    /// Ranks rise with values, and each tenth of the palette gets a tenth of the picture.
    #[test]
    fn ranks_use_the_palette_evenly() {
        // Far from even: most of it at the lower end.
        let values: Vec<f32> = (1..=100_000u32)
            .map(|i| 5000.0 + 1e6 / (i as f32).powf(0.7))
            .collect();
        let distribution = Distribution::of_rows(values.chunks(1000));
        let places = Places::of_ranks(&distribution, (None, 0.0));
        let range = distribution.range();
        let evenly = Places::of_range(Mapping::Linear, 1.0, range, (None, 0.0));
        let tenths = |places: &Places| {
            let mut counts = [0u32; 10];
            for value in &values {
                counts[(share(places, f64::from(*value)) * 10.0) as usize] += 1;
            }
            counts
        };
        assert!(
            tenths(&places)
                .iter()
                .all(|count| count.abs_diff(10_000) < 200),
            "{:?}",
            tenths(&places)
        );
        assert!(
            tenths(&evenly)[0] > 50_000,
            "control: {:?}",
            tenths(&evenly)
        );
        let mut sorted = values.clone();
        sorted.sort_by(f32::total_cmp);
        assert!(sorted.is_sorted_by_key(|value| places.place(*value)));
    }
}
