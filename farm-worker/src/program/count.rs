//! Whole numbers as people type them: `1000000`, `1_000_000`, `1e6`, `2.5e6`.

use std::fmt::Display;

/// Most digits of an exponent.
const EXPONENT_DIGITS: usize = 3;

/// Reads a count.
///
/// # Errors
/// A few words: it is no whole number, or over 2^64 - 1.
pub fn count(text: &str) -> Result<u64, String> {
    let wrong = || "give a whole number, such as 1000000, 1_000_000 or 1e6".to_owned();
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    if exponent.len() > EXPONENT_DIGITS {
        return Err(wrong());
    }
    let exponent: i32 = exponent.parse().map_err(|_| wrong())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{}{fraction}", without_marks(whole).ok_or_else(wrong)?);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(wrong());
    }
    let shift = exponent - i32::try_from(fraction.len()).map_err(|_| wrong())?;
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Ok(0);
    }
    let zeros = (digits.len() - kept.len()) as i32 + shift;
    let zeros = usize::try_from(zeros).map_err(|_| wrong())?;
    let over = |_| format!("over the limit of {}", u64::MAX);
    format!("{kept}{}", "0".repeat(zeros)).parse().map_err(over)
}

/// Digits without the marks between them.
fn without_marks(digits: &str) -> Option<String> {
    let groups = digits.split('_');
    let is_right = !digits.contains('_') || groups.clone().all(|group| !group.is_empty());
    is_right.then(|| groups.collect())
}

/// Reads a count of a range.
///
/// # Errors
/// A few words, as [`count`], or that it is outside of the range.
pub fn within<T: TryFrom<u64> + Copy + PartialOrd + Display>(
    text: &str,
    least: T,
    most: T,
) -> Result<T, String> {
    let number = count(text)?;
    let number = T::try_from(number).ok();
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("not in {least}..={most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_numbers_however_written() {
        for (text, number) in [
            ("0", 0),
            ("1000000", 1_000_000),
            ("1_000_000", 1_000_000),
            ("1e6", 1_000_000),
            ("1E+6", 1_000_000),
            ("2.5e6", 2_500_000),
            ("1500e-2", 15),
            ("12.0", 12),
            ("0e400", 0),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(count(text), Ok(number), "{text}");
        }
        for wrong in [
            "",
            "x",
            "1.5",
            "1e-1",
            "-1",
            "+1",
            "1e",
            "e6",
            "1__0",
            "_1",
            "1_",
            "1 000",
            "1e6e6",
            "1e20",
            "1e999",
            "1e9999",
            "nan",
            "inf",
            "0x10",
            "18446744073709551616",
            "1,000",
        ] {
            assert!(count(wrong).is_err(), "{wrong}");
        }
        assert_eq!(within("1e2", 1u16, 1024), Ok(100));
        assert_eq!(within("2e3", 1u16, 1024), Err("not in 1..=1024".to_owned()));
        assert!(within("1e6", 1u16, u16::MAX).is_err());
    }
}
