//! Complex numbers as balanced digits in doubles, and the passes over them between two transforms.
//!
//! A number is Σ aₖ 2^(b(k - F)), k from 0 to F, the real and imaginary part of each aₖ being integers of at most
//! 2^(b-1) + 1 in modulus (a few more where columns are above 2^(3b-2)). They lie side by side in one slice, so that every pass treats both parts alike.
//!
//! Carries go no farther than three digits: a column is split into three digits, which are added to their columns, and the
//! sums once more into digit and carry of -1, 0 or 1. So nothing waits for its neighbour, and a loop is a vector's. What
//! that leaves is not the only way to write a number, but the same one everywhere: all of it is arithmetic in integers.

use pulp::{Arch, NullaryFnOnce};

/// Digits below the last one of which columns are computed: they carry into it.
pub(super) const GUARD: usize = 3;
/// Parts that a pass takes at once.
const BLOCK: usize = 64;
/// Added and taken away, rounds doubles below 2^51 to integers.
const TO_INTEGER: f64 = (3u64 << 51) as f64;

#[inline(always)]
fn rounded(x: f64) -> f64 {
    (x + TO_INTEGER) - TO_INTEGER
}

/// Sums and largest values that are kept side by side: a vector's.
type Several = [f64; 8];

/// Length of a slice of parts that passes take, for digits and guard digits.
pub(super) fn parts_for(points: usize) -> usize {
    (2 * (points + GUARD)).next_multiple_of(BLOCK)
}

/// A part of what `columns` reads: the halves of a cyclic and a negacyclic square, as parts; the sum or difference of
/// which is scaled and rounded.
#[inline(always)]
fn halves(
    cyclic: &[f64],
    negacyclic: &[f64],
    sign: f64,
    scale: f64,
    out: &mut [f64],
    farthest: &mut Several,
) {
    #[inline(always)]
    fn one(a: f64, b: f64, scale: f64, far: &mut f64) -> f64 {
        let value = (a + b) * scale;
        let whole = rounded(value);
        let distance = (value - whole).abs();
        *far = if distance > *far { distance } else { *far };
        whole
    }
    let (a, a_rest) = cyclic.as_chunks::<8>();
    let (b, b_rest) = negacyclic.as_chunks::<8>();
    let (c, c_rest) = out.as_chunks_mut::<8>();
    for ((a, b), c) in a.iter().zip(b).zip(c) {
        for i in 0..8 {
            c[i] = one(a[i], sign * b[i], scale, &mut farthest[i]);
        }
    }
    for ((&a, &b), c) in a_rest.iter().zip(b_rest).zip(c_rest) {
        *c = one(a, sign * b, scale, &mut farthest[0]);
    }
}

/// The columns of a square from [`GUARD`] below the last digit on, from the squares modulo x^M - 1 and x^M + 1, both
/// M times too large. Gives the largest distance from an integer.
pub(super) struct Columns<'a> {
    pub(super) cyclic: &'a [f64],
    pub(super) negacyclic: &'a [f64],
    pub(super) out: &'a mut [f64],
}

impl NullaryFnOnce for Columns<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let (a, b) = (self.cyclic, self.negacyclic);
        let scale = 1.0 / a.len() as f64; // there are 2M parts, so that sums are halved, too
        let low = a.len() - 2 * (GUARD + 1);
        let (first, rest) = self.out.split_at_mut(2 * (GUARD + 1));
        let mut far = [0.0; 8];
        halves(&a[low..], &b[low..], 1.0, scale, first, &mut far);
        // The last column of the upper half is none of the square.
        let upper = a.len() - 2;
        halves(
            &a[..upper],
            &b[..upper],
            -1.0,
            scale,
            &mut rest[..upper],
            &mut far,
        );
        far.into_iter().fold(0.0, f64::max)
    }
}

/// Adds a constant to columns and makes digits of them, below the last one [`GUARD`] that are of no use. Gives the
/// sum of squares of the others.
pub(super) struct Carry<'a> {
    pub(super) columns: &'a [f64],
    pub(super) constant: &'a [f64],
    /// Of a digit.
    pub(super) bits: u32,
    pub(super) out: &'a mut [f64],
}

impl NullaryFnOnce for Carry<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        carry(self.columns, self.constant, self.bits, self.out)
    }
}

#[inline(always)]
fn carry(columns: &[f64], constant: &[f64], bits: u32, out: &mut [f64]) -> f64 {
    let base = crate::reference::scaled::power_of_two(i64::from(bits));
    let inverse = 1.0 / base;
    let mut norm = [0.0; 8];
    // What the blocks before carry: middle digits one, high digits two, carries one digit farther.
    let (mut middle, mut high, mut carried) =
        ([0.0; BLOCK + 2], [0.0; BLOCK + 4], [0.0; BLOCK + 2]);
    let (columns, _) = columns.as_chunks::<BLOCK>();
    let (constant, _) = constant.as_chunks::<BLOCK>();
    let (out, _) = out.as_chunks_mut::<BLOCK>();
    let mut first = true;
    for ((columns, constant), out) in columns.iter().zip(constant).zip(out) {
        let mut low = [0.0; BLOCK];
        for i in 0..BLOCK {
            let column = columns[i] + constant[i];
            let upper = rounded(column * inverse);
            low[i] = column - upper * base;
            let top = rounded(upper * inverse);
            middle[i + 2] = upper - top * base;
            high[i + 4] = top;
        }
        for i in 0..BLOCK {
            let sum = low[i] + middle[i] + high[i];
            let over = rounded(sum * inverse);
            low[i] = sum - over * base;
            carried[i + 2] = over;
        }
        for i in 0..BLOCK {
            out[i] = low[i] + carried[i];
        }
        if first {
            first = false;
            for part in &out[2 * GUARD..] {
                norm[0] += part * part;
            }
        } else {
            for i in 0..BLOCK {
                norm[i % 8] += out[i] * out[i];
            }
        }
        for i in 0..2 {
            middle[i] = middle[i + BLOCK];
            carried[i] = carried[i + BLOCK];
        }
        for i in 0..4 {
            high[i] = high[i + BLOCK];
        }
    }
    norm.into_iter().sum()
}

/// `a = a * roots`, as complex numbers.
pub(super) fn twist(arch: Arch, a: &mut [f64], roots: &[f64]) {
    arch.dispatch(|| {
        let (a, _) = a.as_chunks_mut::<2>();
        let (roots, _) = roots.as_chunks::<2>();
        for (a, root) in a.iter_mut().zip(roots) {
            *a = [
                a[0] * root[0] - a[1] * root[1],
                a[0] * root[1] + a[1] * root[0],
            ];
        }
    });
}

/// `a = a * conjugates of roots`, as complex numbers.
pub(super) fn twist_back(arch: Arch, a: &mut [f64], roots: &[f64]) {
    arch.dispatch(|| {
        let (a, _) = a.as_chunks_mut::<2>();
        let (roots, _) = roots.as_chunks::<2>();
        for (a, root) in a.iter_mut().zip(roots) {
            *a = [
                a[0] * root[0] + a[1] * root[1],
                a[1] * root[0] - a[0] * root[1],
            ];
        }
    });
}

/// `a = a * a`, as complex numbers.
pub(super) fn square(arch: Arch, a: &mut [f64]) {
    arch.dispatch(|| {
        let (a, _) = a.as_chunks_mut::<2>();
        for a in a {
            *a = [a[0] * a[0] - a[1] * a[1], 2.0 * a[0] * a[1]];
        }
    });
}

/// The columns that [`Columns`] gives, summed in integers: takes M² steps.
pub(super) fn exact_columns(digits: &[f64], out: &mut [f64]) {
    let digits: Vec<[i64; 2]> = digits
        .as_chunks::<2>()
        .0
        .iter()
        .map(|digit| digit.map(|part| part as i64))
        .collect();
    let last = digits.len() - 1;
    let (out, _) = out.as_chunks_mut::<2>();
    for (column, out) in (last - GUARD..=2 * last).zip(out) {
        let low = column.saturating_sub(last);
        let high = column - low;
        let (mut re, mut im) = (0i64, 0i64);
        for (a, b) in digits[low..=high]
            .iter()
            .zip(digits[low..=high].iter().rev())
        {
            re += a[0] * b[0] - a[1] * b[1];
            im += a[0] * b[1] + a[1] * b[0];
        }
        *out = [re as f64, im as f64];
    }
}

/// Bits `from` to `from + count` of a modulus in limbs; there are none below bit 0.
fn field(words: &[u64], from: i64, count: u32) -> i64 {
    let bit = |at: i64| -> i64 {
        let Ok(at) = usize::try_from(at) else {
            return 0;
        };
        words
            .get(at / 64)
            .map_or(0, |word| (word >> (at % 64) & 1) as i64)
    };
    if from >= 0 {
        let (word, shift) = (from as usize / 64, from as u32 % 64);
        let of = |at: usize| words.get(at).copied().unwrap_or(0);
        let both = u128::from(of(word)) | u128::from(of(word + 1)) << 64;
        return (both >> shift) as i64 & ((1 << count) - 1);
    }
    (0..i64::from(count)).map(|i| bit(from + i) << i).sum()
}

/// Writes a number in limbs, with `fraction` bits after the point, as the real (`part` 0) or imaginary parts (1) of digits, of
/// which `below` lie after the point; what is below the last of them is cut off.
pub(super) fn from_limbs(
    (negative, words): (bool, &[u64]),
    fraction: usize,
    bits: u32,
    below: usize,
    part: usize,
    out: &mut [f64],
) {
    let mut carry = 0;
    let half = 1i64 << (bits - 1);
    let mut from = fraction as i64 - below as i64 * i64::from(bits);
    for digit in out.as_chunks_mut::<2>().0 {
        let mut value = field(words, from, bits) + carry;
        carry = i64::from(value > half);
        value -= carry << bits;
        digit[part] = if negative { -value } else { value } as f64;
        from += i64::from(bits);
    }
}

/// The real or imaginary parts of digits as a sign and a modulus in limbs, with `fraction` bits after the point, no fewer
/// than digits have there.
pub(super) fn to_limbs(
    digits: &[f64],
    part: usize,
    bits: u32,
    fraction: usize,
    out: &mut [u64],
) -> bool {
    let (digits, _) = digits.as_chunks::<2>();
    // What is below a digit is less than one of its units.
    let leading = digits.iter().rev().find(|digit| digit[part] != 0.0);
    let negative = leading.is_some_and(|digit| digit[part] < 0.0);
    out.fill(0);
    let mut at = fraction - (digits.len() - 1) * bits as usize;
    let mut carry = 0;
    for digit in digits {
        let value = digit[part] as i64;
        carry += if negative { -value } else { value };
        let field = (carry & ((1 << bits) - 1)) as u64;
        carry >>= bits;
        let (word, shift) = (at / 64, at as u32 % 64);
        out[word] |= field << shift;
        if shift + bits > 64 && word + 1 < out.len() {
            out[word + 1] |= field >> (64 - shift);
        }
        at += bits as usize;
    }
    negative
}

/// The real or imaginary part rounded to nearest, but for numbers that are so close to a tie that all their digits
/// matter, or below 2^-900.
pub(super) fn to_f64(digits: &[f64], part: usize, bits: u32) -> Option<f64> {
    /// Bits that decide.
    const ENOUGH: u32 = 100;
    let (digits, _) = digits.as_chunks::<2>();
    let mut exponent = 0i64;
    let mut leading = 0i128;
    let mut all = true;
    for digit in digits.iter().rev() {
        leading = (leading << bits) + digit[part] as i128;
        exponent -= i64::from(bits);
        if leading.unsigned_abs() >> ENOUGH != 0 {
            all = false;
            break;
        }
    }
    exponent += i64::from(bits);
    if leading == 0 {
        return Some(0.0);
    }
    let modulus = leading.unsigned_abs();
    let dropped = (128 - modulus.leading_zeros()).saturating_sub(53);
    if !all {
        // Digits below are less than a unit.
        let rest = modulus & ((1 << dropped) - 1);
        if rest.abs_diff(1 << (dropped - 1)) <= 1 {
            return None;
        }
    }
    (exponent > -900).then(|| leading as f64 * crate::reference::scaled::power_of_two(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::floatexp::FloatExp;
    use crate::reference::stepping::stepper;
    use dashu_int::IBig;
    use proptest::prelude::*;

    /// Limbs that carry far, and others.
    fn words() -> impl Strategy<Value = Vec<u64>> {
        let word = prop_oneof![
            any::<u64>(),
            Just(u64::MAX),
            Just(0),
            Just(1),
            Just(0x5555_5555_5555_5555),
            Just(1 << 63)
        ];
        prop_oneof![
            prop::collection::vec(word.clone(), 1..40),
            (word, 1usize..40).prop_map(|(word, n)| vec![word; n]),
        ]
    }

    /// The real parts of digits as an integer.
    fn value(digits: &[f64], bits: u32) -> IBig {
        let (digits, _) = digits.as_chunks::<2>();
        digits.iter().rev().fold(IBig::ZERO, |all, digit| {
            (all << bits as usize) + IBig::from(digit[0] as i64)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn limbs_become_digits_and_limbs_again(
            mut words in words(),
            bits in 12u32..20,
            negative in any::<bool>(),
            more in 0usize..70,
        ) {
            // Six bits before the point, as everywhere.
            let n = words.len();
            words[n - 1] &= 0xffff_ffff_ffff_ffff >> 2;
            let fraction = 64 * n - 6;
            let below = (fraction + more) / bits as usize + 1;
            let mut digits = vec![0.0; 2 * (below + 1)];
            from_limbs((negative, &words), fraction, bits, below, 0, &mut digits);
            let exact = stepper::to_big((negative, &words)) << (below * bits as usize - fraction);
            prop_assert_eq!(&value(&digits, bits), &exact);
            prop_assert!(digits.iter().all(|digit| digit.abs() <= f64::from(1 << (bits - 1))));
            prop_assert!(digits.iter().skip(1).step_by(2).all(|imaginary| *imaginary == 0.0));

            let mut back = vec![7; (below * bits as usize + 6).div_ceil(64)];
            let room = 64 * back.len() - 6;
            let sign = to_limbs(&digits, 0, bits, room, &mut back);
            let scaled = &exact << (room - below * bits as usize);
            prop_assert_eq!(stepper::to_big((sign, &back)), scaled);

            let nearest = FloatExp::from_big(&exact, -((below * bits as usize) as i64)).to_f64();
            if let Some(rounded) = to_f64(&digits, 0, bits) {
                prop_assert_eq!(rounded, nearest);
            }
            prop_assert_eq!(stepper::to_f64(sign, &back), nearest);
        }

        #[test]
        fn carried_columns_are_the_same_number_in_short_digits(
            columns in prop::collection::vec(
                prop_oneof![-1i64 << 46..1 << 46, Just(1 << 46), Just(-1 << 46), Just(0), Just((1 << 15) - 1)],
                1..200,
            ),
            constant in -70_000i64..70_000,
            bits in 14u32..19,
        ) {
            let points = columns.len();
            let columns = columns.iter().map(|column| column >> (48 - 3 * bits.min(16)));
            let all = parts_for(points + 4);
            let (mut wide, mut added, mut out) = (vec![0.0; all], vec![0.0; all], vec![9.0; all]);
            for (part, column) in wide.as_chunks_mut::<2>().0[GUARD..].iter_mut().zip(columns) {
                part[0] = column as f64;
            }
            added[2 * GUARD] = constant as f64;
            let norm = Arch::new().dispatch(Carry { columns: &wide, constant: &added, bits, out: &mut out });
            prop_assert_eq!(value(&wide, bits) + value(&added, bits), value(&out, bits));
            let most = f64::from(1 << (bits - 1)) + 1.0;
            prop_assert!(out.iter().all(|digit| digit.abs() <= most));
            prop_assert_eq!(norm, out[2 * GUARD..].iter().map(|digit| digit * digit).sum::<f64>());
            let scalar = carry(&wide, &added, bits, &mut wide.clone());
            prop_assert_eq!(scalar, norm);
        }
    }

    #[test]
    fn ties_are_left_to_whoever_sees_all_digits() {
        // 1 + 2^-53 is half way between two doubles; what lies 400 bits below decides.
        for (last, rounded) in [
            (1.0, Some(1.0 + f64::EPSILON)),
            (-1.0, Some(1.0)),
            (0.0, Some(1.0)),
        ] {
            let mut digits = [0.0; 2 * 30];
            (digits[2 * 29], digits[2 * 25], digits[0]) = (1.0, 2048.0, last); // 2^-64 * 2^11
            assert_eq!(to_f64(&digits, 0, 16), None);
            let mut limbs = [0; 8];
            let negative = to_limbs(&digits, 0, 16, 64 * 8 - 6, &mut limbs);
            assert_eq!(Some(stepper::to_f64(negative, &limbs)), rounded);
        }
        assert_eq!(to_f64(&[0.0; 60], 0, 16), Some(0.0));
        assert_eq!(
            to_f64(&[-1.0, 0.0, 3.0, 0.0], 0, 16),
            Some(3.0 - 0.5f64.powi(16))
        );
    }
}
