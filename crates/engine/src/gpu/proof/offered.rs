//! Which arithmetics a device offers: those that pass their proof, in order of speed and precision.

use fractal::Arithmetic;

use super::{deltas, plain, timing};
use crate::gpu::adapters::AdapterSummary;
use crate::gpu::session::context::Context;
use crate::gpu::workspace::Workspace;

/// The arithmetics that passed, the fastest first; see [`order`]. The order of a software adapter is fixed.
pub(in crate::gpu) fn prove_and_time(
    workspace: &Workspace,
    adapter: &AdapterSummary,
) -> Vec<Arithmetic> {
    let context = &workspace.context;
    let (name, software) = (adapter.name.as_str(), adapter.software);
    let mut timed = Vec::new();
    for arithmetic in Arithmetic::PLAIN {
        if arithmetic == Arithmetic::F64 && !context.has_f64() {
            continue;
        }
        let result =
            plain::prove(context, arithmetic).and_then(|()| timing::time(workspace, arithmetic));
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
    let proved: Vec<Arithmetic> = (timed.iter())
        .flat_map(|(plain, _)| proved_deltas(context, *plain, name))
        .collect();
    let mut ordered = order_of(timed, software);
    // In the order of the numbers that they are made of.
    let made_of = |delta: &Arithmetic| match delta {
        Arithmetic::DeltaDoubleSingle => Arithmetic::DoubleSingle,
        _ => Arithmetic::F64,
    };
    for plain in ordered.clone() {
        ordered.extend(proved.iter().filter(|delta| made_of(delta) == plain));
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
            true => deltas::prove(context, arithmetic),
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
