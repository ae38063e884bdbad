//! Formulas, what is none, and exact counts of them.

use proptest::prelude::*;

use super::*;
use crate::picture::measure::{Measure, MeasureSet};
use crate::plane::view::{Grid, View};
use crate::settled::Settlement;
use crate::{Counts, Decimal, FrameSpec, oracle};

fn frame(formula: &str, re: &str, im: &str, zoom: &str, iterations: u64) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: re.parse().unwrap(),
            im: im.parse().unwrap(),
            zoom: zoom.parse().unwrap(),
        },
        transform: crate::Transform::default(),
        grid: Grid::Pixels,
        width: 9,
        height: 9,
        iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: formula.parse().unwrap(),
        julia: None,
        skip_error_log2: crate::SKIP_ERROR_LOG2,
        counts: Counts::Settled,
        measures: MeasureSet::default().with(Measure::Distance),
    }
}

#[test]
fn names_are_their_operations_and_come_back_from_them() {
    for (name, operations) in names::NAMED {
        let formula: Formula = name.parse().unwrap();
        assert_eq!(formula.operations(), operations);
        let back: Formula = operations.parse().unwrap();
        assert_eq!((back.to_string().as_str(), back == formula), (name, true));
    }
    let hybrid: Formula = "sqr add / SQR  add/ absx absy pow 3 rot{-0.5} add"
        .parse()
        .unwrap();
    let written = "sqr add / sqr add / absx absy pow3 rot{-0.5} add";
    assert_eq!(hybrid.to_string(), written);
    assert_eq!(written.parse::<Formula>().unwrap(), hybrid);
    let degrees: Vec<u32> = hybrid.phases().iter().map(Phase::degree).collect();
    assert_eq!(degrees, [2, 2, 3]);
    assert!(Formula::default().is_mandelbrot() && !hybrid.is_mandelbrot());
}

#[test]
fn what_is_no_formula_is_refused_in_one_line() {
    for (text, said) in [
        (
            "burnig-ship",
            "there is no formula or operation 'burnig-ship': did you mean 'burning-ship'?",
        ),
        (
            "sqr ad",
            "there is no formula or operation 'ad': did you mean 'add'?",
        ),
        ("qqqq", "there is no formula or operation 'qqqq'"),
        ("", "phase 1 of the formula is empty"),
        ("sqr add / / sqr add", "phase 2 of the formula is empty"),
        (
            "absx add",
            "phase 1 of the formula has no power: one of sqr, pow and mul",
        ),
        (
            "sqr / sqr",
            "the formula adds no c: one phase at least needs 'add'",
        ),
        (
            "pow33 add",
            "phase 1 of the formula is of degree 33; the largest is 32",
        ),
        (
            "pow16 pow16 pow16 pow16 pow16 pow16 pow16 pow16 pow16 add",
            "phase 1 of the formula is of degree 4294967295; the largest is 32",
        ),
        (
            "pow add",
            "'pow' needs a number after it: a whole number from 2 on",
        ),
        (
            "pow1 add",
            "'pow' needs a number after it: a whole number from 2 on",
        ),
        (
            "rot x sqr add",
            "'rot' needs a number after it: the angle in degrees",
        ),
    ] {
        assert_eq!(
            text.parse::<Formula>().unwrap_err().to_string(),
            said,
            "{text}"
        );
    }
    let phases = vec!["sqr add"; MAX_PHASES + 1].join("/");
    assert!(matches!(
        phases.parse::<Formula>(),
        Err(FormulaError::Phases(65))
    ));
    let long = format!("sqr {} add", "negx ".repeat(MAX_OPERATIONS));
    assert!(matches!(
        long.parse::<Formula>(),
        Err(FormulaError::Operations(1, 66))
    ));
}

proptest! {
    #[test]
    fn no_text_is_more_than_refused(text in "(sqr|add|mul|pow|rot|absx|store|[0-9{}/. -]){0,20}") {
        if let Ok(formula) = text.parse::<Formula>() {
            prop_assert_eq!(formula.to_string().parse::<Formula>().unwrap(), formula);
        }
    }

    #[test]
    fn angles_are_those_of_the_library(degrees in -1000.0f64..1000.0) {
        let text = format!("{degrees:.6}");
        let [cos, sin] = rotation(&text.parse::<Decimal>().unwrap(), 80);
        let angle = text.parse::<f64>().unwrap().to_radians();
        let value = |part: &dashu_int::IBig| crate::FloatExp::from_big(part, -80).to_f64();
        prop_assert!((value(&cos) - angle.cos()).abs() < 1e-13);
        prop_assert!((value(&sin) - angle.sin()).abs() < 1e-13);
    }
}

#[test]
fn right_angles_are_whole_to_the_last_bits() {
    use dashu_int::IBig;
    let [cos, sin] = rotation(&"90".parse().unwrap(), 500);
    let off: IBig = sin - (IBig::ONE << 500);
    assert!(
        cos >= IBig::from(-2)
            && cos <= IBig::from(2)
            && off >= IBig::from(-2)
            && off <= IBig::from(2)
    );
}

/// Doubles, for orbits of a few steps.
struct Doubles {
    c: [f64; 2],
}

impl Numbers for Doubles {
    type Value = [f64; 2];

    fn square(&mut self, z: [f64; 2]) -> [f64; 2] {
        self.multiply(z, &z)
    }

    fn multiply(&mut self, [a, b]: [f64; 2], [x, y]: &[f64; 2]) -> [f64; 2] {
        [a * x - b * y, a * y + b * x]
    }

    fn fold(&mut self, [x, y]: [f64; 2], fold: Fold) -> [f64; 2] {
        match fold {
            Fold::AbsX => [x.abs(), y],
            Fold::AbsY => [x, y.abs()],
            Fold::NegX => [-x, y],
            Fold::NegY => [x, -y],
        }
    }

    fn rotate(&mut self, z: [f64; 2], _: usize) -> [f64; 2] {
        z
    }

    fn add(&mut self, [x, y]: [f64; 2]) -> [f64; 2] {
        [x + self.c[0], y + self.c[1]]
    }
}

#[test]
fn steps_are_what_the_field_means_by_their_names() {
    let (z, c): ([f64; 2], [f64; 2]) = ([-0.5, -0.75], [0.125, -0.25]);
    let [x, y] = z;
    let (re, im) = (x * x - y * y, 2.0 * x * y);
    for (name, [a, b]) in [
        ("mandelbrot", [re, im]),
        ("burning-ship", [re, 2.0 * (x * y).abs()]),
        ("tricorn", [re, -im]),
        ("celtic", [re.abs(), im]),
        ("buffalo", [re.abs(), im.abs()]),
        ("perpendicular-mandelbrot", [re, -2.0 * x.abs() * y]),
        ("perpendicular-burning-ship", [re, -2.0 * x * y.abs()]),
        ("perpendicular-celtic", [re.abs(), -2.0 * x.abs() * y]),
        ("perpendicular-buffalo", [re.abs(), -2.0 * x * y.abs()]),
        ("multibrot-3", [x * re - y * im, x * im + y * re]),
        ("multibrot-4", [re * re - im * im, 2.0 * re * im]),
        ("store sqr mul add", [x * re - y * im, x * im + y * re]),
    ] {
        let formula: Formula = name.parse().unwrap();
        let stepped = formula.phase(0).apply(&mut Doubles { c }, z);
        assert_eq!(stepped, [a + c[0], b + c[1]], "{name}");
    }
    // Powers by their bits: 7 is z^2 z ^2 z.
    for power in 2..=9 {
        let formula: Formula = format!("pow{power} add").parse().unwrap();
        let [x, y] = formula
            .phase(0)
            .apply(&mut Doubles { c: [0.0; 2] }, [2.0, 1.0]);
        let mut expected = [1.0, 0.0];
        for _ in 0..power {
            expected = [
                2.0 * expected[0] - expected[1],
                expected[0] + 2.0 * expected[1],
            ];
        }
        assert_eq!([x, y], expected, "{power}");
        assert_eq!(formula.degree(), power);
    }
}

#[test]
fn settled_counts_are_those_of_plain_integers() {
    let julia = FrameSpec {
        julia: Some(["-0.8".parse().unwrap(), "0.156".parse().unwrap()]),
        ..frame("mandelbrot", "0.1", "0.2", "40", 600)
    };
    let started = FrameSpec {
        z0: (0.25, -0.125),
        ..frame("burning-ship", "-1.7", "-0.02", "10", 500)
    };
    let frames = [
        julia,
        started,
        frame("burning-ship", "-1.755", "-0.03", "30", 800),
        frame("multibrot-3", "0.2", "1.0", "20", 500),
        frame("celtic", "-1.2", "0.3", "9", 500),
        frame(
            "sqr add / absx absy pow3 rot{30} add",
            "-0.4",
            "0.6",
            "3",
            300,
        ),
        frame("absx absy pow3 add / sqr add", "-0.4", "0.6", "3", 300),
    ];
    for frame in frames {
        let mut seen = 0;
        for (col, row) in (0..9).flat_map(|col| [(col, 1), (col, 4), (col, 7)]) {
            let known = oracle::iteration_count(&frame, col, row);
            let Settlement::Settled(end) = settle(&frame, col, row, &|| true) else {
                panic!("{frame:?} at {col}, {row}");
            };
            assert_eq!(end.count, known, "{frame:?} at {col}, {row}");
            seen += u32::from(known > 1);
        }
        assert!(seen > 5, "{frame:?}");
    }
}

#[test]
fn slopes_of_ends_are_quotients_of_differences() {
    // |z| rises along the slope's conjugate times z: by differences of two orbits beside each other.
    for formula in [
        "burning-ship",
        "multibrot-3",
        "celtic",
        "sqr add / absx absy pow3 rot{30} add",
    ] {
        let frame = frame(formula, "-0.9", "0.71", "4", 100);
        let formula = &frame.formula;
        let turned = formula.rotations().count() > 0;
        let Settlement::Settled(end) = settle(&frame, 3, 5, &|| true) else {
            panic!("{formula}");
        };
        if turned || end.count == 0 {
            continue;
        }
        let (columns, rows) = frame.axes();
        let size = |dx: f64, dy: f64| {
            let mut numbers = Doubles {
                c: [columns.at(3) + dx, rows.at(5) + dy],
            };
            let mut z = [0.0; 2];
            for n in 0..end.count {
                z = formula.phase(n).apply(&mut numbers, z);
            }
            z[0].hypot(z[1])
        };
        let step = 1e-7;
        let rise = [
            size(step, 0.0) - size(-step, 0.0),
            size(0.0, step) - size(0.0, -step),
        ];
        let rise = rise.map(|part| part / (2.0 * step));
        let slope = [end.slope.re.to_f64(), end.slope.im.to_f64()];
        let [x, y] = end.z.map(|part| part / end.z[0].hypot(end.z[1]));
        let own = [slope[0] * x + slope[1] * y, slope[0] * y - slope[1] * x];
        for part in 0..2 {
            let off = (own[part] - rise[part]).abs();
            assert!(
                off < 1e-3 * slope[0].hypot(slope[1]),
                "{formula}: {own:?} {rise:?}"
            );
        }
    }
}

#[test]
fn whole_numbers_and_the_needle_need_no_bits() {
    for (formula, re, im) in [
        ("burning-ship", "-2", "0"),
        ("tricorn", "-1.4011", "0"),
        ("multibrot-3", "0", "1"),
        ("celtic", "0", "0"),
    ] {
        let mut point = frame(formula, re, im, "1e12", 1 << 40);
        (point.width, point.height) = (1, 1);
        assert_eq!(
            settle(&point, 0, 0, &|| true),
            Settlement::Settled(Default::default()),
            "{formula}"
        );
    }
    let mut point = frame("multibrot-3", "1", "0", "1e12", 1 << 40);
    (point.width, point.height) = (1, 1);
    let Settlement::Settled(end) = settle(&point, 0, 0, &|| true) else {
        panic!()
    };
    // 1, 2, 9, 730
    assert_eq!(end.count, 4);
}

#[test]
fn reference_orbits_are_of_each_phase_and_tap_what_deltas_need() {
    let frame = frame("sqr absx add / pow3 add", "-0.4", "0.6", "1e20", 300);
    let point = crate::ReferencePoint::centre_of(&frame);
    let orbits = compute(&frame, point.clone(), 1 << 20, &|| true).unwrap();
    assert!(orbits.first.is_none());
    assert_eq!(orbits.critical.len(), 2);
    for (phase, orbit) in orbits.critical.iter().enumerate() {
        assert_eq!(
            (orbit.phase, orbit.taps, orbit.values[0]),
            (phase, 2, [0.0; 2])
        );
        assert_eq!(orbit.values.len(), orbit.steps * 2 + 1);
        // The second tap is that of z².
        let ([x, y], [re, im]) = (orbit.values[2], orbit.values[3]);
        assert!((x * x - y * y - re).abs() < 1e-15 && (2.0 * x * y - im).abs() < 1e-15);
    }
    assert_eq!(
        compute(&frame, point.clone(), 10, &|| true).unwrap_err(),
        OrbitsError::TooLong(10)
    );
    assert_eq!(
        compute(&frame, point, 1 << 20, &|| false).unwrap_err(),
        OrbitsError::Cancelled
    );
}

#[test]
fn orbits_stay_outside_of_radii_that_c_cannot_bring_back() {
    let of = |text: &str, radius, c| {
        let formula: Formula = text.parse().unwrap();
        formula.stays_outside(radius, c, 1e-12)
    };
    assert!(of("mandelbrot", 256.0, 4.0) && of("mandelbrot", 2.1, 2.0));
    assert!(!of("mandelbrot", 2.0, 2.0) && !of("mandelbrot", 1.0, 0.1));
    assert!(of("sqr add / pow3 add", 2.1, 2.0) && !of("sqr add / sqr add", 3.0, 9.0));
}

#[test]
fn products_are_squares_and_what_powers_are_made_of() {
    let of = |text: &str| text.parse::<Formula>().unwrap().products();
    assert_eq!(
        (of("mandelbrot"), of("multibrot-4"), of("multibrot-7")),
        (1, 2, 4)
    );
    assert_eq!(of("absx sqr mul rot 30 add / sqr add"), 4);
}
