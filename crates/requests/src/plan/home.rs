//! Home views: what shows the whole set of a formula, or a whole Julia set.

use fractal::formula::Phase;
use fractal::{Decimal, Formula};

use super::usual;

/// Bounds of the home view by name: real parts, then imaginary ones.
const NAMED: [(&str, [&str; 4]); 8] = [
    ("burning-ship", ["-2.25", "1.5", "-2", "1"]),
    ("tricorn", ["-2.25", "1.5", "-2", "2"]),
    ("celtic", ["-2.25", "1", "-2", "2"]),
    ("buffalo", ["-2.25", "0.75", "-2", "1"]),
    (
        "perpendicular-mandelbrot",
        ["-2.25", "1.25", "-1.75", "1.75"],
    ),
    (
        "perpendicular-burning-ship",
        ["-2.25", "1.25", "-1.25", "1.5"],
    ),
    ("perpendicular-celtic", ["-2.25", "1", "-1.75", "1.75"]),
    ("perpendicular-buffalo", ["-2.25", "0.75", "-1.5", "1.5"]),
];
/// Of what has no name: all of the set lies within this of 0 where the degree is 2, and where it is more.
const SQUARE: &str = "2";
const HIGHER: &str = "1.5";
/// Home views of Julia sets end at multiples of this.
const STEP: f64 = 0.125;

/// The bounds of the home view of a formula, or of its Julia set: the smallest and largest real part, and the same of imaginary
/// ones.
#[must_use]
pub fn bounds(formula: &Formula, julia: Option<&[Decimal; 2]>) -> [Decimal; 4] {
    if let Some(c) = julia {
        let [re, im] = c.each_ref().map(Decimal::to_f64);
        let radius = (julia_radius(formula, re.hypot(im)) / STEP).ceil() * STEP;
        return around(&radius.to_string());
    }
    if formula.is_mandelbrot() {
        return usual::BOUNDS.map(usual::decimal);
    }
    let named = NAMED.iter().find(|(name, _)| Some(*name) == formula.name());
    match named {
        Some((_, bounds)) => bounds.map(usual::decimal),
        None if least_degree(formula) > 2 => around(HIGHER),
        None => around(SQUARE),
    }
}

fn around(radius: &str) -> [Decimal; 4] {
    let radius = usual::decimal(radius);
    let negative = radius.negated();
    [negative.clone(), radius.clone(), negative, radius]
}

fn least_degree(formula: &Formula) -> u32 {
    let degrees = formula.phases().iter().map(Phase::degree);
    degrees.min().unwrap_or(2)
}

/// The radius beyond which orbits with a c of modulus `c` leave: r^d = r + c, for the least degree of a phase.
fn julia_radius(formula: &Formula, c: f64) -> f64 {
    /// Halvings of the range: to far less than a step.
    const HALVINGS: u32 = 64;
    let degree = f64::from(least_degree(formula));
    let (mut low, mut high) = (1.0, 2.0 + c);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if libm::pow(middle, degree) - middle < c {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use fractal::formula::names::NAMED as ALL;

    use super::*;

    fn of(formula: &str, julia: Option<[&str; 2]>) -> [f64; 4] {
        let julia = julia.map(|c| c.map(|part| part.parse().unwrap()));
        bounds(&formula.parse().unwrap(), julia.as_ref()).map(|bound| bound.to_f64())
    }

    #[test]
    fn every_name_has_a_home_and_so_has_every_other_formula() {
        for (name, _) in NAMED {
            assert!(ALL.iter().any(|(known, _)| *known == name), "{name}");
        }
        for (name, _) in ALL {
            let [left, right, bottom, top] = of(name, None);
            assert!(left < right && bottom < top, "{name}");
        }
        assert_eq!(of("mandelbrot", None), [-2.0, 0.5, -1.5, 1.5]);
        assert_eq!(of("multibrot-5", None), [-1.5, 1.5, -1.5, 1.5]);
        assert_eq!(of("pow3 add / sqr add", None), [-2.0, 2.0, -2.0, 2.0]);
    }

    #[test]
    fn all_of_a_julia_set_is_in_its_home_view() {
        // z^2 - 2: the needle from -2 to 2.
        assert_eq!(of("mandelbrot", Some(["-2", "0"])), [-2.0, 2.0, -2.0, 2.0]);
        // The disc of radius 1, however high the power.
        for formula in ["mandelbrot", "multibrot-9"] {
            assert_eq!(of(formula, Some(["0", "0"])), [-1.0, 1.0, -1.0, 1.0]);
        }
        // z^2 + c at c = -0.8 + 0.156i: (1 + sqrt(1 + 4|c|)) / 2 is 1.53.
        let some = of("mandelbrot", Some(["-0.8", "0.156"]));
        assert_eq!(some, [-1.625, 1.625, -1.625, 1.625]);
        assert_eq!(of("burning-ship", Some(["-0.8", "0.156"])), some);
        assert!(of("multibrot-3", Some(["-0.8", "0.156"]))[1] < 1.4);
    }
}
