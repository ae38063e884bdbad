//! Proves the arithmetics of plain iteration: their elementary operations and a short orbit.

use fractal::Arithmetic;
use shaders::layout::{DoubleOutcome, SingleOutcome, split};
use shaders::{Kernel, Program};

use super::cases::{ORBIT_STEPS, RANGE_CASES, orbit_cases, single_cases};
use super::run::run;
use crate::gpu::session::context::Context;

/// What is known about an adapter's arithmetic beside that it passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Findings {
    /// Whether `fma` rounds once.
    pub(super) fma_fused: bool,
    /// Whether subnormal results are kept.
    pub(super) subnormals_kept: bool,
}

/// Proves one arithmetic.
pub(super) fn prove(context: &Context, arithmetic: Arithmetic) -> Result<(), String> {
    match arithmetic {
        Arithmetic::F32 | Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => {
            let program = Program::new(Kernel::ProveOperations, Arithmetic::DoubleSingle);
            let outcomes = single_outcomes(context, program)?;
            let findings = check_single(&outcomes)?;
            tracing::debug!(?findings, "single precision");
            if arithmetic == Arithmetic::DoubleSingle {
                check_transformations(&outcomes)?;
            }
        }
        Arithmetic::F64 | Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => {
            check_double(context)?;
        }
    }
    let orbits = orbits(
        context,
        Program::new(Kernel::ProveOrbit, arithmetic),
        arithmetic,
    )?;
    check_orbits(&orbits, arithmetic)
}

fn single_outcomes(
    context: &Context,
    program: Option<Program>,
) -> Result<Vec<SingleOutcome>, String> {
    let cases = single_cases();
    run(
        context,
        program,
        bytemuck::cast_slice(&cases),
        cases.len(),
        0,
    )
}

/// Checks plain operations of single precision.
fn check_single(outcomes: &[SingleOutcome]) -> Result<Findings, String> {
    let cases = single_cases();
    let mut fma_fused = true;
    for ([a, b], outcome) in cases.iter().zip(outcomes).take(cases.len() - RANGE_CASES) {
        near(
            "the sum",
            *a,
            *b,
            f64::from(outcome.sum[0]),
            f64::from(*a) + f64::from(*b),
            22,
        )?;
        let product = f64::from(*a) * f64::from(*b);
        near(
            "the product",
            *a,
            *b,
            f64::from(outcome.plain_product),
            product,
            22,
        )?;
        fma_fused &= f64::from(outcome.fused) == product - f64::from(a * b);
    }
    let [large, small] = [cases.len() - 2, cases.len() - 1]
        .map(|at| outcomes.get(at).map_or(0.0, |o| o.plain_product));
    if large != 2f32.powi(120) {
        return Err(format!(
            "2^100 times 2^20 is {large:e}: the exponent range is short"
        ));
    }
    Ok(Findings {
        fma_fused,
        subnormals_kept: small == 2f32.powi(-140),
    })
}

/// Checks that sums and products of pairs keep what rounding takes.
fn check_transformations(outcomes: &[SingleOutcome]) -> Result<(), String> {
    let cases = single_cases();
    for ([a, b], outcome) in cases.iter().zip(outcomes).take(cases.len() - RANGE_CASES) {
        let (wide_a, wide_b) = (f64::from(*a), f64::from(*b));
        let whole = |pair: [f32; 2]| f64::from(pair[0]) + f64::from(pair[1]);
        near("two-sum", *a, *b, whole(outcome.sum), wide_a + wide_b, 46)?;
        near(
            "quick two-sum",
            *a,
            *b,
            whole(outcome.quick_sum),
            wide_a + wide_b,
            46,
        )?;
        near(
            "two-prod",
            *a,
            *b,
            whole(outcome.product),
            wide_a * wide_b,
            46,
        )?;
    }
    Ok(())
}

/// Checks operations of double precision.
fn check_double(context: &Context) -> Result<(), String> {
    let mut cases: Vec<[f64; 2]> = single_cases()
        .into_iter()
        .map(|[a, b]| [f64::from(a) * (1.0 + 1e-9), f64::from(b) * (1.0 - 3e-10)])
        .collect();
    cases.push([1e200, 1e100]);
    cases.push([1.0, 2f64.powi(-52)]);
    let program = Program::new(Kernel::ProveOperations, Arithmetic::F64);
    let outcomes: Vec<DoubleOutcome> = run(
        context,
        program,
        bytemuck::cast_slice(&cases),
        cases.len(),
        0,
    )?;
    for ([a, b], outcome) in cases.iter().zip(&outcomes) {
        near("the sum", *a, *b, outcome.sum, a + b, 51)?;
        near("the product", *a, *b, outcome.product, a * b, 51)?;
        let unfused = 0.0;
        if outcome.fused != unfused && outcome.fused != a.mul_add(*b, -outcome.product) {
            return Err(format!(
                "fma of {a:e} and {b:e} is off by {:e}",
                outcome.fused
            ));
        }
    }
    Ok(())
}

fn orbits(
    context: &Context,
    program: Option<Program>,
    arithmetic: Arithmetic,
) -> Result<Vec<[f32; 4]>, String> {
    let cases = orbit_cases();
    let bytes: Vec<u8> = match arithmetic {
        Arithmetic::F64 | Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => {
            bytemuck::cast_slice(&cases).to_vec()
        }
        Arithmetic::F32 | Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => cases
            .iter()
            .flatten()
            .flat_map(|x| bytemuck::cast::<_, [u8; 8]>(split(*x)))
            .collect(),
    };
    run(context, program, &bytes, cases.len(), ORBIT_STEPS)
}

fn check_orbits(ends: &[[f32; 4]], arithmetic: Arithmetic) -> Result<(), String> {
    let bits = match arithmetic {
        Arithmetic::F32 => 14,
        Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => 38,
        Arithmetic::F64 | Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => 44,
    };
    for ([cx, cy], end) in orbit_cases().iter().zip(ends) {
        // What single precision is given of the point.
        let single = |x: f64| f64::from(x as f32);
        let (cx, cy) = if arithmetic == Arithmetic::F32 {
            (single(*cx), single(*cy))
        } else {
            (*cx, *cy)
        };
        let (mut x, mut y) = (0.0f64, 0.0f64);
        for _ in 0..ORBIT_STEPS {
            (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
        }
        let whole = |high: f32, low: f32| f64::from(high) + f64::from(low);
        let error = (whole(end[0], end[1]) - x).hypot(whole(end[2], end[3]) - y);
        if error.is_nan() || error > 2f64.powi(-bits) {
            return Err(format!(
                "an orbit of {cx} {cy:+}i is off by {error:.1e} after {ORBIT_STEPS} steps"
            ));
        }
    }
    Ok(())
}

/// Fails unless `found` is `exact` to `bits` bits.
fn near<T: std::fmt::LowerExp>(
    what: &str,
    a: T,
    b: T,
    found: f64,
    exact: f64,
    bits: i32,
) -> Result<(), String> {
    // Not `>`, so that NaN fails.
    if (found - exact).abs() <= exact.abs() * 2f64.powi(-bits) {
        Ok(())
    } else {
        Err(format!(
            "{what} of {a:e} and {b:e} is {found:e} instead of {exact:e}"
        ))
    }
}

/// The proof of the error-free transformations by any program of its kind: for negative controls.
#[cfg(test)]
pub(in crate::gpu) fn prove_operations_of(
    context: &Context,
    program: Option<Program>,
) -> Result<(), String> {
    let outcomes = single_outcomes(context, program)?;
    check_single(&outcomes)?;
    check_transformations(&outcomes)
}

/// The same of the orbits in double-single.
#[cfg(test)]
pub(in crate::gpu) fn prove_orbit_of(
    context: &Context,
    program: Option<Program>,
) -> Result<(), String> {
    check_orbits(
        &orbits(context, program, Arithmetic::DoubleSingle)?,
        Arithmetic::DoubleSingle,
    )
}

/// The result of the checks for exact outcomes changed by `change`.
#[cfg(test)]
pub(in crate::gpu) fn check_of_exact_outcomes(
    change: impl Fn(&mut SingleOutcome),
) -> Result<(), String> {
    let outcomes: Vec<SingleOutcome> = single_cases()
        .into_iter()
        .map(|[a, b]| {
            let pair = |exact: f64| [exact as f32, (exact - f64::from(exact as f32)) as f32];
            let (sum, product) = (
                pair(f64::from(a) + f64::from(b)),
                pair(f64::from(a) * f64::from(b)),
            );
            let mut outcome = SingleOutcome {
                sum,
                quick_sum: sum,
                product,
                plain_product: product[0],
                fused: product[1],
            };
            change(&mut outcome);
            outcome
        })
        .collect();
    check_single(&outcomes)?;
    check_transformations(&outcomes)
}
