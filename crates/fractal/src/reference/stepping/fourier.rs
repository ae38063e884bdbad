//! The step z := z² + C by Fourier transforms.
//!
//! z is complex, and so are its digits: one square of the polynomial of digits a(x), of degree below M, gives the columns of
//! x² - y² and of 2xy at once. As a² = (a² mod x^M - 1, a² mod x^M + 1), it is two squares by transforms of length M: a
//! cyclic one, and one twisted by the roots w^k, w^M = -1. Their difference is twice the upper half of the columns,
//! their sum twice the lower half, of which a step needs but the top few. The two may be made at once, on two threads.
//! `format` has the proof that columns are exact; `digits` the passes over them.

use std::sync::Arc;

use bytemuck::{cast_slice, cast_slice_mut};
use dashu_int::IBig;
use num_complex::Complex;
use pulp::Arch;
use rustfft::{Fft, FftPlanner};

use super::digits::{
    Carry, Columns, GUARD, exact_columns, from_limbs, parts_for, square, to_f64, to_limbs, twist,
    twist_back,
};
use super::format::{Format, INTEGER, Length};
use super::helper::Helper;
use super::stepper::{self, Part, Stepper, words_of};
use crate::reference::point::ReferencePoint;

/// Points from which on two threads share a step: a transform takes microseconds by then, waking the other thread less than one.
const SHARED: usize = 256;
/// Distance from an integer from which on columns are rather summed. By `format`'s bound a half does not come about.
const FAR: f64 = 0.25;

/// Squares of polynomials of digits modulo x^M - 1 or x^M + 1.
#[derive(Clone)]
struct Squarer {
    arch: Arch,
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
    /// w^k
    roots: Arc<[Complex<f64>]>,
    scratch: Vec<Complex<f64>>,
}

impl Squarer {
    fn new(points: usize, planner: &mut FftPlanner<f64>) -> Self {
        let forward = planner.plan_fft_forward(points);
        let inverse = planner.plan_fft_inverse(points);
        let room = forward
            .get_inplace_scratch_len()
            .max(inverse.get_inplace_scratch_len());
        let root = |k: usize| {
            let angle = std::f64::consts::PI * k as f64 / points as f64;
            Complex::new(libm::cos(angle), libm::sin(angle))
        };
        Self {
            arch: Arch::new(),
            forward,
            inverse,
            roots: (0..points).map(root).collect(),
            scratch: vec![Complex::default(); room],
        }
    }

    /// M times the square modulo x^M - 1.
    fn cyclic(&mut self, a: &mut [Complex<f64>]) {
        self.forward.process_with_scratch(a, &mut self.scratch);
        square(self.arch, cast_slice_mut(a));
        self.inverse.process_with_scratch(a, &mut self.scratch);
    }

    /// M times the square modulo x^M + 1.
    fn negacyclic(&mut self, a: &mut [Complex<f64>]) {
        twist(self.arch, cast_slice_mut(a), cast_slice(&self.roots));
        self.cyclic(a);
        twist_back(self.arch, cast_slice_mut(a), cast_slice(&self.roots));
    }
}

/// Any number of bits, as digits.
pub(super) struct Fourier {
    length: Length,
    squarer: Squarer,
    /// Digits of z, after guard digits.
    digits: Vec<f64>,
    /// Digits of C, with guard digits.
    constant: Vec<f64>,
    columns: Vec<f64>,
    /// Digits on their way through the two squares.
    halves: [Vec<Complex<f64>>; 2],
    /// |a|²
    norm: f64,
    /// Its largest value of which columns are exact by transforms.
    most: f64,
    helper: Option<Helper>,
    /// z in limbs, for whoever asks.
    words: [Vec<u64>; 2],
}

impl Fourier {
    /// Stands at z = 0.
    pub(super) fn new(
        point: &ReferencePoint,
        length: Length,
        threads: usize,
        planner: &mut FftPlanner<f64>,
    ) -> Self {
        let points = length.points;
        let squarer = Squarer::new(points, planner);
        let helper = (threads > 1 && points >= SHARED)
            .then(|| {
                let mut own = squarer.clone();
                Helper::hire(points, move |a| {
                    own.negacyclic(a);
                })
            })
            .flatten();
        let mut constant = vec![0.0; parts_for(points)];
        for (part, value) in [&point.re, &point.im].into_iter().enumerate() {
            constant_digits(value, point.bits, length, part, &mut constant);
        }
        let limbs = Format::Digits(length).limbs();
        Self {
            length,
            squarer,
            digits: vec![0.0; parts_for(points)],
            constant,
            columns: vec![0.0; parts_for(points)],
            halves: [(); 2].map(|()| vec![Complex::default(); points]),
            norm: 0.0,
            most: length.most(),
            helper,
            words: [(); 2].map(|()| vec![0; limbs]),
        }
    }

    fn own_digits(&self) -> &[f64] {
        own_digits(&self.digits, self.length)
    }

    /// The columns of the square, by transforms; whether they are exact.
    fn transform(&mut self) -> bool {
        if self.norm > self.most {
            return false;
        }
        let [cyclic, negacyclic] = &mut self.halves;
        let digits = own_digits(&self.digits, self.length);
        cast_slice_mut(cyclic).copy_from_slice(digits);
        let mut helped = false;
        if let Some(helper) = &mut self.helper {
            negacyclic.copy_from_slice(cyclic);
            helped = helper.give(negacyclic);
        }
        self.squarer.cyclic(cyclic);
        helped = helped
            && self
                .helper
                .as_ref()
                .is_some_and(|helper| helper.take(negacyclic));
        if !helped {
            cast_slice_mut(negacyclic).copy_from_slice(digits);
            self.squarer.negacyclic(negacyclic);
        }
        let far = self.squarer.arch.dispatch(Columns {
            cyclic: cast_slice(cyclic),
            negacyclic: cast_slice(negacyclic),
            out: &mut self.columns,
        });
        far < FAR
    }
}

fn own_digits(all: &[f64], length: Length) -> &[f64] {
    &all[2 * GUARD..2 * (GUARD + length.points)]
}

/// Writes a part of C as digits.
fn constant_digits(value: &IBig, bits: u32, length: Length, part: usize, out: &mut [f64]) {
    let below = length.points - 1 + GUARD;
    let (negative, words) = words_of(value);
    let all = 2 * (length.points + GUARD);
    let number = (negative, &words[..]);
    from_limbs(
        number,
        bits as usize,
        length.digit,
        below,
        part,
        &mut out[..all],
    );
}

impl Stepper for Fourier {
    fn step(&mut self) -> [f64; 2] {
        if !self.transform() {
            exact_columns(own_digits(&self.digits, self.length), &mut self.columns);
        }
        let bits = self.length.digit;
        self.norm = self.squarer.arch.dispatch(Carry {
            columns: &self.columns,
            constant: &self.constant,
            bits,
            out: &mut self.digits,
        });
        [0, 1].map(|part| {
            to_f64(self.own_digits(), part, bits).unwrap_or_else(|| {
                let (negative, words) = self.parts()[part];
                stepper::to_f64(negative, words)
            })
        })
    }

    fn parts(&mut self) -> [Part<'_>; 2] {
        let fraction = 64 * self.words[0].len() - INTEGER as usize;
        let digits = own_digits(&self.digits, self.length);
        let bits = self.length.digit;
        let negative =
            [0, 1].map(|part| to_limbs(digits, part, bits, fraction, &mut self.words[part]));
        let [re, im] = &self.words;
        [(negative[0], re), (negative[1], im)]
    }

    fn set(&mut self, parts: [Part<'_>; 2]) {
        let all = 2 * (GUARD + self.length.points);
        let own = &mut self.digits[2 * GUARD..all];
        for (part, number) in parts.into_iter().enumerate() {
            let fraction = 64 * number.1.len() - INTEGER as usize;
            from_limbs(
                number,
                fraction,
                self.length.digit,
                self.length.points - 1,
                part,
                own,
            );
        }
        self.norm = own.iter().map(|part| part * part).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(bits: u32) -> ReferencePoint {
        // Inside of the heart, where no orbit escapes: -0.3 + 0.1i, and noise.
        let noise = |seed: u64| {
            let word = |i: u64| (i + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (i << 17);
            let words: Vec<u64> = (0..u64::from(bits) / 64 + 1).map(word).collect();
            IBig::from(dashu_int::UBig::from_words(&words))
                >> (64 * words.len() - bits as usize + 9)
        };
        let unit = IBig::ONE << bits as usize;
        ReferencePoint {
            re: noise(1) - &unit * IBig::from(3) / IBig::from(10),
            im: noise(5) + unit / IBig::from(10),
            bits,
        }
    }

    fn at_zero(bits: u32, threads: usize) -> Fourier {
        let Format::Digits(length) = Format::of(bits) else {
            panic!("{bits} bits are limbs");
        };
        Fourier::new(&point(bits), length, threads, &mut FftPlanner::new())
    }

    /// A class of lengths each: powers of 2, one to four factors of 3.
    const BITS: [u32; 9] = [
        4_300, 5_000, 6_500, 9_500, 13_000, 14_500, 20_000, 26_600, 75_000,
    ];

    /// What digits are: extremal or random ones.
    fn pattern(kind: usize, largest: f64, mut noise: u64) -> impl FnMut() -> f64 {
        let mut i = 0;
        move || {
            i += 1;
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let random = (noise >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0;
            match kind {
                0 => largest,
                1 if i % 2 == 0 => largest,
                1 => -largest,
                2 if i % 3 == 0 => -largest,
                2 => 0.0,
                3 => largest.copysign(random),
                _ => (random * largest).round(),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn columns_are_exact_and_errors_within_the_bound(
            bits in prop::sample::select(&BITS[..8]),
            kind in 0usize..6,
            seed in any::<u64>(),
        ) {
            let mut own = at_zero(bits, 1);
            let length = own.length;
            // As large as the bound on the sum of squares lets all of them be.
            let most = (own.most / (2.0 * length.points as f64)).sqrt().floor();
            let mut pattern = pattern(kind, most, seed);
            for digit in &mut own.digits[2 * GUARD..2 * (GUARD + length.points)] {
                *digit = pattern();
            }
            own.norm = own.own_digits().iter().map(|part| part * part).sum();
            prop_assert!(own.norm <= own.most);
            prop_assert!(own.transform());
            let by_transforms = own.columns.clone();
            exact_columns(own_digits(&own.digits, length), &mut own.columns);
            prop_assert!(own.columns == by_transforms);
        }
    }

    #[test]
    fn too_long_digits_are_noticed() {
        // The control of the test above: with seven bits more, transforms are wrong, and say so.
        let mut own = at_zero(20_000, 1);
        let mut pattern = pattern(5, own.most.sqrt(), 3);
        let parts = 2 * own.length.points;
        for digit in &mut own.digits[2 * GUARD..2 * GUARD + parts] {
            *digit = pattern();
        }
        own.norm = own.own_digits().iter().map(|part| part * part).sum();
        assert!(own.norm > own.most);
        assert!(!own.transform(), "refused by its norm");
        own.most = f64::INFINITY;
        assert!(!own.transform(), "refused by its distance from integers");
    }

    #[test]
    fn every_way_through_a_step_gives_the_same_bits() {
        for bits in BITS {
            let mut alone = at_zero(bits, 1);
            let mut helped = at_zero(bits, 2);
            let mut summed = at_zero(bits, 1);
            summed.most = -1.0;
            let steps = if bits < 10_000 { 40 } else { 6 };
            for step in 0..steps {
                let value = alone.step().map(f64::to_bits);
                assert_eq!(helped.step().map(f64::to_bits), value);
                assert_eq!(
                    helped.own_digits(),
                    alone.own_digits(),
                    "{bits} bits, step {step}"
                );
                summed.step();
                assert_eq!(
                    summed.own_digits(),
                    alone.own_digits(),
                    "{bits} bits, step {step}"
                );
            }
            // The usual sum of squares leaves room.
            assert!(
                alone.norm < alone.most / 1.1,
                "{bits}: {} of {}",
                alone.norm,
                alone.most
            );
            let held: [_; 2] = alone
                .parts()
                .map(|(negative, words)| (negative, words.to_vec()));
            let before = alone.step().map(f64::to_bits);
            helped.set([(held[0].0, &held[0].1), (held[1].0, &held[1].1)]);
            assert_eq!(helped.step().map(f64::to_bits), before);
        }
    }
}
