//! `submitter plan`: what a render would do, without doing any of it.

use engine::check;
use fractal::reference::ReferencePoint;
use fractal::{Arithmetic, Transform, View};
use serde::Serialize;

use crate::fallback::Decision;
use crate::placing::Placed;
use crate::plan::{ArithmeticPlan, Place};

/// Bytes of memory for each value of a reference orbit, with all that is made of it.
const BYTES_PER_VALUE: u64 = 64;

/// A plan, for programs.
#[derive(Debug, Serialize)]
pub struct DryRun {
    view: View,
    #[serde(skip_serializing_if = "Option::is_none")]
    transform: Option<Transform>,
    width: u32,
    height: u32,
    pixels: u64,
    iterations: u64,
    /// log2 of the distance between neighbouring samples.
    spacing_log2: f64,
    /// Decimal digits after the point that tell neighbouring samples apart.
    digits: u32,
    #[serde(flatten)]
    arithmetic: ArithmeticPlan,
    /// The number type on the processor; adapters take the fastest that they proved to be exact enough.
    processor: &'static str,
    reference: Option<Reference>,
    strips: u32,
    strip_rows: u32,
    strip_bytes: u64,
    picture_bytes: u64,
    most_iterations: f64,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<Decision>,
    outputs: Vec<String>,
    warnings: Vec<String>,
}

/// The reference orbit that it would have.
#[derive(Debug, Serialize)]
struct Reference {
    bits: u32,
    most_steps: u64,
    most_bytes: u64,
}

impl DryRun {
    /// What `placed` would do.
    #[must_use]
    pub fn of(placed: &Placed) -> Self {
        let plan = &placed.plan;
        let frame = &plan.frame;
        let spacing_log2 = frame.spacing_log2();
        let (deltas, only) = (plan.arithmetic.deltas, plan.arithmetic.only);
        let processor = match (deltas, only) {
            (_, Some(only)) => only,
            (false, None) => Arithmetic::F64,
            (true, None) => Arithmetic::delta_of_processors(spacing_log2),
        };
        let pixel_bytes = frame.measures.bytes_per_pixel() as u64;
        Self {
            view: frame.view.clone(),
            transform: Some(frame.transform).filter(|transform| !transform.is_default()),
            width: frame.width,
            height: frame.height,
            pixels: frame.pixels(),
            iterations: frame.iterations,
            spacing_log2,
            digits: (-spacing_log2 / std::f64::consts::LOG2_10).ceil().max(0.0) as u32,
            arithmetic: plan.arithmetic,
            processor: processor.name(),
            reference: deltas.then(|| Reference {
                bits: ReferencePoint::bits_for(frame),
                most_steps: frame.iterations,
                most_bytes: frame.iterations.saturating_mul(BYTES_PER_VALUE),
            }),
            strips: plan.strips.count(),
            strip_rows: plan.strips.strip_rows,
            strip_bytes: u64::from(plan.strips.strip_rows) * u64::from(frame.width) * pixel_bytes,
            picture_bytes: frame.pixels() * pixel_bytes,
            most_iterations: frame.pixels() as f64 * frame.iterations as f64,
            place: match (&placed.network, &plan.place) {
                (Some((network, _)), _) => format!("on {}", network.title()),
                (None, Place::InProcess { workers, .. }) => {
                    format!("in process, {workers} worker(s)")
                }
                (None, Place::Farm { .. }) => "on the farm".to_owned(),
            },
            fallback: placed.decision.clone(),
            outputs: (plan.outputs.iter())
                .map(|output| output.path.to_string_lossy().into_owned())
                .collect(),
            warnings: plan.warnings.clone(),
        }
    }

    /// What samples of the view will decide.
    fn check(&self) -> Option<String> {
        let samples = u64::from(check::SIDE * check::SIDE).min(self.pixels);
        if self.arithmetic.only.is_some() {
            return None;
        }
        let adapters = format!(
            "adapters compare {samples} samples with the processor's first, and change over if more than {} % differ",
            check::MOST_PERCENT
        );
        Some(match self.arithmetic.checked {
            true => format!(
                "deltas instead if more than {} % of {samples} samples differ in them; {adapters}",
                check::MOST_PERCENT_OF_DOUBLES
            ),
            false => adapters,
        })
    }

    /// For people: a line each.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut lines: Vec<(&str, String)> = Vec::new();
        match &self.view {
            View::Centre { re, im, zoom } => {
                lines.push(("centre re", shortened(re.as_str())));
                lines.push(("centre im", shortened(im.as_str())));
                lines.push(("zoom", shortened(zoom.as_str())));
            }
            View::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => lines.push((
                "bounds",
                format!(
                    "re {} to {}, im {} to {}",
                    shortened(xmin.as_str()),
                    shortened(xmax.as_str()),
                    shortened(ymin.as_str()),
                    shortened(ymax.as_str())
                ),
            )),
        }
        if let Some(transform) = &self.transform {
            lines.push(("turned", turned(transform)));
        }
        lines.push(("size", format!("{} x {} pixels", self.width, self.height)));
        lines.push((
            "pixel spacing",
            format!(
                "2^{:.1}: {} decimal digits tell pixels apart",
                self.spacing_log2, self.digits
            ),
        ));
        lines.push(("iterations", format!("at most {} a pixel", self.iterations)));
        let kind = match (self.arithmetic.deltas, self.arithmetic.only) {
            (true, None) => "deltas from a reference orbit: ",
            (false, None) => "plain iteration: ",
            (_, Some(_)) => "as asked for: ",
        };
        lines.push(("arithmetic", format!("{kind}{}", self.processor)));
        if let Some(check) = self.check() {
            lines.push(("", check));
        }
        if let Some(reference) = &self.reference {
            lines.push((
                "reference orbit",
                format!(
                    "{} bits, at most {} iterations and {} of memory; less where it has a period",
                    reference.bits,
                    reference.most_steps,
                    size(reference.most_bytes)
                ),
            ));
        }
        lines.push((
            "strips",
            format!(
                "{} of {} rows, {} each",
                self.strips,
                self.strip_rows,
                size(self.strip_bytes)
            ),
        ));
        lines.push((
            "work",
            format!(
                "at most {:.1e} iterations, {} of values",
                self.most_iterations,
                size(self.picture_bytes)
            ),
        ));
        lines.push(("where", self.place.clone()));
        if let Some(decision) = &self.fallback {
            lines.push(("why there", decision.line()));
        }
        lines.push(("files", self.outputs.join(", ")));
        let mut text = String::new();
        for (name, value) in lines {
            text.push_str(&format!("{name:16} {value}\n"));
        }
        for warning in &self.warnings {
            text.push_str(&format!("{:16} {warning}\n", "warning"));
        }
        text
    }
}

/// How a view is turned, in words.
pub fn turned(transform: &Transform) -> String {
    let mut words = format!("{} degrees anticlockwise", transform.rotate);
    if transform.stretch != 0.0 {
        words += &format!(
            ", stretched by 2^{} along {} degrees",
            transform.stretch / 100.0,
            transform.stretch_angle
        );
    }
    words
}

/// A number of many digits by its first and last ones.
pub fn shortened(number: &str) -> String {
    const ENDS: usize = 24;
    let digits = number.chars().count();
    if digits <= 3 * ENDS {
        return number.to_owned();
    }
    let first: String = number.chars().take(ENDS).collect();
    let last: String = number.chars().skip(digits - ENDS).collect();
    format!("{first}...{last} ({digits} characters)")
}

/// Bytes as people read them.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}
