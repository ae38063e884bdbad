//! What a kernel asks of an instruction set, and the portable answer to it.
//!
//! The kernels are written once, against [`Simd`]. An instruction set is a zero-sized token: whoever holds
//! one knows that the processor has it, so all operations are safe, and unsafe code is confined to the
//! instances, to the entry points that make tokens, and to [`Runs`].
//!
//! Every operation is exactly rounded (IEEE 754) lane by lane, or moves bits, so a pixel's value cannot
//! depend on the instruction set or on the lane that it was computed in.
//!
//! Everything here and everything generic over it must be `#[inline(always)]`: code is compiled for an
//! instruction set only once it is part of that set's entry point.

/// A run of pairs for each lane of a vector, all equally long, which are read in step: what that needs to be safe is
/// looked at once for all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runs<'a> {
    from: &'a [[f64; 2]],
    first: [*const [f64; 2]; 8],
    /// The last pair's number.
    last: usize,
}

impl<'a> Runs<'a> {
    /// The runs of `from` that begin at the places `at`, up to number `last`, the first one's number being 0; of the lanes
    /// from `lanes` on no place is looked at.
    ///
    /// # Panics
    ///
    /// If a run does not lie within `from`.
    #[inline(always)]
    pub(super) fn new(from: &'a [[f64; 2]], at: &[usize; 8], lanes: usize, last: usize) -> Self {
        let mut first = [from.as_ptr(); 8];
        for (first, at) in first.iter_mut().zip(&at[..lanes]) {
            *first = from[*at..*at + last + 1].as_ptr();
        }
        assert!(last < from.len());
        Self { from, first, last }
    }

    /// A lane's run is now the one from place 0 on.
    #[inline(always)]
    pub(super) fn restart(&mut self, lane: usize) {
        self.first[lane] = self.from.as_ptr();
    }

    /// Pair `by` of a lane.
    #[inline(always)]
    pub(super) fn pair(&self, lane: usize, by: usize) -> &'a [f64; 2] {
        assert!(by <= self.last);
        // SAFETY: each run was seen to have `last` pairs after its first one when it was set; place 0 has as many.
        unsafe { &*self.first[lane].add(by) }
    }
}

/// One instruction set's vectors of `f64`.
///
/// Vectors also carry 64-bit integers as bit patterns (`*_bits`). Those stay below 2^62, so that as
/// numbers they are finite, not negative and ordered as the integers are: [`Simd::le`] and
/// [`Simd::max`] serve both.
pub(super) trait Simd: Copy {
    /// A vector.
    type V: Copy;
    /// A truth value for each lane.
    type M: Copy;
    /// Lanes of a vector, at most 8.
    const LANES: usize;

    /// All lanes `value`.
    fn splat(self, value: f64) -> Self::V;
    /// All lanes the bit pattern `bits`.
    #[inline(always)]
    fn splat_bits(self, bits: u64) -> Self::V {
        self.splat(f64::from_bits(bits))
    }
    /// The first `LANES` values of a slice that has as many.
    fn load(self, from: &[f64]) -> Self::V;
    /// Writes the lanes to the start of a slice that has room for them.
    fn store(self, to: &mut [f64], v: Self::V);
    /// a + b
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a b
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a b + c, rounded once
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// -a b + c, rounded once
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// a - b
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        self.fnma(b, self.splat(1.0), a)
    }
    /// The larger one; neither may be NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The smaller one; either if one is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// |a|
    fn abs(self, a: Self::V) -> Self::V;
    /// Sum of the bit patterns as 64-bit integers, wrapping.
    fn add_bits(self, a: Self::V, b: Self::V) -> Self::V;
    /// a <= b; false where either is NaN.
    fn le(self, a: Self::V, b: Self::V) -> Self::M;
    /// a == b; false where either is NaN.
    fn eq(self, a: Self::V, b: Self::V) -> Self::M;
    /// Both.
    fn and(self, a: Self::M, b: Self::M) -> Self::M;
    /// `yes` where the mask is true, `no` elsewhere.
    fn select(self, mask: Self::M, yes: Self::V, no: Self::V) -> Self::V;
    /// Lane i as bit i.
    fn bits(self, mask: Self::M) -> u32;
    /// Bit i as lane i; bits past the last lane are ignored.
    fn mask(self, bits: u32) -> Self::M;
    /// The lanes whose bit is set, moved together from lane 0 on; what follows them is unspecified.
    fn compress(self, bits: u32, v: Self::V) -> Self::V;
    /// The larger modulus; of no account where one is not a number.
    #[inline(always)]
    fn max_abs(self, a: Self::V, b: Self::V) -> Self::V {
        self.max(self.abs(a), self.abs(b))
    }
    /// Pair `by` of each lane's run: the first numbers of the pairs, and the second ones.
    #[inline(always)]
    fn pairs(self, runs: &Runs<'_>, by: usize) -> (Self::V, Self::V) {
        let (mut first, mut second) = ([0.0; 8], [0.0; 8]);
        for lane in 0..Self::LANES {
            [first[lane], second[lane]] = *runs.pair(lane, by);
        }
        (self.load(&first), self.load(&second))
    }
    /// The inverse: lanes of `packed`, from lane 0 on, to the lanes whose bit is set; other lanes of `into`.
    fn expand(self, bits: u32, packed: Self::V, into: Self::V) -> Self::V;
}

/// Plain Rust on four numbers at a time; right everywhere, and fast where the compiler's target has
/// vectors with fused multiply-add.
#[derive(Clone, Copy)]
pub(super) struct Portable;

/// Lanes of [`Portable`].
const PORTABLE: usize = 4;

impl Portable {
    #[inline(always)]
    fn each(f: impl Fn(usize) -> f64) -> [f64; PORTABLE] {
        std::array::from_fn(f)
    }
}

impl Simd for Portable {
    type V = [f64; PORTABLE];
    type M = [bool; PORTABLE];
    const LANES: usize = PORTABLE;

    #[inline(always)]
    fn splat(self, value: f64) -> Self::V {
        [value; PORTABLE]
    }
    #[inline(always)]
    fn load(self, from: &[f64]) -> Self::V {
        Self::each(|i| from[i])
    }
    #[inline(always)]
    fn store(self, to: &mut [f64], v: Self::V) {
        to[..PORTABLE].copy_from_slice(&v);
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        Self::each(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        Self::each(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        Self::each(|i| a[i].mul_add(b[i], c[i]))
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        Self::each(|i| (-a[i]).mul_add(b[i], c[i]))
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        Self::each(|i| a[i].max(b[i]))
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        Self::each(|i| a[i].min(b[i]))
    }
    #[inline(always)]
    fn abs(self, a: Self::V) -> Self::V {
        Self::each(|i| a[i].abs())
    }
    #[inline(always)]
    fn add_bits(self, a: Self::V, b: Self::V) -> Self::V {
        Self::each(|i| f64::from_bits(a[i].to_bits().wrapping_add(b[i].to_bits())))
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::M {
        std::array::from_fn(|i| a[i] <= b[i])
    }
    #[inline(always)]
    fn eq(self, a: Self::V, b: Self::V) -> Self::M {
        std::array::from_fn(|i| a[i] == b[i])
    }
    #[inline(always)]
    fn and(self, a: Self::M, b: Self::M) -> Self::M {
        std::array::from_fn(|i| a[i] & b[i])
    }
    #[inline(always)]
    fn select(self, mask: Self::M, yes: Self::V, no: Self::V) -> Self::V {
        Self::each(|i| if mask[i] { yes[i] } else { no[i] })
    }
    #[inline(always)]
    fn bits(self, mask: Self::M) -> u32 {
        mask.iter()
            .rev()
            .fold(0, |bits, lane| bits << 1 | u32::from(*lane))
    }
    #[inline(always)]
    fn mask(self, bits: u32) -> Self::M {
        std::array::from_fn(|i| bits >> i & 1 != 0)
    }
    #[inline(always)]
    fn compress(self, bits: u32, v: Self::V) -> Self::V {
        let (mut packed, mut len) = (v, 0);
        for (i, lane) in v.into_iter().enumerate() {
            if bits >> i & 1 != 0 {
                packed[len] = lane;
                len += 1;
            }
        }
        packed
    }
    #[inline(always)]
    fn expand(self, bits: u32, packed: Self::V, into: Self::V) -> Self::V {
        let mut next = packed.into_iter();
        let mut out = into;
        for (i, lane) in out.iter_mut().enumerate() {
            if bits >> i & 1 != 0 {
                *lane = next.next().unwrap_or_default();
            }
        }
        out
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Checks every operation of `s` against plain arithmetic; instances call it from code compiled for
    /// their instruction set.
    #[inline(always)]
    pub(in crate::cpu) fn check<S: Simd>(s: S) {
        let n = S::LANES;
        let values = |v: S::V| {
            let mut out = vec![0.0; n];
            s.store(&mut out, v);
            out
        };
        let lanes = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<f64>>();
        let (a, b, c) = (
            lanes(&|i| 1.1 + i as f64),
            lanes(&|i| 1.0 / 3.0 * (3.0 - i as f64)),
            lanes(&|i| if i == 1 { f64::NAN } else { 2.5 }),
        );
        let (va, vb, vc) = (s.load(&a), s.load(&b), s.load(&c));
        assert_eq!(values(s.splat(1.5)), vec![1.5; n]);
        assert_eq!(values(s.add(va, vb)), lanes(&|i| a[i] + b[i]));
        assert_eq!(values(s.mul(va, vb)), lanes(&|i| a[i] * b[i]));
        assert_eq!(
            values(s.fma(va, vb, va)),
            lanes(&|i| a[i].mul_add(b[i], a[i]))
        );
        assert_eq!(
            values(s.fnma(va, vb, va)),
            lanes(&|i| (-a[i]).mul_add(b[i], a[i]))
        );
        assert_eq!(values(s.sub(va, vb)), lanes(&|i| a[i] - b[i]));
        assert_eq!(values(s.max(va, vb)), lanes(&|i| a[i].max(b[i])));
        assert_eq!(values(s.min(va, vb)), lanes(&|i| a[i].min(b[i])));
        let signed = lanes(&|i| if i % 2 == 0 { -1.5 } else { 2.5 });
        assert_eq!(values(s.abs(s.load(&signed))), lanes(&|i| signed[i].abs()));
        let from: Vec<[f64; 2]> = (0..20).map(|i| [f64::from(i), -f64::from(i)]).collect();
        let at: [usize; 8] = std::array::from_fn(|i| (7 * i + 3) % 17);
        let (first, second) = s.pairs(&Runs::new(&from, &at, 8, 3), 3);
        assert_eq!(values(first), lanes(&|i| (at[i] + 3) as f64));
        assert_eq!(values(second), lanes(&|i| -((at[i] + 3) as f64)));
        let big = s.splat_bits(1 << 40 | 7);
        assert_eq!(
            values(s.add_bits(big, va))
                .iter()
                .map(|x| x.to_bits())
                .collect::<Vec<_>>(),
            a.iter()
                .map(|x| x.to_bits() + (1 << 40) + 7)
                .collect::<Vec<_>>()
        );
        let of =
            |f: &dyn Fn(usize) -> bool| (0..n).fold(0u32, |bits, i| bits | u32::from(f(i)) << i);
        assert_eq!(s.bits(s.le(va, vc)), of(&|i| a[i] <= c[i]));
        assert_eq!(s.bits(s.eq(vc, vc)), of(&|i| i != 1));
        assert_eq!(
            s.bits(s.and(s.le(va, vc), s.eq(va, va))),
            of(&|i| a[i] <= c[i])
        );
        for bits in 0..1u32 << n {
            assert_eq!(s.bits(s.mask(bits)), bits);
            let chosen: Vec<f64> = (0..n)
                .filter(|i| bits >> i & 1 != 0)
                .map(|i| a[i])
                .collect();
            assert_eq!(values(s.compress(bits, va))[..chosen.len()], chosen);
            let mut packed = a.iter();
            let expanded = (0..n).map(|i| {
                if bits >> i & 1 != 0 {
                    *packed.next().unwrap()
                } else {
                    b[i]
                }
            });
            assert_eq!(values(s.expand(bits, va, vb)), expanded.collect::<Vec<_>>());
            assert_eq!(
                values(s.select(s.mask(bits), va, vb)),
                lanes(&|i| if bits >> i & 1 != 0 { a[i] } else { b[i] })
            );
        }
    }

    #[test]
    fn cpu_portable_operations() {
        check(Portable);
    }
}
