//! The proof of arithmetics of deltas: short ways from a reference that stands still, of any size.
//!
//! What they are made of (see [`super::plain`]) has passed before.

use fractal::{Arithmetic, ComplexExp, FloatExp};
use shaders::layout::{DeltaOutcome, split};
use shaders::{Kernel, Program};

use super::cases::ORBIT_STEPS;
use super::run::run;
use crate::gpu::session::context::Context;

/// One way: z' = (2 Z + z) z + c from 0.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// The fixed Z; it draws nearer for |Z| below a half, and pushes away above.
    fixed: [f64; 2],
    /// c in units of 2^`exponent`.
    c: [f64; 2],
    exponent: i32,
}

/// Ways that stay within the range of single or double precision, that begin far below, and that leave one for the
/// other.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // 40 bits of each survive the trip through a pair of singles.
    let rounded = |x: f64| (x * 2f64.powi(40)).round() * 2f64.powi(-40);
    for (fixed, exponents) in [
        ([0.3, 0.2], [-3, -30, -61, -130, -480, -3000]),
        // 40 steps make it 2^39 times larger.
        ([0.9, -0.4], [-50, -80, -100, -149, -490, -30_000]),
        ([-0.37, 0.61], [-20, -70, -98, -160, -470, -9000]),
    ] {
        for exponent in exponents {
            for c in [[0.71 / 3.0, -0.43 / 7.0], [-1e-3, 1.9]] {
                cases.push(Case {
                    fixed: fixed.map(rounded),
                    c: c.map(rounded),
                    exponent,
                });
            }
        }
    }
    cases
}

/// Where a way leads, on the host.
fn end_of(case: &Case) -> ComplexExp {
    let part = |x: f64| FloatExp::new(x, i64::from(case.exponent));
    let c = ComplexExp::new(part(case.c[0]), part(case.c[1]));
    let twice = ComplexExp::from_f64(2.0 * case.fixed[0], 2.0 * case.fixed[1]);
    let mut z = ComplexExp::ZERO;
    for _ in 0..ORBIT_STEPS {
        z = (twice + z) * z + c;
    }
    z
}

/// Proves one arithmetic of deltas.
pub(super) fn prove(context: &Context, arithmetic: Arithmetic) -> Result<(), String> {
    let cases = cases();
    let mut bytes = Vec::new();
    for case in &cases {
        for x in case.fixed.iter().chain(&case.c) {
            match arithmetic {
                Arithmetic::DeltaDoubleSingle => {
                    bytes.extend_from_slice(bytemuck::bytes_of(&split(*x)));
                }
                _ => bytes.extend_from_slice(&x.to_ne_bytes()),
            }
        }
        bytes.extend_from_slice(bytemuck::bytes_of(&[case.exponent, 0]));
    }
    let program = Program::new(Kernel::ProveOrbit, arithmetic);
    let ends: Vec<DeltaOutcome> = run(context, program, &bytes, cases.len(), ORBIT_STEPS)?;
    check(&ends, arithmetic)
}

fn check(ends: &[DeltaOutcome], arithmetic: Arithmetic) -> Result<(), String> {
    let allowed_log2 = match arithmetic {
        Arithmetic::DeltaDoubleSingle => -38.0,
        // What the outcome holds of a double.
        _ => -42.0,
    };
    for (case, end) in cases().iter().zip(ends) {
        let whole = |at: usize| f64::from(end.value[at]) + f64::from(end.value[at + 1]);
        let part = |at: usize| FloatExp::new(whole(at), i64::from(end.exponent));
        let exact = end_of(case);
        let error = (ComplexExp::new(part(0), part(2)) - exact).abs() / exact.abs();
        let error_log2 = error.log2();
        if error_log2.is_nan() || error_log2 > allowed_log2 {
            return Err(format!(
                "a delta from {:?} with c near 2^{} is off by 2^{:.0} of itself",
                case.fixed, case.exponent, error_log2
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exact outcomes, as a device would give them.
    fn exact() -> Vec<DeltaOutcome> {
        let outcome = |case: &Case| {
            let z = end_of(case);
            let exponent = z.re.exponent().max(z.im.exponent());
            let ([re, re_low], [im, im_low]) =
                (split(z.re.scaled(exponent)), split(z.im.scaled(exponent)));
            DeltaOutcome {
                value: [re, re_low, im, im_low],
                exponent: exponent as i32,
                padding: [0; 3],
            }
        };
        cases().iter().map(outcome).collect()
    }

    #[test]
    fn what_is_slightly_wrong_is_refused() {
        for arithmetic in Arithmetic::DELTA {
            assert_eq!(check(&exact(), arithmetic), Ok(()));
            let refused = |change: fn(&mut DeltaOutcome)| {
                for at in 0..cases().len() {
                    let mut ends = exact();
                    change(&mut ends[at]);
                    assert!(check(&ends, arithmetic).is_err(), "case {at}");
                }
            };
            refused(|end| end.exponent += 1);
            refused(|end| (end.value[1], end.value[3]) = (0.0, 0.0));
            refused(|end| end.value[0] = f32::NAN);
        }
    }
}
