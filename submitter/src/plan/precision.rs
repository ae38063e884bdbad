//! How exactly a view has to be computed: plainly or by deltas, in which number type, and what to warn of.

use fractal::frame::ProcessorsAlone;
use fractal::{Arithmetic, BackendChoice, FrameSpec};
use serde::Serialize;

use crate::cli::ArithmeticArg;
use crate::plan::PlanError;

/// How pixels are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ArithmeticPlan {
    /// As deltas from a reference orbit, or plainly.
    pub deltas: bool,
    /// In this number type and no other; in whichever is exact enough when `None`.
    pub only: Option<Arithmetic>,
    /// Plainly only if samples of the view agree with deltas: see [`engine::check`].
    pub checked: bool,
}

/// log2 of the longer side from which on plain doubles are as exact as deltas, which are no better than c in doubles:
/// nothing is to be compared there (`docs/precision.md`).
const SURE_EXTENT_LOG2: f64 = -12.0;

/// How the pixels of a frame are computed: plainly as long as doubles are exact enough for the view.
pub(super) fn arithmetic(
    frame: &FrameSpec,
    wanted: ArithmeticArg,
    backend: BackendChoice,
) -> Result<ArithmeticPlan, PlanError> {
    // Plain kernels count in 32 bits.
    let long = frame.short_limit().is_none();
    if long && (frame.z0 != (0.0, 0.0) || wanted.only().is_some_and(|only| !only.is_delta())) {
        return Err(PlanError::LongCounts(frame.iterations));
    }
    let Some(only) = wanted.only() else {
        let can = frame.z0 == (0.0, 0.0);
        let deltas = can && (long || !is_plainly_exact(frame));
        let extent = frame.extent_log2();
        return Ok(ArithmeticPlan {
            deltas,
            only: None,
            checked: can && !deltas && extent.is_finite() && extent < SURE_EXTENT_LOG2,
        });
    };
    let on_adapters = matches!(
        only,
        Arithmetic::F32 | Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle
    );
    if on_adapters && backend == BackendChoice::Cpu {
        return Err(PlanError::NotOnCpu(only.name()));
    }
    if only.is_delta() && frame.z0 != (0.0, 0.0) {
        return Err(PlanError::Start(only.name()));
    }
    if only.is_delta() && backend == BackendChoice::Cpu {
        let own = Arithmetic::delta_of_processors(frame.spacing_log2());
        if own != only {
            return Err(PlanError::OtherDelta(only.name(), own.name()));
        }
    }
    Ok(ArithmeticPlan {
        deltas: only.is_delta(),
        only: Some(only),
        checked: false,
    })
}

/// Which kinds of device may compute a frame, where `wanted` was asked for, and what is to be said of it: some values are
/// the processors' alone, and such a job is theirs from the start, on any machine.
pub(super) fn backend(
    frame: &FrameSpec,
    wanted: BackendChoice,
) -> Result<(BackendChoice, Option<String>), PlanError> {
    let what = match frame.processors_alone() {
        None => return Ok((wanted, None)),
        Some(ProcessorsAlone::LongCounts) => "counts beyond 32 bits",
        Some(ProcessorsAlone::Angles) => "angles (T, DEX and DEY; phase, direction)",
        Some(ProcessorsAlone::StretchedDistances) => "distances of a stretched view",
    };
    match wanted {
        BackendChoice::Gpu => Err(PlanError::NotOnAdapters(what)),
        BackendChoice::Cpu => Ok((wanted, None)),
        BackendChoice::Auto => {
            let said = format!("{what} are computed by processors alone: no adapter takes part");
            Ok((BackendChoice::Cpu, Some(said)))
        }
    }
}

/// Whether plain doubles are exact enough for a view.
fn is_plainly_exact(frame: &FrameSpec) -> bool {
    // A single sample has no extent.
    let extent = Some(frame.extent_log2()).filter(|extent| extent.is_finite());
    extent.is_none_or(|extent| Arithmetic::F64.is_exact_for(extent, frame.spacing_log2()))
}

/// Whether all of a view lies outside the circle of radius 2 around 0, which holds the whole set.
fn lies_outside(frame: &FrameSpec) -> bool {
    if let Some(axes) = frame.turned_axes() {
        let last = |axis: &fractal::Axis| axis.len() - 1;
        let corner = |col: u32, row: u32| {
            [0, 1].map(|part| axes.columns[part].at(col) + axes.rows[part].at(row))
        };
        let (col, row) = (last(&axes.columns[0]), last(&axes.rows[0]));
        let [a, b] = [corner(0, 0), corner(col, row)];
        let [c, d] = [corner(col, 0), corner(0, row)];
        let apart = |p: [f64; 2], q: [f64; 2]| (p[0] - q[0]).hypot(p[1] - q[1]) / 2.0;
        // No sample is farther from the middle than the farthest corner.
        let middle = (a[0] + b[0]).hypot(a[1] + b[1]) / 2.0;
        return middle - apart(a, b).max(apart(c, d)) > 2.0;
    }
    let (x, y) = frame.axes();
    // The nearest sample, part by part.
    let nearest = |axis: &fractal::Axis| {
        let (first, last) = (axis.at(0), axis.at(axis.len() - 1));
        if first * last <= 0.0 {
            0.0
        } else {
            first.abs().min(last.abs())
        }
    };
    nearest(&x).hypot(nearest(&y)) > 2.0
}

/// What the user should know of a view before it is computed.
pub(super) fn warnings(frame: &FrameSpec, wanted: ArithmeticArg) -> Vec<String> {
    let spacing = frame.spacing_log2();
    let mut warnings = Vec::new();
    let plainly = match wanted.only() {
        None => frame.z0 != (0.0, 0.0),
        Some(only) => !only.is_delta(),
    };
    if let Some(missing) = frame.view.missing_digits() {
        let needed = frame.view.digits_needed();
        warnings.push(format!(
            "the coordinates have {missing} digits too few: a view as deep as this needs {needed} after the point, and may show another place"
        ));
    }
    if lies_outside(frame) {
        warnings.push(
            "the view lies outside the circle of radius 2, where everything escapes at once"
                .to_owned(),
        );
    }
    if !plainly {
        return warnings;
    }
    if spacing < Arithmetic::F64.drawable_spacing_log2() {
        warnings.push(format!(
            "pixels are 2^{spacing:.0} apart, too close for double precision to tell them from each other: the picture will show blocks"
        ));
    } else if !is_plainly_exact(frame) {
        warnings.push(format!(
            "the view is 2^{:.0} wide; below 2^{:.0} plain double precision miscounts some pixels",
            frame.extent_log2(),
            Arithmetic::F64.exact_extent_log2()
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::planned;

    #[test]
    fn too_deep_views_are_warned_of() {
        let at = |zoom: &str| {
            planned(&format!("--re 0 --im 0 --size 256x256 --zoom {zoom}"))
                .unwrap()
                .warnings
        };
        assert!(at("1e4").is_empty());
        assert!(at("1e8 --arithmetic f64")[0].contains("miscounts"));
        assert!(at("1e20 --arithmetic f64")[0].contains("blocks"));
        assert!(at("1e20 --z0 0.5 0")[0].contains("blocks"));
        // Deltas have no such trouble.
        assert!(at("1e8").is_empty() && at("1e20").is_empty());
    }

    #[test]
    fn deltas_are_for_views_that_doubles_miss() {
        let of = |line: &str| {
            let line = format!("--re 0 --im 0 --size 256x256 {line}");
            planned(&line).map(|plan| (plan.arithmetic.deltas, plan.arithmetic.only))
        };
        assert_eq!(of("--zoom 1e4").unwrap(), (false, None));
        assert_eq!(of("--zoom 1e6").unwrap(), (true, None));
        let checked = |line: &str| {
            let line = format!("--re 0 --im 0 --size 256x256 {line}");
            planned(&line).map(|plan| plan.arithmetic.checked)
        };
        assert!(checked("--zoom 3e4").unwrap());
        for unchecked in [
            "--zoom 2",
            "--zoom 400",
            "--zoom 1e6",
            "--zoom 3e4 --arithmetic f64",
            "--zoom 3e4 --z0 1 0",
        ] {
            assert!(!checked(unchecked).unwrap(), "{unchecked}");
        }
        let f64 = Some(Arithmetic::F64);
        assert_eq!(of("--zoom 1e6 --arithmetic f64").unwrap(), (false, f64));
        let deltas = Some(Arithmetic::DeltaF64);
        assert_eq!(
            of("--zoom 2 --arithmetic delta-f64").unwrap(),
            (true, deltas)
        );
        assert_eq!(of("--zoom 1e6 --z0 1 0").unwrap(), (false, None));
        assert!(of("--zoom 1e6 --z0 1 0 --arithmetic delta-f64").is_err());
        assert!(of("--zoom 2 --backend cpu --arithmetic f32").is_err());
    }
}
