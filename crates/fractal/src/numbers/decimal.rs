//! Decimal numbers as typed, exact, with any number of digits.
//!
//! A coordinate of a deep view has thousands of digits, so it is kept as the integer `mantissa` times
//! a power of ten and never passes through `f64`.

use std::fmt;
use std::str::FromStr;

use dashu_int::{IBig, UBig};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most characters that a number may have: well past the 45,000 digits of a view at 1e22522.
pub const MAX_CHARS: usize = 200_000;
/// Largest power of ten, either way, that a number may carry.
pub const MAX_EXPONENT: i64 = 100_000;

/// An exact decimal number: `mantissa * 10^exponent`, together with the text it was read from.
///
/// Two are equal when their values are, however they were written.
#[derive(Clone)]
pub struct Decimal {
    text: String,
    mantissa: IBig,
    exponent: i64,
}

/// Why a text is not a [`Decimal`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is not of the form `-12.34e-56`.
    #[error("'{0}' is not a decimal number (like -0.75, 1e50 or 3.2E-7)")]
    Malformed(String),
    /// The text is longer than [`MAX_CHARS`].
    #[error("a number of {0} characters is over the limit of {MAX_CHARS}")]
    TooLong(usize),
    /// The power of ten is outside ±[`MAX_EXPONENT`].
    #[error("the power of ten in '{0}' is over the limit of {MAX_EXPONENT}")]
    ExponentTooLarge(String),
}

/// Shortens a text that is quoted in an error.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain("...".chars()).collect()
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        if text.len() > MAX_CHARS {
            return Err(DecimalError::TooLong(text.len()));
        }
        let malformed = || DecimalError::Malformed(quoted(text));
        let (number, power) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, "0"),
        };
        let (negative, digits) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed());
        }
        let unsigned_power = power.strip_prefix(['-', '+']).unwrap_or(power);
        if unsigned_power.is_empty() || !all_digits(unsigned_power) {
            return Err(malformed());
        }
        let too_large = || DecimalError::ExponentTooLarge(quoted(text));
        let power: i64 = power.parse().map_err(|_| too_large())?;
        if power.abs() > MAX_EXPONENT {
            return Err(too_large());
        }
        let magnitude =
            UBig::from_str_radix(&format!("0{whole}{fraction}"), 10).map_err(|_| malformed())?;
        let mantissa = if negative {
            -IBig::from(magnitude)
        } else {
            IBig::from(magnitude)
        };
        let exponent = power - i64::try_from(fraction.len()).map_err(|_| malformed())?;
        Ok(Self {
            text: text.to_owned(),
            mantissa,
            exponent,
        })
    }
}

impl Decimal {
    /// The value as an exact fraction `(numerator, denominator)`; the denominator is a power of ten.
    #[must_use]
    pub fn to_fraction(&self) -> (IBig, UBig) {
        let ten = UBig::from(10u8);
        let power = ten.pow(usize::try_from(self.exponent.unsigned_abs()).unwrap_or(usize::MAX));
        if self.exponent >= 0 {
            (&self.mantissa * power, UBig::ONE)
        } else {
            (self.mantissa.clone(), power)
        }
    }

    /// The value rounded to the nearest `f64` (infinite beyond its range).
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        let (numerator, denominator) = self.to_fraction();
        crate::numbers::fraction::fraction_to_f64(&numerator, &denominator)
    }

    /// Whether the value is greater than zero.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.mantissa > IBig::ZERO
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `self - other`, exact.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let mantissa = self.mantissa_at(exponent) - other.mantissa_at(exponent);
        Self {
            text: format!("{mantissa}e{exponent}"),
            mantissa,
            exponent,
        }
    }

    /// `-self`.
    #[must_use]
    pub fn negated(&self) -> Self {
        let text = match self.text.strip_prefix('-') {
            Some(positive) => positive.to_owned(),
            None if !self.is_positive() => return self.clone(),
            None => format!("-{}", self.text.strip_prefix('+').unwrap_or(&self.text)),
        };
        Self {
            text,
            mantissa: -self.mantissa.clone(),
            exponent: self.exponent,
        }
    }

    /// The mean of `self` and `other`, exact.
    #[must_use]
    pub fn middle(&self, other: &Self) -> Self {
        // A half is five tenths.
        let exponent = self.exponent.min(other.exponent);
        let mantissa = (self.mantissa_at(exponent) + other.mantissa_at(exponent)) * IBig::from(5);
        let exponent = exponent - 1;
        Self {
            text: format!("{mantissa}e{exponent}"),
            mantissa,
            exponent,
        }
    }

    /// `trunc(self * other)`, exact; `None` when it does not fit.
    #[must_use]
    pub fn times_trunc(&self, other: &Self) -> Option<i64> {
        let (a, b) = self.to_fraction();
        let (c, d) = other.to_fraction();
        i64::try_from(a * c / IBig::from(b * d)).ok()
    }

    /// log2 of its modulus; minus infinity for 0.
    #[must_use]
    pub fn log2(&self) -> f64 {
        let (numerator, denominator) = self.to_fraction();
        crate::numbers::floatexp::FloatExp::from_fraction(&numerator, &denominator).log2()
    }

    /// `self * numerator / denominator * 2^power`, rounded to `digits` significant digits: the zoom of one view of a
    /// sequence from that of another. A `denominator` of 0 counts as 1.
    #[must_use]
    pub fn scaled(&self, numerator: u64, denominator: u64, power: i64, digits: u32) -> Self {
        let (a, b) = self.to_fraction();
        let shift = usize::try_from(power.unsigned_abs()).unwrap_or(usize::MAX);
        let (mut a, mut b) = (
            a * IBig::from(numerator),
            b * UBig::from(denominator.max(1)),
        );
        if power >= 0 {
            a <<= shift;
        } else {
            b <<= shift;
        }
        let ten = |power: i64| UBig::from(10u8).pow(usize::try_from(power).unwrap_or(0));
        let log10 = crate::numbers::floatexp::FloatExp::from_fraction(&a, &b).log2()
            * std::f64::consts::LOG10_2;
        let exponent = if a == IBig::ZERO {
            0
        } else {
            log10.floor() as i64 + 1 - i64::from(digits.max(1))
        };
        // Half away from zero.
        let twice = IBig::from(2) * a * IBig::from(ten(-exponent));
        let unit = b * ten(exponent);
        let half = if twice < IBig::ZERO {
            -IBig::from(unit.clone())
        } else {
            IBig::from(unit.clone())
        };
        let (mut mantissa, mut exponent) = ((twice + half) / IBig::from(2u8 * unit), exponent);
        while mantissa != IBig::ZERO && &mantissa % IBig::from(10) == IBig::ZERO {
            mantissa /= IBig::from(10);
            exponent += 1;
        }
        Self {
            text: format!("{mantissa}e{exponent}"),
            mantissa,
            exponent,
        }
    }

    /// The mantissa that belongs to a smaller or equal exponent.
    fn mantissa_at(&self, exponent: i64) -> IBig {
        let shift = usize::try_from(self.exponent - exponent).unwrap_or(0);
        &self.mantissa * UBig::from(10u8).pow(shift)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        let exponent = self.exponent.min(other.exponent);
        self.mantissa_at(exponent) == other.mantissa_at(exponent)
    }
}

impl Eq for Decimal {}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({})", quoted(&self.text))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn reads_what_users_type() {
        for (text, value) in [
            ("0", 0.0),
            ("-2", -2.0),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("1.00E50", 1e50),
            ("-3.2e-7", -3.2e-7),
            ("1e-400", 0.0),
        ] {
            assert_eq!(parse(text).to_f64(), value, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in [
            "", "-", ".", "e5", "1e", "1e+", "1e5.5", "0x10", "nan", "inf", "1 ", "--1", "1,5", "½",
        ] {
            assert!(
                matches!(text.parse::<Decimal>(), Err(DecimalError::Malformed(_))),
                "{text}"
            );
        }
        assert!(matches!(
            "1e100001".parse::<Decimal>(),
            Err(DecimalError::ExponentTooLarge(_))
        ));
        assert!(matches!(
            "1e99999999999999999999".parse::<Decimal>(),
            Err(DecimalError::ExponentTooLarge(_))
        ));
        assert!(matches!(
            "1".repeat(MAX_CHARS + 1).parse::<Decimal>(),
            Err(DecimalError::TooLong(_))
        ));
    }

    #[test]
    fn differs_by_value_not_by_text() {
        assert_eq!(parse("1.50"), parse("15e-1"));
        assert_ne!(parse("1.5"), parse("1.5000000000000000000000000000000001"));
    }

    #[test]
    fn sizes_are_exact_where_f64_would_round() {
        // In f64, (0.3 - 0.1) * 10 is 1.9999999999999998 and would lose a column.
        assert_eq!(
            parse("0.3").minus(&parse("0.1")).times_trunc(&parse("10")),
            Some(2)
        );
        assert_eq!(
            parse("0.5").minus(&parse("-2")).times_trunc(&parse("4096")),
            Some(10240)
        );
    }

    proptest! {
        #[test]
        fn agrees_with_f64_parsing(value in any::<f64>().prop_filter("normal", |v| v.is_normal() && v.abs() > 1e-290)) {
            prop_assert_eq!(parse(&format!("{value:e}")).to_f64(), value);
        }

        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = text.parse::<Decimal>();
        }
    }

    #[test]
    fn scaled_numbers_are_rounded_to_their_digits() {
        let says =
            |text: &str, a, b, power, digits| parse(text).scaled(a, b, power, digits).to_string();
        assert_eq!(says("1e50", 1, 1, 0, 20), "1e50");
        assert_eq!(says("3", 1, 1, -2, 20), "75e-2");
        assert_eq!(says("1", 2, 3, 0, 5), "66667e-5");
        assert_eq!(says("-1", 2, 3, 0, 5), "-66667e-5");
        assert_eq!(says("1", 1, 1, 100, 8), "12676506e23");
        assert_eq!(says("0", 1, 1, 9, 8), "0e0");
        let there_and_back = parse("1.25e8000")
            .scaled(7, 9, -26_575, 30)
            .scaled(9, 7, 26_575, 25);
        assert_eq!(there_and_back, parse("1.25e8000"));
    }
}
