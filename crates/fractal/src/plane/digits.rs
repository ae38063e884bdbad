//! How many digits a view's coordinates need.
//!
//! A coordinate with k digits after the point says where the centre is to half of 10^-k. A hundredth of the picture
//! is taken as good enough: k >= log10(1/extent) + 2, extent being the shorter side of the view in the plane. A
//! coordinate with fewer is taken for cut off, unless it is plainly meant as it stands: of at most
//! [`EXACT_DIGITS`] digits from the first that is not 0 to the last one typed, such as 0, -0.75, 0.25 or 1e-30.
//! Zeros typed at the end count as digits: -1.7548000 says more than -1.7548.

use crate::numbers::decimal::Decimal;
use crate::plane::view::View;

/// Numbers of so many digits or fewer are exact by intent.
pub const EXACT_DIGITS: usize = 3;
/// Digits beyond those of the view's extent.
const MORE: f64 = 2.0;

impl Decimal {
    /// Digits after the point as typed: -2 of `3e2`, 4 of `0.7500`, 31 of `1.5e-30`.
    #[must_use]
    pub fn digits_after_point(&self) -> i64 {
        let (number, power) = self
            .as_str()
            .split_once(['e', 'E'])
            .unwrap_or((self.as_str(), "0"));
        let fraction = number
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        let power: i64 = power.parse().unwrap_or_default();
        i64::try_from(fraction)
            .unwrap_or(i64::MAX)
            .saturating_sub(power)
    }

    /// Whether it is plainly meant as it stands.
    fn is_exact(&self) -> bool {
        let number = self.as_str().split(['e', 'E']).next().unwrap_or_default();
        let digits = number.bytes().filter(u8::is_ascii_digit);
        digits.skip_while(|digit| *digit == b'0').count() <= EXACT_DIGITS
    }

    /// log10 of its modulus.
    fn log10(&self) -> f64 {
        self.log2() * std::f64::consts::LOG10_2
    }
}

impl View {
    /// Digits after the point that its coordinates need, at least 0.
    #[must_use]
    pub fn digits_needed(&self) -> u64 {
        let extent = match self {
            Self::Centre { zoom, .. } => libm::log10(4.0) - zoom.log10(),
            Self::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => xmax.minus(xmin).log10().min(ymax.minus(ymin).log10()),
        };
        (MORE - extent).ceil().max(0.0) as u64
    }

    /// How many digits are missing of the coordinate with fewest, where one is cut off; `None` where all have enough
    /// or are plainly meant as they stand.
    #[must_use]
    pub fn missing_digits(&self) -> Option<u64> {
        let needed = i64::try_from(self.digits_needed()).unwrap_or(i64::MAX);
        let coordinates = match self {
            Self::Centre { re, im, .. } => vec![re, im],
            Self::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => vec![xmin, xmax, ymin, ymax],
        };
        coordinates
            .into_iter()
            .filter(|coordinate| !coordinate.is_exact())
            .map(|coordinate| needed.saturating_sub(coordinate.digits_after_point()))
            .filter(|missing| *missing > 0)
            .max()
            .and_then(|missing| u64::try_from(missing).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(re: &str, im: &str, zoom: &str) -> Option<u64> {
        let [re, im, zoom] = [re, im, zoom].map(|text| text.parse().unwrap());
        View::Centre { re, im, zoom }.missing_digits()
    }

    #[test]
    fn cut_off_coordinates_are_told_from_exact_ones() {
        // The extent is 4e-50: 51.4 digits.
        assert_eq!(missing("-1.7548776662466927", "0", "1e50"), Some(52 - 16));
        assert_eq!(
            missing("-1.7548776662466927", "0.12345", "1e50"),
            Some(52 - 5)
        );
        assert_eq!(missing("-0.75", "0.25", "1e50"), None);
        assert_eq!(missing("0", "1e-30", "1e500"), None);
        assert_eq!(missing("-2", "-1.25", "1e8000"), None);
        assert_eq!(missing("-0.7435669", "0.1314023", "2326"), None);
        assert_eq!(missing("-0.7435669", "0.1314023", "1e7"), Some(2));
        assert_eq!(missing("-0.743566900", "1314023e-9", "1e7"), None);
        assert_eq!(missing("-1754.8e-3", "0", "1e3"), Some(1));
        assert_eq!(missing("-1.75480000", "0", "1e3"), None);
    }

    #[test]
    fn bounds_need_digits_too() {
        let bounds = |xmin: &str, xmax: &str| {
            let [xmin, xmax, ymin, ymax] =
                [xmin, xmax, "-1.5", "1.5"].map(|text| text.parse().unwrap());
            View::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            }
            .missing_digits()
        };
        assert_eq!(bounds("-2", "0.5"), None);
        assert_eq!(bounds("-1.75487", "-1.75486"), Some(2));
        assert_eq!(bounds("-1.7548700", "-1.7548600"), None);
    }
}
