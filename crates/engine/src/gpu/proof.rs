//! What arithmetic an adapter really has, found by small kernels on hard cases.
//!
//! WGSL promises neither exact rounding nor that double-single survives optimisation, and a driver that breaks it
//! says nothing. So an arithmetic is used only after its elementary operations and a short orbit came out right
//! on this very device.

use fractal::Arithmetic;
use shaders::layout::{DoubleOutcome, Proof, SingleOutcome, split};
use shaders::{Kernel, Program, WORKGROUP};

use super::adapters::AdapterSummary;
use super::context::{Context, Stop};
use super::delta_proof;
use super::dispatch::dispatch;
use super::timing;

/// Steps of the proof's orbits.
pub(super) const ORBIT_STEPS: u32 = 40;

/// What is known about an adapter's arithmetic beside that it passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Findings {
    /// Whether `fma` rounds once.
    pub(super) fma_fused: bool,
    /// Whether subnormal results are kept.
    pub(super) subnormals_kept: bool,
}

/// The arithmetics that passed, the fastest first; see [`order`]. The order of a software adapter is fixed.
pub(super) fn prove_and_time(context: &Context, adapter: &AdapterSummary) -> Vec<Arithmetic> {
    let (name, software) = (adapter.name.as_str(), adapter.software);
    let mut timed = Vec::new();
    for arithmetic in Arithmetic::PLAIN {
        if arithmetic == Arithmetic::F64 && !context.has_f64() {
            continue;
        }
        let result = prove(context, arithmetic).and_then(|()| timing::time(context, arithmetic));
        // A kernel that does not compile is an answer too: it must not spoil the others.
        let failure = context.failure.take();
        match (result, failure) {
            (Ok(rate), None) => {
                tracing::debug!(
                    adapter = name,
                    arithmetic = arithmetic.name(),
                    rate,
                    "arithmetic proved"
                );
                timed.push((arithmetic, rate));
            }
            (Err(reason), _) | (Ok(_), Some(reason)) => {
                tracing::warn!(
                    adapter = name,
                    arithmetic = arithmetic.name(),
                    reason,
                    "arithmetic is not offered"
                );
            }
        }
    }
    let deltas: Vec<Arithmetic> = (timed.iter())
        .flat_map(|(plain, _)| proved_deltas(context, *plain, name))
        .collect();
    let mut ordered = order_of(timed, software);
    // In the order of the numbers that they are made of.
    let made_of = |delta: &Arithmetic| match delta {
        Arithmetic::DeltaDoubleSingle => Arithmetic::DoubleSingle,
        _ => Arithmetic::F64,
    };
    for plain in ordered.clone() {
        ordered.extend(deltas.iter().filter(|delta| made_of(delta) == plain));
    }
    ordered
}

/// The arithmetics of deltas in the numbers of `plain`, which has passed, that pass too.
fn proved_deltas(context: &Context, plain: Arithmetic, adapter: &str) -> Vec<Arithmetic> {
    let candidates: &[Arithmetic] = match plain {
        _ if context.delta_layout.is_none() => &[],
        Arithmetic::DoubleSingle => &[Arithmetic::DeltaDoubleSingle],
        Arithmetic::F64 => &[Arithmetic::DeltaF64, Arithmetic::DeltaFloatexp],
        _ => &[],
    };
    let mut proved = Vec::new();
    for arithmetic in candidates.iter().copied() {
        // The same program serves both in doubles.
        let result = match proved.is_empty() {
            true => delta_proof::prove(context, arithmetic),
            false => Ok(()),
        };
        let failure = context.failure.take();
        match result.err().or(failure) {
            None => proved.push(arithmetic),
            Some(reason) => {
                let arithmetic = arithmetic.name();
                tracing::warn!(adapter, arithmetic, reason, "arithmetic is not offered");
            }
        }
    }
    proved
}

/// Plain arithmetics with their rates, the fastest first.
fn order_of(mut timed: Vec<(Arithmetic, f64)>, software: bool) -> Vec<Arithmetic> {
    if software {
        // Other programs on the same processor would decide a measured order, strip by strip of a farm. Native types are
        // about as fast as each other there, and double-single is several times slower.
        let place = |arithmetic| match arithmetic {
            Arithmetic::F64 | Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => 0,
            Arithmetic::F32 => 1,
            Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => 2,
        };
        timed.sort_by_key(|(arithmetic, _)| place(*arithmetic));
    } else {
        return order(&timed);
    }
    timed
        .into_iter()
        .map(|(arithmetic, _)| arithmetic)
        .collect()
}

/// Arithmetics of a hardware adapter by their measured rates: the more precise one first, unless a less precise one is
/// faster by a clear factor.
///
/// An order that noise decided would give a picture other bytes every time a worker starts, so each factor keeps away
/// from the ratios that devices have. Single precision is as fast as double precision in hardware or faster by a power
/// of two, 2 first of all: 1.5 lies between. Double-single costs some ten to twenty operations of single precision, which
/// is near what double precision costs on devices with few units for it, and either is fine there: 2 is more than noise.
fn order(timed: &[(Arithmetic, f64)]) -> Vec<Arithmetic> {
    let mut ordered: Vec<(Arithmetic, f64)> = Vec::new();
    for (arithmetic, factor) in [
        (Arithmetic::F64, 1.0),
        (Arithmetic::DoubleSingle, 2.0),
        (Arithmetic::F32, 1.5),
    ] {
        let Some(&(_, rate)) = timed.iter().find(|(found, _)| *found == arithmetic) else {
            continue;
        };
        // Before the slowest ones that it clearly beats, and behind the last that it does not.
        let place = (ordered.iter())
            .rposition(|(_, other)| rate < factor * other)
            .map_or(0, |last| last + 1);
        ordered.insert(place, (arithmetic, rate));
    }
    (ordered.into_iter())
        .map(|(arithmetic, _)| arithmetic)
        .collect()
}

/// Proves one arithmetic.
fn prove(context: &Context, arithmetic: Arithmetic) -> Result<(), String> {
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

/// Pairs of singles: ones that lose much to rounding, ones that cancel, and the ends of the exponent range.
fn single_cases() -> Vec<[f32; 2]> {
    let tiny = 2f32.powi(-24);
    let mut cases = vec![
        [1.0, tiny],
        [1.0, 1.5 * tiny],
        [1.0 + 2.0 * tiny, -1.0],
        [1.0, -tiny / 2.0],
        [3.0, 1.0 / 3.0],
        [16_777_215.0, 16_777_213.0],
        [-0.743_643_9, 0.131_825_9],
        [1.999_999_9, 1.999_999_9],
        [4097.0, 4095.0],
    ];
    // Significands and signs by a multiplicative congruential sequence, exponents of -20 to 20.
    let mut state = 0x9e37_79b9u32;
    let mut next = || {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let significand = 1.0 + (state >> 9) as f32 * 2f32.powi(-23);
        let sign = if state & 1 == 0 { 1.0 } else { -1.0 };
        sign * significand * 2f32.powi((state >> 1 & 0xff) as i32 % 41 - 20)
    };
    for _ in 0..200 {
        let (a, b) = (next(), next());
        cases.push([a, b]);
        // Neighbours of opposite sign: nothing but error terms is left.
        cases.push([a, -a * (1.0 + 3.0 * tiny)]);
    }
    // Last, in this order: the exponent range, and a subnormal product.
    cases.push([2f32.powi(100), 2f32.powi(20)]);
    cases.push([2f32.powi(-100), 2f32.powi(-40)]);
    cases
}

/// How many of [`single_cases`], at their end, are about the exponent range.
const RANGE_CASES: usize = 2;

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

/// Points with attracting orbits, along which errors do not grow: what is left of them is rounding.
fn orbit_cases() -> Vec<[f64; 2]> {
    // 40 bits of each survive the trip through a pair of singles.
    let rounded = |x: f64| (x * 2f64.powi(40)).round() * 2f64.powi(-40);
    [
        (-0.1, 0.65),
        (0.2, 0.3),
        (-0.5, 0.5),
        (-1.1, 0.1),
        (-0.122_561, 0.744_862),
        (-0.743, 0.01),
        (-1.31, 0.0),
    ]
    .into_iter()
    .map(|(re, im)| [rounded(re + 1e-9 / 3.0), rounded(im + 1e-9 / 7.0)])
    .collect()
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

/// Runs a program of the proof's kind over cases.
pub(super) fn run<T: bytemuck::Pod>(
    context: &Context,
    program: Option<Program>,
    cases: &[u8],
    count: usize,
    steps: u32,
) -> Result<Vec<T>, String> {
    let program = program.ok_or("there is no such proof")?;
    let pipeline = context.compile(program).map_err(Stop::reason)?;
    let params = Proof {
        zero: 0,
        count: count as u32,
        steps,
        padding: 0,
        radius2: split(65536.0),
        radius: split(256.0),
    };
    let workgroups = (count as u32).div_ceil(WORKGROUP);
    let bytes = dispatch(
        context,
        &pipeline,
        params,
        cases,
        count * size_of::<T>(),
        workgroups,
    )
    .map_err(Stop::reason)?;
    Ok(bytemuck::pod_collect_to_vec(&bytes))
}

/// The proof of the error-free transformations by any program of its kind: for negative controls.
#[cfg(test)]
pub(super) fn prove_operations_of(
    context: &Context,
    program: Option<Program>,
) -> Result<(), String> {
    let outcomes = single_outcomes(context, program)?;
    check_single(&outcomes)?;
    check_transformations(&outcomes)
}

/// The same of the orbits in double-single.
#[cfg(test)]
pub(super) fn prove_orbit_of(context: &Context, program: Option<Program>) -> Result<(), String> {
    check_orbits(
        &orbits(context, program, Arithmetic::DoubleSingle)?,
        Arithmetic::DoubleSingle,
    )
}

/// What the checks say of exact outcomes that `change` has been at.
#[cfg(test)]
pub(super) fn check_of_exact_outcomes(change: impl Fn(&mut SingleOutcome)) -> Result<(), String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_goes_first_unless_speed_differs_clearly() {
        use Arithmetic::{DoubleSingle, F32, F64};
        let ordered = |f64s, pairs, f32s| order(&[(F32, f32s), (DoubleSingle, pairs), (F64, f64s)]);
        // Few units for doubles, about as fast as pairs: whatever the noise says.
        for noise in [0.6, 0.9, 1.0, 1.1, 1.9] {
            assert_eq!(ordered(1.0, noise, 16.0), [F32, F64, DoubleSingle]);
        }
        assert_eq!(ordered(1.0, 3.0, 60.0), [F32, DoubleSingle, F64]);
        // Half as many units for doubles as for singles.
        for noise in [1.8, 2.0, 2.2] {
            assert_eq!(ordered(1.0, 0.15, noise), [F32, F64, DoubleSingle]);
        }
        // As fast.
        for noise in [0.8, 1.0, 1.2] {
            assert_eq!(ordered(1.0, 0.1, noise), [F64, F32, DoubleSingle]);
        }
        assert_eq!(
            order(&[(F32, 1.0), (DoubleSingle, 0.1)]),
            [F32, DoubleSingle]
        );
        assert_eq!(order(&[]), []);
    }
}
