//! The types of Kalles Fraktaler, `FractalType`, each of which has its own powers.

use fractal::Formula;
use fractal::formula::Operation;

/// Kalles Fraktaler's types that are made of powers and folds: name, and operations by power.
const TYPES: [(&str, &[(u32, &str)]); 10] = [
    ("Mandelbrot", &[(2, "sqr add")]),
    (
        "Burning Ship",
        &[
            (2, "absx absy sqr add"),
            (3, "absx absy pow3 add"),
            (4, "absx absy pow4 add"),
            (5, "absx absy pow5 add"),
        ],
    ),
    (
        "Buffalo",
        &[
            (2, "sqr absx absy add"),
            (3, "pow3 absx absy add"),
            (4, "pow4 absx absy add"),
            (5, "pow5 absx absy add"),
        ],
    ),
    (
        "Celtic",
        &[
            (2, "sqr absx add"),
            (3, "pow3 absx add"),
            (4, "pow4 absx add"),
            (5, "pow5 absx add"),
        ],
    ),
    (
        "Mandelbar",
        &[
            (2, "negy sqr add"),
            (3, "negx pow3 add"),
            (4, "negy pow4 add"),
            (5, "negy pow5 add"),
        ],
    ),
    ("Mandelbar Celtic", &[(2, "negy sqr absx add")]),
    ("Perpendicular Mandelbrot", &[(2, "absx negy sqr add")]),
    ("Perpendicular Burning Ship", &[(2, "absy negy sqr add")]),
    ("Perpendicular Celtic", &[(2, "absx negy sqr absx add")]),
    ("Perpendicular Buffalo", &[(2, "absy negy sqr absx add")]),
];

/// The types after those, each of one power: name, power and operations; none where it is not made of powers and folds.
const MORE: [(&str, u32, &str); 62] = [
    ("Cubic Quasi Burning Ship", 3, "absx pow3 absy negy add"),
    ("Cubic Partial BS Real", 3, "absx pow3 add"),
    ("Cubic Partial BS Imag", 3, "absy pow3 add"),
    ("Cubic Flying Squirrel", 3, "pow3 absy add"),
    ("Cubic Quasi Perpendicular", 3, ""),
    ("4th Burning Ship Partial Imag", 4, "absy pow4 add"),
    ("4th Burning Ship Partial Real", 4, "absx pow4 add"),
    (
        "4th Burning Ship Partial Real Mbar",
        4,
        "absx pow4 negy add",
    ),
    (
        "4th Celtic Burning Ship Partial Imag",
        4,
        "absy pow4 absx add",
    ),
    (
        "4th Celtic Burning Ship Partial Real",
        4,
        "absx pow4 absx add",
    ),
    (
        "4th Celtic Burning Ship Partial Real Mbar",
        4,
        "absx pow4 absx negy add",
    ),
    ("4th Buffalo Partial Imag", 4, "pow4 absy add"),
    ("4th Celtic Mbar", 4, "pow4 absx negy add"),
    ("4th False Quasi Perpendicular", 4, "sqr absx sqr negy add"),
    ("4th False Quasi Heart", 4, "sqr absx sqr add"),
    (
        "4th Celtic False Quasi Perpendicular",
        4,
        "sqr absx sqr absx negy add",
    ),
    ("4th Celtic False Quasi Heart", 4, "sqr absx sqr absx add"),
    ("5th Burning Ship Partial", 5, "absx pow5 add"),
    ("5th Burning Ship Partial Mbar", 5, "absx pow5 negy add"),
    ("5th Celtic Mbar", 5, "pow5 absx negy add"),
    ("5th Quasi Burning Ship", 5, "absx pow5 absy negy add"),
    ("5th Quasi Perpendicular", 5, ""),
    ("5th Quasi Heart", 5, ""),
    ("SimonBrot 4th", 4, "store absx absy mul sqr add"),
    (
        "4th Imag Quasi Perpendicular / Heart",
        4,
        "absy sqr absx sqr add",
    ),
    (
        "4th Real Quasi Perpendicular",
        4,
        "absx sqr absx sqr negy add",
    ),
    ("4th Real Quasi Heart", 4, "absx sqr absx sqr add"),
    (
        "4th Celtic Imag Quasi Perpendicular / Heart",
        4,
        "absy sqr absx sqr absx add",
    ),
    (
        "4th Celtic Real Quasi Perpendicular",
        4,
        "absx sqr absx sqr absx negy add",
    ),
    (
        "4th Celtic Real Quasi Heart",
        4,
        "absx sqr absx sqr absx add",
    ),
    ("SimonBrot 6th", 6, "store absx absy mul pow3 add"),
    ("HPDZ Buffalo", 2, ""),
    ("TheRedshiftRider 1", 3, ""),
    ("TheRedshiftRider 2", 3, ""),
    ("TheRedshiftRider 3", 3, ""),
    ("TheRedshiftRider 4", 4, ""),
    ("TheRedshiftRider 5", 4, ""),
    ("TheRedshiftRider 6", 5, ""),
    ("TheRedshiftRider 7", 5, ""),
    ("TheRedshiftRider 8", 6, ""),
    ("TheRedshiftRider 9", 6, ""),
    ("SimonBrot2 4th", 4, "sqr store absx absy mul add"),
    ("General Quadratic Minus", 2, ""),
    ("General Quadratic Plus", 2, ""),
    ("Mothbrot 2nd 1x1", 2, "store absx absy mul add"),
    ("Mothbrot 3rd 1x2", 3, "store absx absy sqr mul add"),
    ("Mothbrot 3rd 2x1", 3, "store absx absy mul mul add"),
    ("Mothbrot 4th 1x3", 4, "store absx absy pow3 mul add"),
    ("Mothbrot 4th 2x2", 4, "store absx absy mul sqr add"),
    ("Mothbrot 4th 3x1", 4, "store absx absy mul mul mul add"),
    ("Mothbrot 5th 1x4", 5, "store absx absy pow4 mul add"),
    ("Mothbrot 5th 2x3", 5, "store absx absy pow3 mul mul add"),
    ("Mothbrot 5th 3x2", 5, "store absx absy sqr mul mul mul add"),
    ("Mothbrot 5th 4x1", 5, "store absx absy mul mul mul mul add"),
    ("Mothbrot 6th 1x5", 6, "store absx absy pow5 mul add"),
    ("Mothbrot 6th 2x4", 6, "store absx absy pow4 mul mul add"),
    ("Mothbrot 6th 3x3", 6, "store absx absy mul pow3 add"),
    (
        "Mothbrot 6th 4x2",
        6,
        "store absx absy sqr mul mul mul mul add",
    ),
    (
        "Mothbrot 6th 5x1",
        6,
        "store absx absy mul mul mul mul mul add",
    ),
    ("General Abs Quadratic Minus", 2, ""),
    ("General Abs Quadratic Plus", 2, ""),
    ("z^2 exp(2 a / z) + c", 2, ""),
];

/// The formula of a `FractalType` and a `Power`, where the file has one.
///
/// # Errors
/// What it is, where we do not have it.
pub(in crate::formats) fn of_type(kind: &str, power: Option<&str>) -> Result<Formula, String> {
    let unknown = || format!("FractalType {kind:.40} is none that is known");
    let number: usize = kind.parse().map_err(|_| unknown())?;
    let power = power.map(|power| {
        (power.parse::<u32>()).map_err(|_| format!("Power: '{power:.40}' is no whole number"))
    });
    let power = power.transpose()?;
    let parse = |operations: &str| operations.parse::<Formula>().map_err(|e| e.to_string());
    if number == 0 {
        return match power.unwrap_or(2) {
            2 => Ok(Formula::default()),
            power @ 3.. => parse(&format!("pow{power} add")),
            power => Err(format!("Power {power} is none of a Mandelbrot set")),
        };
    }
    let lacks = |name: &str, power: u32| {
        Err(format!(
            "FractalType {number} ({name}) has no Power {power}"
        ))
    };
    if let Some((name, powers)) = TYPES.get(number) {
        let wanted = power.unwrap_or(2);
        let found = powers.iter().find(|(power, _)| *power == wanted);
        return found.map_or_else(|| lacks(name, wanted), |(_, operations)| parse(operations));
    }
    let (name, own, operations) = MORE.get(number - TYPES.len()).ok_or_else(unknown)?;
    if operations.is_empty() {
        let line = "is a formula that is not made of powers and folds";
        return Err(format!("FractalType {number} ({name}) {line}"));
    }
    match power {
        Some(power) if power != *own => lacks(name, power),
        _ => parse(operations),
    }
}

/// Type and power of a formula that has them.
pub(in crate::formats) fn type_of(formula: &Formula) -> Option<(usize, u32)> {
    let written = formula.operations();
    if let [[Operation::Power(power), Operation::Add]] = formula
        .written()
        .iter()
        .map(Vec::as_slice)
        .collect::<Vec<_>>()[..]
    {
        return (*power <= 70).then_some((0, *power));
    }
    let first = (TYPES.iter().enumerate()).find_map(|(kind, (_, powers))| {
        let power = powers.iter().find(|(_, operations)| *operations == written);
        power.map(|(power, _)| (kind, *power))
    });
    first.or_else(|| {
        let more = MORE
            .iter()
            .position(|(.., operations)| *operations == written)?;
        Some((TYPES.len() + more, MORE[more].1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_a_formula_of_its_power_or_is_named() {
        let mut taken = 0;
        for (kind, (_, powers)) in TYPES.iter().enumerate() {
            for (power, operations) in *powers {
                let formula = of_type(&kind.to_string(), Some(&power.to_string())).unwrap();
                assert_eq!(formula.operations(), *operations);
                assert_eq!(formula.degree(), *power, "{operations}");
                assert_eq!(type_of(&formula), Some((kind, *power)));
                taken += 1;
            }
        }
        for (at, (name, power, operations)) in MORE.iter().enumerate() {
            let kind = TYPES.len() + at;
            match of_type(&kind.to_string(), None) {
                Ok(formula) => {
                    assert_eq!(formula.degree(), *power, "{name}");
                    assert_eq!(formula.operations(), *operations);
                    taken += 1;
                }
                Err(line) => assert!(operations.is_empty() && line.contains(name), "{line}"),
            }
        }
        assert_eq!((taken, MORE.len() + TYPES.len()), (22 + 44, 72));
        assert_eq!(of_type("0", Some("7")).unwrap().name(), Some("multibrot-7"));
        for (kind, power, says) in [
            (
                "1",
                Some("6"),
                "FractalType 1 (Burning Ship) has no Power 6",
            ),
            ("12", Some("2"), "(Cubic Partial BS Imag) has no Power 2"),
            ("41", None, "(HPDZ Buffalo) is a formula that is not"),
            ("72", None, "FractalType 72 is none that is known"),
            ("-1", None, "FractalType -1 is none that is known"),
            ("0", Some("1"), "Power 1"),
            ("0", Some("x"), "Power: 'x'"),
            ("0", Some("40"), "degree 40"),
        ] {
            let line = of_type(kind, power).unwrap_err();
            assert!(line.contains(says), "{line}");
        }
    }
}
