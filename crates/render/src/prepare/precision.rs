//! How exactly a view has to be computed: plainly or by deltas, in which number type, and what to warn of.

use fractal::frame::ProcessorsAlone;
use fractal::{Arithmetic, BackendChoice, Counts, FrameSpec};

use crate::plan::ArithmeticPlan;

/// Why a view cannot be computed as it was asked for, in one line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PrecisionError {
    /// Deltas start where the reference orbit does.
    #[error("--arithmetic {0} computes orbits that start at 0, and --z0 says otherwise")]
    Start(&'static str),
    /// Only deltas are counted in more than 32 bits.
    #[error(
        "--iterations {0} needs counts of 64 bits, which deltas from a reference orbit have: not with a plain --arithmetic"
    )]
    LongCounts(u64),
    /// Processors choose between the two by the size of a pixel.
    #[error("--arithmetic {0}: processors compute this view in {1}")]
    OtherDelta(&'static str, &'static str),
    /// Formulas other than z² + c are computed in one number type, by the depth of the view.
    #[error("--arithmetic {0}: this view of this formula is computed in {1}")]
    OfFormula(&'static str, &'static str),
    /// Counts are settled in doubles, and in longer numbers where these do not suffice.
    #[error("settled counts of this view are made in {1}: not with --arithmetic {0}")]
    NotSettled(&'static str, String),
    /// No adapter computes it.
    #[error("{0} are computed by processors alone: not with --backend gpu")]
    NotOnAdapters(&'static str),
    /// No processor has it.
    #[error("--arithmetic {0} is for adapters: not with --backend cpu")]
    NotOnCpu(&'static str),
}

/// log2 of the longer side from which on plain doubles are as exact as deltas, which are no better than c in doubles:
/// nothing is to be compared there (`docs/precision.md`).
const SURE_EXTENT_LOG2: f64 = -12.0;

/// How the pixels of a frame are computed: in `only` where it is given, else plainly as long as doubles are exact enough for
/// the view.
///
/// # Errors
/// When the number type that was asked for cannot be.
pub fn arithmetic(
    frame: &FrameSpec,
    only: Option<Arithmetic>,
    backend: BackendChoice,
) -> Result<ArithmeticPlan, PrecisionError> {
    if frame.is_general() {
        return general(frame, only, backend);
    }
    if frame.counts == Counts::Settled {
        return settled(frame, only);
    }
    // Plain kernels count in 32 bits.
    let long = frame.short_limit().is_none();
    if long && only.is_some_and(|only| !only.is_delta()) {
        return Err(PrecisionError::LongCounts(frame.iterations));
    }
    let Some(only) = only else {
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
        return Err(PrecisionError::NotOnCpu(only.name()));
    }
    if only.is_delta() && frame.z0 != (0.0, 0.0) {
        return Err(PrecisionError::Start(only.name()));
    }
    if only.is_delta() && backend == BackendChoice::Cpu {
        let own = Arithmetic::delta_of_processors(frame.spacing_log2());
        if own != only {
            return Err(PrecisionError::OtherDelta(only.name(), own.name()));
        }
    }
    Ok(ArithmeticPlan {
        deltas: only.is_delta(),
        only: Some(only),
        checked: false,
    })
}

/// log2 of the smallest distance of samples at which plain doubles settle counts: beyond it most pixels would go again.
const SETTLED_PLAIN_LOG2: f64 = -44.0;
/// log2 of the distance of samples from which on deltas are the better ones where counts have to be certain: an error of a
/// double's rounding is a smaller share of a delta.
const SETTLED_DELTAS_LOG2: f64 = -26.0;

/// How a frame of another formula is computed: workers make its reference orbits themselves.
fn general(
    frame: &FrameSpec,
    only: Option<Arithmetic>,
    backend: BackendChoice,
) -> Result<ArithmeticPlan, PrecisionError> {
    let own = frame.general_arithmetic();
    let adapters = frame.processors_alone().is_none();
    let of_adapters = |only: Arithmetic| adapters && !only.is_delta();
    match only.filter(|only| *only != own) {
        Some(other) if of_adapters(other) && backend == BackendChoice::Cpu => {
            Err(PrecisionError::NotOnCpu(other.name()))
        }
        Some(other) if of_adapters(other) => Ok(ArithmeticPlan {
            deltas: false,
            only,
            checked: false,
        }),
        Some(other) => Err(PrecisionError::OfFormula(other.name(), own.name())),
        None => Ok(ArithmeticPlan {
            deltas: false,
            only,
            checked: false,
        }),
    }
}

/// How a frame is computed whose counts are settled: plainly in doubles, or by deltas where more pixels would have to go again.
fn settled(frame: &FrameSpec, only: Option<Arithmetic>) -> Result<ArithmeticPlan, PrecisionError> {
    let spacing = frame.spacing_log2();
    let can = frame.z0 == (0.0, 0.0);
    let must = frame.short_limit().is_none() || spacing < SETTLED_PLAIN_LOG2;
    let own = Arithmetic::delta_of_processors(spacing);
    let deltas = match only {
        None => can && (must || spacing < SETTLED_DELTAS_LOG2),
        Some(Arithmetic::F64) if !must => false,
        Some(only) if can && only == own => true,
        Some(only) => {
            let possible = match (must, can) {
                (true, _) => own.name().to_owned(),
                (false, true) => format!("{} or in {}", Arithmetic::F64.name(), own.name()),
                (false, false) => Arithmetic::F64.name().to_owned(),
            };
            return Err(PrecisionError::NotSettled(only.name(), possible));
        }
    };
    Ok(ArithmeticPlan {
        deltas,
        only,
        checked: false,
    })
}

/// Which kinds of device may compute a frame, where `wanted` was asked for, and what is to be said of it: some values are
/// the processors' alone, and such a job is theirs from the start, on any machine.
///
/// # Errors
/// When adapters alone were asked for, and do not have it.
pub fn backend(
    frame: &FrameSpec,
    wanted: BackendChoice,
) -> Result<(BackendChoice, Option<String>), PrecisionError> {
    let what = match frame.processors_alone() {
        None => return Ok((wanted, None)),
        Some(ProcessorsAlone::DeepFormulas) => {
            "deep views of Julia sets, of formulas other than z² + c, and from a --z0"
        }
        Some(ProcessorsAlone::LargeFormulas) => {
            "formulas of so many operations, or of so high a degree with this escape radius,"
        }
        Some(ProcessorsAlone::SettledCounts) => "settled counts",
        Some(ProcessorsAlone::LongCounts) => "counts beyond 32 bits",
        Some(ProcessorsAlone::Angles) => "angles (T, DEX and DEY; phase, direction)",
        Some(ProcessorsAlone::StretchedDistances) => "distances of a stretched view",
    };
    match wanted {
        BackendChoice::Gpu => Err(PrecisionError::NotOnAdapters(what)),
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
#[must_use]
pub fn warnings(frame: &FrameSpec, only: Option<Arithmetic>) -> Vec<String> {
    let spacing = frame.spacing_log2();
    let mut warnings = Vec::new();
    if let Some(c) = &frame.julia {
        let [re, im] = [&c[0], &c[1]].map(fractal::Decimal::to_f64);
        if re.hypot(im) > frame.escape_radius {
            warnings.push(
                "the c of this Julia set lies outside the escape radius: all of it escapes"
                    .to_owned(),
            );
        }
    }
    let plainly = match only {
        _ if frame.is_general() => false,
        None => frame.z0 != (0.0, 0.0),
        Some(only) => !only.is_delta(),
    };
    if let Some(missing) = frame.view.missing_digits() {
        let needed = frame.view.digits_needed();
        warnings.push(format!(
            "the coordinates have {missing} digits too few: a view as deep as this needs {needed} after the point, and may show another place"
        ));
    }
    if frame.formula.is_mandelbrot() && frame.julia.is_none() && lies_outside(frame) {
        warnings.push(
            "the view lies outside the circle of radius 2, where everything escapes at once"
                .to_owned(),
        );
    }
    // What rounding miscounts is settled.
    if !plainly || frame.counts == Counts::Settled {
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
    use crate::tests::plans::plan_at;

    fn frame(zoom: &str) -> FrameSpec {
        let frame = plan_at("0", "0", zoom).frame;
        FrameSpec {
            width: 256,
            height: 256,
            ..frame
        }
    }

    fn with_start(frame: FrameSpec) -> FrameSpec {
        FrameSpec {
            z0: (1.0, 0.0),
            ..frame
        }
    }

    #[test]
    fn too_deep_views_are_warned_of() {
        let at = |zoom: &str, only| warnings(&frame(zoom), only);
        let f64 = Some(Arithmetic::F64);
        assert!(at("1e4", None).is_empty());
        assert!(at("1e8", f64)[0].contains("miscounts"));
        assert!(at("1e20", f64)[0].contains("blocks"));
        // Deltas have no such trouble.
        assert!(at("1e8", None).is_empty() && at("1e20", None).is_empty());
    }

    #[test]
    fn settled_counts_are_made_by_processors_in_doubles_or_deltas() {
        let settled = |zoom: &str| FrameSpec {
            counts: Counts::Settled,
            ..frame(zoom)
        };
        let of = |frame: FrameSpec, only| arithmetic(&frame, only, BackendChoice::Cpu);
        let (f64, delta) = (Some(Arithmetic::F64), Some(Arithmetic::DeltaF64));
        for (zoom, only, deltas) in [
            ("2", None, false),
            // Where samples would decide.
            ("3e4", None, false),
            ("1e11", None, true),
            ("1e11", f64, false),
            ("2", delta, true),
            ("1e300", None, true),
        ] {
            let plan = of(settled(zoom), only).unwrap();
            assert_eq!(
                (plan.deltas, plan.only, plan.checked),
                (deltas, only, false)
            );
            assert!(warnings(&settled(zoom), only).is_empty());
        }
        // Orbits that begin elsewhere are no deltas.
        assert!(!of(with_start(settled("1e11")), None).unwrap().deltas);
        for (zoom, only, said) in [
            ("2", Arithmetic::F32, "f64 or in delta-f64"),
            ("1e20", Arithmetic::F64, "delta-f64"),
            ("1e400", Arithmetic::DeltaF64, "delta-floatexp"),
        ] {
            let refused = of(settled(zoom), Some(only)).unwrap_err();
            let name = only.name();
            assert_eq!(
                refused.to_string(),
                format!(
                    "settled counts of this view are made in {said}: not with --arithmetic {name}"
                )
            );
        }
        let refused = backend(&settled("2"), BackendChoice::Gpu).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "settled counts are computed by processors alone: not with --backend gpu"
        );
        let (chosen, said) = backend(&settled("2"), BackendChoice::Auto).unwrap();
        assert_eq!(chosen, BackendChoice::Cpu);
        assert!(said.is_some());
    }

    #[test]
    fn deltas_are_for_views_that_doubles_miss() {
        let of = |frame: FrameSpec, only| {
            let plan = arithmetic(&frame, only, BackendChoice::Auto);
            plan.map(|plan| (plan.deltas, plan.only, plan.checked))
        };
        let (f64, deltas) = (Some(Arithmetic::F64), Some(Arithmetic::DeltaF64));
        assert_eq!(of(frame("1e4"), None).unwrap(), (false, None, false));
        assert_eq!(of(frame("1e6"), None).unwrap(), (true, None, false));
        for zoom in ["2", "400"] {
            assert_eq!(of(frame(zoom), None).unwrap(), (false, None, false));
        }
        assert_eq!(of(frame("3e4"), None).unwrap(), (false, None, true));
        assert_eq!(of(frame("3e4"), f64).unwrap(), (false, f64, false));
        assert_eq!(of(frame("2"), deltas).unwrap(), (true, deltas, false));
        // Which formulas' kernels compute.
        assert_eq!(
            of(with_start(frame("1e20")), None).unwrap(),
            (false, None, false)
        );
        let start = || with_start(frame("1e6"));
        assert_eq!(of(start(), None).unwrap(), (false, None, false));
        assert!(of(start(), deltas).is_err());
        let single = Some(Arithmetic::F32);
        assert!(arithmetic(&frame("2"), single, BackendChoice::Cpu).is_err());
    }

    #[test]
    fn plain_views_of_formulas_are_for_adapters_too() {
        let of = |formula: &str, zoom: &str| FrameSpec {
            formula: formula.parse().unwrap(),
            ..frame(zoom)
        };
        let ship = || of("burning-ship", "2");
        for choice in BackendChoice::ALL {
            assert_eq!(backend(&ship(), choice), Ok((choice, None)));
        }
        let large = format!("{}sqr add", "pow32 add / ".repeat(7));
        let high = "pow16 add";
        for (spec, said) in [
            (of("burning-ship", "1e9"), "deep views of Julia sets"),
            (of(&large, "2"), "formulas of so many operations"),
            (of(high, "2"), "so high a degree with this escape radius"),
        ] {
            let refused = backend(&spec, BackendChoice::Gpu).unwrap_err();
            assert!(refused.to_string().contains(said), "{refused}");
            let (chosen, warning) = backend(&spec, BackendChoice::Auto).unwrap();
            assert_eq!(chosen, BackendChoice::Cpu);
            assert!(warning.is_some_and(|text| text.contains(said)));
        }
        let small_radius = FrameSpec {
            escape_radius: 16.0,
            ..of(high, "2")
        };
        assert!(backend(&small_radius, BackendChoice::Gpu).is_ok());
        // A number type of adapters is theirs.
        let of_type = |frame: &FrameSpec, only, backend| arithmetic(frame, Some(only), backend);
        let (single, double) = (Arithmetic::F32, Arithmetic::F64);
        assert!(of_type(&ship(), single, BackendChoice::Auto).is_ok());
        assert!(of_type(&ship(), double, BackendChoice::Cpu).is_ok());
        let refused = of_type(&ship(), single, BackendChoice::Cpu);
        assert_eq!(refused.err(), Some(PrecisionError::NotOnCpu("f32")));
        for (zoom, only) in [
            ("2", Arithmetic::DeltaF64),
            ("1e9", single),
            ("1e9", double),
        ] {
            let refused = of_type(&of("burning-ship", zoom), only, BackendChoice::Auto);
            assert!(
                matches!(refused, Err(PrecisionError::OfFormula(..))),
                "{zoom}"
            );
        }
    }
}
