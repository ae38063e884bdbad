//! The step z := z² + C in limbs.
//!
//! |x| and |y| are held as n limbs with 6 bits before the point, the signs apart. A step is three high squares, x²,
//! y² and (|x| + |y|)² = x² + y² + 2|xy|, with which C is added in n+1 limbs before the bits below are cut off.

#![allow(clippy::needless_range_loop)] // one index for several arrays of one length reads better

use dashu_int::IBig;

use super::format::INTEGER;
use super::limbs::{UNROLLED, square_array, square_high};
use super::stepper::{Part, Stepper, fraction_bits, to_f64, words_of};
use crate::reference::point::ReferencePoint;

/// Fractional bits of what C is added to, in n+1 limbs.
fn product_bits(n: usize) -> usize {
    2 * fraction_bits(n) - 64 * (n - 1)
}

/// A part of C, with `bits` fractional bits, as two's complement in n+1 limbs of [`product_bits`].
fn constant(value: &IBig, bits: u32, n: usize) -> Vec<u64> {
    let mut out = vec![0; n + 1];
    let (from, to) = (bits as usize, product_bits(n));
    let value = if to >= from {
        value << (to - from)
    } else {
        value >> (from - to)
    };
    let (negative, words) = words_of(&value);
    // What does not fit is lost.
    let fits = words.len().min(n + 1);
    out[..fits].copy_from_slice(&words[..fits]);
    if negative {
        let mut carry = true;
        for word in &mut out {
            (*word, carry) = (!*word).overflowing_add(u64::from(carry));
        }
    }
    out
}

/// A stepper of `n` limbs that stands at z = 0.
pub(crate) fn stepper(point: &ReferencePoint, n: usize) -> Box<dyn Stepper> {
    let (cx, cy) = (
        constant(&point.re, point.bits, n),
        constant(&point.im, point.bits, n),
    );
    macro_rules! unrolled {
        ($($n:literal)+) => {
            match n {
                $($n => return Box::new(UnrolledStepper::<$n>::new(&cx, &cy)),)+
                _ => {}
            }
        };
    }
    unrolled!(2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24);
    debug_assert!(n > UNROLLED);
    Box::new(LoopedStepper::new(cx, cy))
}

/// The upper limbs of a number, or all of them above zeros.
fn fit(from: &[u64], to: &mut [u64]) {
    let same = from.len().min(to.len());
    let (low, high) = to.split_at_mut(to.len() - same);
    low.fill(0);
    high.copy_from_slice(&from[from.len() - same..]);
}

/// Up to [`UNROLLED`] limbs, every loop unrolled.
struct UnrolledStepper<const N: usize> {
    x: [u64; N],
    y: [u64; N],
    negative: [bool; 2],
    cx: (u64, [u64; N]),
    cy: (u64, [u64; N]),
}

/// A number of N+1 limbs.
type Wide<const N: usize> = (u64, [u64; N]);

#[inline(always)]
fn plus<const N: usize>(a: &Wide<N>, b: &Wide<N>, carry: bool) -> Wide<N> {
    let mut out = [0; N];
    let (low, mut carry) = a.0.carrying_add(b.0, carry);
    for i in 0..N {
        (out[i], carry) = a.1[i].carrying_add(b.1[i], carry);
    }
    (low, out)
}

#[inline(always)]
fn minus<const N: usize>(a: &Wide<N>, b: &Wide<N>) -> Wide<N> {
    let mut out = [0; N];
    let (low, mut borrow) = a.0.overflowing_sub(b.0);
    for i in 0..N {
        (out[i], borrow) = a.1[i].borrowing_sub(b.1[i], borrow);
    }
    (low, out)
}

/// The sign of a two's complement, and its modulus as a part, cut off.
#[inline(always)]
fn part_of<const N: usize>(value: &Wide<N>) -> (bool, [u64; N]) {
    let negative = value.1[N - 1] >> 63 != 0;
    if negative && value.0 == 0 {
        return carried(value);
    }
    let mask = u64::from(negative).wrapping_neg();
    let mut out = [0; N];
    // The 1 that a change of sign adds is carried no farther, but where the lowest limb is 0. Most of its bits are
    // noise, and so it is left out: what matters is that numbers without noise, like -1, stay exact.
    let mut below = value.0 ^ mask;
    for i in 0..N {
        let own = value.1[i] ^ mask;
        out[i] = own << INTEGER | below >> (64 - INTEGER);
        below = own;
    }
    (negative, out)
}

/// [`part_of`] a number below 0 whose lowest limb is 0.
#[cold]
fn carried<const N: usize>(value: &Wide<N>) -> (bool, [u64; N]) {
    let (_, turned) = minus(&(0, [0; N]), value);
    let mut out = [0; N];
    let mut below = 0;
    for i in 0..N {
        out[i] = turned[i] << INTEGER | below >> (64 - INTEGER);
        below = turned[i];
    }
    (true, out)
}

impl<const N: usize> UnrolledStepper<N> {
    fn new(cx: &[u64], cy: &[u64]) -> Self {
        let wide = |words: &[u64]| {
            let mut own = [0; N];
            own.copy_from_slice(&words[1..]);
            (words[0], own)
        };
        Self {
            x: [0; N],
            y: [0; N],
            negative: [false; 2],
            cx: wide(cx),
            cy: wide(cy),
        }
    }
}

impl<const N: usize> Stepper for UnrolledStepper<N> {
    fn step(&mut self) -> [f64; 2] {
        let xx = square_array(&self.x);
        let yy = square_array(&self.y);
        let (_, sum) = plus(&(0, self.x), &(0, self.y), false);
        let ss = square_array(&sum);
        let x = plus(&minus(&xx, &yy), &self.cx, false);
        let mut twice = minus(&minus(&ss, &xx), &yy);
        let negative = self.negative[0] != self.negative[1];
        let mask = u64::from(negative).wrapping_neg();
        twice.0 ^= mask;
        for word in &mut twice.1 {
            *word ^= mask;
        }
        let y = plus(&twice, &self.cy, negative);
        (self.negative[0], self.x) = part_of(&x);
        (self.negative[1], self.y) = part_of(&y);
        [
            to_f64(self.negative[0], &self.x),
            to_f64(self.negative[1], &self.y),
        ]
    }

    fn parts(&mut self) -> [Part<'_>; 2] {
        [(self.negative[0], &self.x), (self.negative[1], &self.y)]
    }

    fn set(&mut self, [re, im]: [Part<'_>; 2]) {
        self.negative = [re.0, im.0];
        fit(re.1, &mut self.x);
        fit(im.1, &mut self.y);
    }
}

/// Any number of limbs over [`UNROLLED`], by loops.
struct LoopedStepper {
    x: Vec<u64>,
    y: Vec<u64>,
    sum: Vec<u64>,
    negative: [bool; 2],
    cx: Vec<u64>,
    cy: Vec<u64>,
    /// x², y² and (|x| + |y|)².
    squares: [Vec<u64>; 3],
}

impl LoopedStepper {
    fn new(cx: Vec<u64>, cy: Vec<u64>) -> Self {
        let n = cx.len() - 1;
        Self {
            x: vec![0; n],
            y: vec![0; n],
            sum: vec![0; n],
            negative: [false; 2],
            cx,
            cy,
            squares: [(); 3].map(|()| vec![0; n + 1]),
        }
    }
}

impl Stepper for LoopedStepper {
    fn step(&mut self) -> [f64; 2] {
        let mut carry = false;
        for ((out, &x), &y) in self.sum.iter_mut().zip(&self.x).zip(&self.y) {
            (*out, carry) = x.carrying_add(y, carry);
        }
        let inputs = [&self.x[..], &self.y[..], &self.sum[..]];
        for (input, out) in inputs.into_iter().zip(&mut self.squares) {
            square_high(input, out);
        }
        // Both parts in two's complement, in the places of x² and y².
        let [xx, yy, ss] = &mut self.squares;
        let negative = self.negative[0] != self.negative[1];
        let mask = u64::from(negative).wrapping_neg();
        let (mut re, mut im, mut turned) = (0i128, 0i128, i128::from(negative));
        for ((((xx, yy), &ss), &cx), &cy) in (xx.iter_mut().zip(yy.iter_mut()).zip(ss.iter()))
            .zip(&self.cx)
            .zip(&self.cy)
        {
            let (a, b) = (i128::from(*xx), i128::from(*yy));
            re += a - b + i128::from(cx);
            im += i128::from(ss) - a - b;
            turned += i128::from(im as u64 ^ mask) + i128::from(cy);
            (*xx, *yy) = (re as u64, turned as u64);
            re >>= 64;
            im >>= 64;
            turned >>= 64;
        }
        let mut values = [0.0; 2];
        for (i, (square, out)) in [(xx, &mut self.x), (yy, &mut self.y)]
            .into_iter()
            .enumerate()
        {
            let negative = square[square.len() - 1] >> 63 != 0;
            let mut mask = u64::from(negative).wrapping_neg();
            if negative && square[0] == 0 {
                // As in `carried`.
                let mut carry = true;
                for word in square.iter_mut() {
                    (*word, carry) = (!*word).overflowing_add(u64::from(carry));
                }
                mask = 0;
            }
            for (out, pair) in out.iter_mut().zip(square.array_windows::<2>()) {
                *out = (pair[1] ^ mask) << INTEGER | (pair[0] ^ mask) >> (64 - INTEGER);
            }
            self.negative[i] = negative;
            values[i] = to_f64(negative, out);
        }
        values
    }

    fn parts(&mut self) -> [Part<'_>; 2] {
        [(self.negative[0], &self.x), (self.negative[1], &self.y)]
    }

    fn set(&mut self, [re, im]: [Part<'_>; 2]) {
        self.negative = [re.0, im.0];
        fit(re.1, &mut self.x);
        fit(im.1, &mut self.y);
    }
}
