//! High halves of squares of numbers of 64-bit limbs, least significant first.
//!
//! Of the 2n limbs of a square only columns n-1 to 2n-1 are computed: n limbs and one below them. What the lower
//! columns would carry into that one is left out: less than n units of the limb above it. Nothing here depends on
//! the machine or on the number of threads, so everybody gets the same bits.
//!
//! Up to [`UNROLLED`] limbs are done by code that is unrolled for their number; up to [`MULDERS`] by columns in
//! loops; above, after Mulders, as a full square of the top 7/10 (after Karatsuba) and a high product of the rest.

/// Largest number of limbs that [`square_array`] is for. Unrolled squares take half the time of loops; at 32, compiling
/// them takes minutes.
pub(super) const UNROLLED: usize = 24;
/// From here on high squares are split after Mulders. Measured.
pub(super) const MULDERS: usize = 400;
/// From here on high products are split after Mulders. Measured.
const MULDERS_PRODUCT: usize = 300;
/// From here on full squares are split after Karatsuba. Measured.
const KARATSUBA: usize = 100;
/// From here on full products are split after Karatsuba. Measured.
const KARATSUBA_PRODUCT: usize = 64;

/// A column's sum: 192 bits, as three words whose carries compilers keep in the flag.
type Sum = (u64, u64, u64);

#[inline(always)]
fn mac(sum: Sum, a: u64, b: u64) -> Sum {
    let product = u128::from(a) * u128::from(b);
    add(sum, (product as u64, (product >> 64) as u64, 0))
}

#[inline(always)]
fn add(sum: Sum, other: Sum) -> Sum {
    let (low, carry) = sum.0.overflowing_add(other.0);
    let (middle, carry) = sum.1.carrying_add(other.1, carry);
    (low, middle, sum.2 + other.2 + u64::from(carry))
}

#[inline(always)]
fn twice(sum: Sum) -> Sum {
    (
        sum.0 << 1,
        sum.1 << 1 | sum.0 >> 63,
        sum.2 << 1 | sum.1 >> 63,
    )
}

/// The lowest limb, and what is left for the next column.
#[inline(always)]
fn limb(sum: Sum) -> (u64, Sum) {
    (sum.0, (sum.1, sum.2, 0))
}

/// The sum of `a[i] * b[last - i]`, for slices of one length.
#[inline(always)]
fn dot(a: &[u64], b: &[u64]) -> Sum {
    let mut sum = (0, 0, 0);
    let (by_four, rest) = a.as_chunks::<4>();
    let (other_rest, other_by_four) = b.as_rchunks::<4>();
    for (x, y) in by_four.iter().zip(other_by_four.iter().rev()) {
        sum = mac(sum, x[0], y[3]);
        sum = mac(sum, x[1], y[2]);
        sum = mac(sum, x[2], y[1]);
        sum = mac(sum, x[3], y[0]);
    }
    for (&x, &y) in rest.iter().zip(other_rest.iter().rev()) {
        sum = mac(sum, x, y);
    }
    sum
}

/// Column `K` of the square of `N` limbs. Unrolled, sums in `u128` are the faster ones.
#[inline(always)]
fn column<const K: usize, const N: usize>(a: &[u64; N], carry: u128) -> (u64, u128) {
    let (mut sum, mut above) = (0u128, 0u64);
    let mac = |sum: &mut u128, a: u64, b: u64| {
        let (low, carry) = sum.overflowing_add(u128::from(a) * u128::from(b));
        *sum = low;
        u64::from(carry)
    };
    // Written out: compilers stop unrolling such a loop at 16.
    macro_rules! terms {
        ($($i:literal)+) => {
            $(
                if $i < K && $i < K - $i && K - $i < N {
                    above += mac(&mut sum, a[$i], a[K - $i]);
                }
            )+
        };
    }
    terms!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22);
    above = above << 1 | (sum >> 127) as u64;
    sum <<= 1;
    if K.is_multiple_of(2) {
        above += mac(&mut sum, a[K / 2], a[K / 2]);
    }
    let (sum, more) = sum.overflowing_add(carry);
    let above = u128::from(above + u64::from(more));
    (sum as u64, sum >> 64 | above << 64)
}

/// The high half of the square of `N` limbs, 2 to [`UNROLLED`]: the limb of column N-1, and those above.
#[inline(always)]
pub(super) fn square_array<const N: usize>(a: &[u64; N]) -> (u64, [u64; N]) {
    let (mut low, mut high, mut carry) = (0, [0; N], 0);
    macro_rules! columns {
        ($($k:literal)+) => {
            $(
                if $k + 1 >= N && $k < 2 * N - 1 {
                    let (word, left) = column::<$k, N>(a, carry);
                    if $k + 1 == N {
                        low = word;
                    } else {
                        high[$k - N] = word;
                    }
                    carry = left;
                }
            )+
        };
    }
    columns!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46);
    high[N - 1] = carry as u64;
    (low, high)
}

/// Columns `from` to the last of the square of `a`; `out` has `2 a.len() - from` limbs.
fn square_columns(a: &[u64], from: usize, out: &mut [u64]) {
    let n = a.len();
    let mut carry = (0, 0, 0);
    for (k, word) in (from..2 * n).zip(out) {
        let low = (k + 1).saturating_sub(n);
        let high = k - low;
        let pairs = (high + 1).saturating_sub(low) / 2;
        let mut sum = (0, 0, 0);
        if low < n {
            sum = twice(dot(&a[low..low + pairs], &a[high + 1 - pairs..=high]));
            if k.is_multiple_of(2) {
                sum = mac(sum, a[k / 2], a[k / 2]);
            }
        }
        (*word, carry) = limb(add(sum, carry));
    }
}

/// Columns `from` to the last of the product of two numbers of one length; `out` has `2 a.len() - from` limbs.
fn product_columns(a: &[u64], b: &[u64], from: usize, out: &mut [u64]) {
    let n = a.len();
    let mut carry = (0, 0, 0);
    for (k, word) in (from..2 * n).zip(out) {
        let low = (k + 1).saturating_sub(n);
        let high = k - low;
        let sum = if low < n {
            dot(&a[low..=high], &b[low..=high])
        } else {
            (0, 0, 0)
        };
        (*word, carry) = limb(add(sum, carry));
    }
}

/// `to += from`, `from` being no longer; what is carried out of `to` is lost.
fn add_into(to: &mut [u64], from: &[u64]) {
    let (low, high) = to.split_at_mut(from.len());
    let mut carry = false;
    for (a, &b) in low.iter_mut().zip(from) {
        (*a, carry) = a.carrying_add(b, carry);
    }
    for a in high {
        if !carry {
            break;
        }
        (*a, carry) = a.overflowing_add(1);
    }
}

/// `out = |a - b|`, `b` being no longer than `a` and `out`; true when `b` is larger.
fn difference(a: &[u64], b: &[u64], out: &mut [u64]) -> bool {
    out.copy_from_slice(a);
    let mut borrow = false;
    for (i, word) in out.iter_mut().enumerate() {
        (*word, borrow) = word.borrowing_sub(b.get(i).copied().unwrap_or(0), borrow);
    }
    if borrow {
        let mut carry = true;
        for word in out {
            (*word, carry) = (!*word).overflowing_add(u64::from(carry));
        }
    }
    borrow
}

/// `middle = low + high - middle` (or `+ middle`), with one limb more for what is carried.
fn combine(middle: &mut [u64], low: &[u64], high: &[u64], minus: bool) {
    let mut carry = 0i128;
    for (i, word) in middle.iter_mut().enumerate() {
        let of = |words: &[u64]| i128::from(words.get(i).copied().unwrap_or(0));
        let own = i128::from(*word);
        carry += of(low) + of(high) + if minus { -own } else { own };
        *word = carry as u64;
        carry >>= 64;
    }
}

/// The square of `a`, whole: `out` has twice its limbs.
fn square_full(a: &[u64], out: &mut [u64], scratch: &mut [u64]) {
    let n = a.len();
    if n < KARATSUBA {
        return square_columns(a, 0, out);
    }
    let half = n.div_ceil(2);
    let (low, high) = a.split_at(half);
    let (middle, rest) = scratch.split_at_mut(2 * half + 1);
    // The difference lies in the result's place, which is free until its square is there.
    difference(low, high, &mut out[..half]);
    square_full(&out[..half], &mut middle[..2 * half], rest);
    middle[2 * half] = 0;
    square_full(low, &mut out[..2 * half], rest);
    square_full(high, &mut out[2 * half..], rest);
    combine(middle, &out[..2 * half], &out[2 * half..], true);
    add_into(&mut out[half..], trimmed(middle, 2 * n - half));
}

/// The product of two numbers of one length, whole.
fn product_full(a: &[u64], b: &[u64], out: &mut [u64], scratch: &mut [u64]) {
    let n = a.len();
    if n < KARATSUBA_PRODUCT {
        return product_columns(a, b, 0, out);
    }
    let half = n.div_ceil(2);
    let ((a_low, a_high), (b_low, b_high)) = (a.split_at(half), b.split_at(half));
    let (middle, rest) = scratch.split_at_mut(2 * half + 1);
    let (first, second) = out[..2 * half].split_at_mut(half);
    let minus = difference(a_low, a_high, first) == difference(b_low, b_high, second);
    product_full(first, second, &mut middle[..2 * half], rest);
    middle[2 * half] = 0;
    product_full(a_low, b_low, &mut out[..2 * half], rest);
    product_full(a_high, b_high, &mut out[2 * half..], rest);
    combine(middle, &out[..2 * half], &out[2 * half..], minus);
    add_into(&mut out[half..], trimmed(middle, 2 * n - half));
}

/// At most `most` limbs of a number whose limbs above are 0.
fn trimmed(words: &[u64], most: usize) -> &[u64] {
    &words[..words.len().min(most)]
}

/// Columns n-1 and above of a product of n limbs by n: `out` has n+1.
fn product_high(a: &[u64], b: &[u64], out: &mut [u64], scratch: &mut [u64]) {
    let n = a.len();
    if n < MULDERS_PRODUCT {
        return product_columns(a, b, n - 1, out);
    }
    let low = below(n);
    let (full, rest) = scratch.split_at_mut(2 * (n - low));
    product_full(&a[low..], &b[low..], full, rest);
    out.copy_from_slice(&full[n - 1 - 2 * low..]);
    for (x, y) in [(a, b), (b, a)] {
        product_high(&x[n - low..], &y[..low], &mut full[..=low], rest);
        add_into(out, &full[..=low]);
    }
}

/// How many of `n` limbs are left to the second part after Mulders.
fn below(n: usize) -> usize {
    n * 3 / 10
}

/// Limbs that [`square_main`] and [`square_rest`] need as scratch for `n`.
pub(super) fn scratch_for(n: usize) -> usize {
    6 * n + 128
}

/// The first part of a high square of more than [`UNROLLED`] limbs: `out` has n+1. What [`square_rest`] gives has to
/// be added; the two are as long as 7 to 3 or 1 to 1, and may be computed at once.
pub(super) fn square_main(a: &[u64], out: &mut [u64], scratch: &mut [u64]) {
    let n = a.len();
    if n < MULDERS {
        let split = columns_of_rest(n);
        return square_columns(a, n - 1 + split, &mut out[split..]);
    }
    let low = below(n);
    let (full, rest) = scratch.split_at_mut(2 * (n - low));
    square_full(&a[low..], full, rest);
    out.copy_from_slice(&full[n - 1 - 2 * low..]);
}

/// The other part.
pub(super) fn square_rest(a: &[u64], out: &mut [u64], scratch: &mut [u64]) {
    let n = a.len();
    if n < MULDERS {
        let split = columns_of_rest(n);
        let mut carry = (0, 0, 0);
        for (k, word) in (n - 1..n - 1 + split).zip(out.iter_mut()) {
            let low = k + 1 - n;
            let pairs = (n - low) / 2;
            let mut sum = twice(dot(&a[low..low + pairs], &a[n - pairs..n]));
            if k.is_multiple_of(2) {
                sum = mac(sum, a[k / 2], a[k / 2]);
            }
            (*word, carry) = limb(add(sum, carry));
        }
        (out[split], out[split + 1]) = (carry.0, carry.1);
        return;
    }
    let low = below(n);
    product_high(&a[n - low..], &a[..low], &mut out[..=low], scratch);
    let mut above = 0;
    for word in &mut out[..=low] {
        (above, *word) = (*word >> 63, *word << 1 | above);
    }
    out[low + 1] = above;
}

/// Columns that the second part of a high square computes: half the work lies in the lowest 29 %.
fn columns_of_rest(n: usize) -> usize {
    n * 29 / 100
}

/// Limbs of what [`square_rest`] gives.
pub(super) fn rest_for(n: usize) -> usize {
    2 + if n < MULDERS {
        columns_of_rest(n)
    } else {
        below(n)
    }
}

/// Adds the second part to the first, whose lower limbs it may have left alone.
pub(super) fn add_rest(out: &mut [u64], rest: &[u64]) {
    let n = out.len() - 1;
    if n < MULDERS {
        let split = columns_of_rest(n);
        out[..split].copy_from_slice(&rest[..split]);
        add_into(&mut out[split..], &rest[split..]);
    } else {
        add_into(out, rest);
    }
}

/// The high half of a square, on one thread.
pub(super) fn square_high(a: &[u64], out: &mut [u64], rest: &mut [u64], scratch: &mut [u64]) {
    square_main(a, out, scratch);
    square_rest(a, rest, scratch);
    add_rest(out, rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashu_int::UBig;
    use proptest::prelude::*;

    fn big(words: &[u64]) -> UBig {
        UBig::from_words(words)
    }

    /// The error of a high half in units of its second limb: within 0 and n.
    fn check_high(exact: UBig, high: &[u64]) -> Result<(), TestCaseError> {
        let n = high.len() - 1;
        let exact = exact >> (64 * (n - 1));
        prop_assert!(big(high) <= exact);
        prop_assert!(exact - big(high) <= UBig::from(n) << 64);
        Ok(())
    }

    fn words(n: usize) -> impl Strategy<Value = Vec<u64>> {
        // Limbs of all ones and of none carry farthest.
        prop::collection::vec(
            prop_oneof![any::<u64>(), Just(u64::MAX), Just(0), Just(1)],
            n..=n,
        )
    }

    fn pair() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
        (1usize..1000).prop_flat_map(|n| (words(n), words(n)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn full_products_and_squares_are_exact((a, b) in pair()) {
            let n = a.len();
            let (mut out, mut scratch) = (vec![7; 2 * n], vec![9; scratch_for(n)]);
            product_full(&a, &b, &mut out, &mut scratch);
            prop_assert_eq!(big(&out), big(&a) * big(&b));
            square_full(&a, &mut out, &mut scratch);
            prop_assert_eq!(big(&out), big(&a) * big(&a));
        }

        #[test]
        fn high_halves_lack_only_carries_from_below((a, b) in pair()) {
            let n = a.len();
            let (mut out, mut scratch) = (vec![7; n + 1], vec![9; scratch_for(n)]);
            product_high(&a, &b, &mut out, &mut scratch);
            check_high(big(&a) * big(&b), &out)?;
            if n > 3 {
                let mut rest = vec![5; rest_for(n)];
                square_high(&a, &mut out, &mut rest, &mut scratch);
                check_high(big(&a) * big(&a), &out)?;
            }
        }

        #[test]
        fn unrolled_squares_are_the_columns(a in words(UNROLLED)) {
            macro_rules! check {
                ($($n:literal)+) => {$({
                    let head: &[u64; $n] = a.first_chunk().unwrap();
                    let (low, high) = square_array(head);
                    let mut out = [0; $n + 1];
                    square_columns(head, $n - 1, &mut out);
                    prop_assert_eq!(low, out[0]);
                    prop_assert_eq!(&high[..], &out[1..]);
                })+};
            }
            check!(2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 20 23 24);
        }
    }
}
