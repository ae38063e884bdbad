//! High halves of squares of numbers of 64-bit limbs, least significant first.
//!
//! Of the 2n limbs of a square only columns n-1 to 2n-1 are computed: n limbs and one below them. What the lower
//! columns would carry into that one is left out: less than n units of the limb above it. Nothing here depends on
//! the machine or on the number of threads, so everybody gets the same bits.
//!
//! Up to [`UNROLLED`] limbs are done by code that is unrolled for their number, others by columns in loops. Numbers too
//! long for that are no limbs (`format`).

/// Largest number of limbs that [`square_array`] is for. Unrolled squares take half the time of loops; at 32, compiling
/// them takes minutes.
pub(super) const UNROLLED: usize = 24;
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

/// Columns n-1 to the last of the square of `a`: `out` has n+1 limbs.
pub(super) fn square_high(a: &[u64], out: &mut [u64]) {
    square_columns(a, a.len() - 1, out);
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn high_halves_lack_only_carries_from_below(a in (2usize..200).prop_flat_map(words)) {
            let mut out = vec![7; a.len() + 1];
            square_high(&a, &mut out);
            check_high(big(&a) * big(&a), &out)?;
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
