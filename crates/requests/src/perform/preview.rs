//! What a render would do, without doing any of it.

use fractal::reference::ReferencePoint;
use fractal::{Arithmetic, Counts, Decimal, Formula, Transform, View};
use render::RenderPlan;
use render::plan::{ArithmeticPlan, Place};
use serde::Serialize;

use crate::place::placing::Placing;
use crate::place::worth::Decision;

/// Bytes of memory for each value of a reference orbit, with all that is made of it.
const BYTES_PER_VALUE: u64 = 64;

/// A plan, for people and programs.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// Where in the plane.
    pub view: View,
    /// How that is turned, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    /// What is iterated, where that is not z² + c.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formula: Option<Formula>,
    /// The c of a Julia set, real and imaginary part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub julia: Option<[Decimal; 2]>,
    /// Columns of samples.
    pub width: u32,
    /// Rows of samples.
    pub height: u32,
    /// Samples.
    pub pixels: u64,
    /// Iteration limit.
    pub iterations: u64,
    /// How counts are made.
    pub counts: Counts,
    /// log2 of the distance between neighbouring samples.
    pub spacing_log2: f64,
    /// Decimal digits after the point that tell neighbouring samples apart.
    pub digits: u32,
    /// How samples are computed.
    #[serde(flatten)]
    pub arithmetic: ArithmeticPlan,
    /// The number type on the processor; adapters take the fastest that they proved to be exact enough.
    pub processor: &'static str,
    /// The reference orbit, where there will be one.
    pub reference: Option<ReferencePreview>,
    /// Strips.
    pub strips: u32,
    /// Rows of each but the last.
    pub strip_rows: u32,
    /// Bytes of one.
    pub strip_bytes: u64,
    /// Bytes of all values.
    pub picture_bytes: u64,
    /// Iterations, if no sample escapes.
    pub most_iterations: f64,
    /// Where it runs, in words.
    pub place: String,
    /// Why there, where that was a question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Decision>,
    /// Files.
    pub outputs: Vec<String>,
    /// What the user should know before it starts.
    pub warnings: Vec<String>,
}

/// The reference orbit that a render would have.
#[derive(Debug, Serialize)]
pub struct ReferencePreview {
    /// Bits of its numbers at most.
    pub bits: u32,
    /// Steps at most.
    pub most_steps: u64,
    /// Bytes of memory at most.
    pub most_bytes: u64,
}

impl Preview {
    /// What a plan would do in its place.
    #[must_use]
    pub fn of(plan: &RenderPlan, placing: &Placing) -> Self {
        let frame = &plan.frame;
        let spacing_log2 = frame.spacing_log2();
        let (deltas, only) = (plan.arithmetic.deltas, plan.arithmetic.only);
        let is_general = frame.is_general();
        let processor = match (deltas, only) {
            (_, Some(only)) => only,
            _ if is_general => frame.general_arithmetic(),
            (false, None) => Arithmetic::F64,
            (true, None) => Arithmetic::delta_of_processors(spacing_log2),
        };
        let pixel_bytes = frame.measures.bytes_per_pixel() as u64;
        Self {
            view: frame.view.clone(),
            transform: Some(frame.transform).filter(|transform| !transform.is_default()),
            formula: Some(frame.formula.clone()).filter(|formula| !formula.is_mandelbrot()),
            julia: frame.julia.clone(),
            width: frame.width,
            height: frame.height,
            pixels: frame.pixels(),
            iterations: frame.iterations,
            counts: frame.counts,
            spacing_log2,
            digits: (-spacing_log2 / std::f64::consts::LOG2_10).ceil().max(0.0) as u32,
            arithmetic: plan.arithmetic,
            processor: processor.name(),
            reference: (deltas || is_general && processor.is_delta()).then(|| ReferencePreview {
                bits: ReferencePoint::bits_for(frame),
                most_steps: frame.iterations,
                most_bytes: frame.iterations.saturating_mul(BYTES_PER_VALUE),
            }),
            strips: plan.strips.count(),
            strip_rows: plan.strips.strip_rows,
            strip_bytes: u64::from(plan.strips.strip_rows) * u64::from(frame.width) * pixel_bytes,
            picture_bytes: frame.pixels() * pixel_bytes,
            most_iterations: frame.pixels() as f64 * frame.iterations as f64,
            place: match (&placing.network, &placing.place) {
                (Some(network), _) => format!("on {}", network.title()),
                (None, Place::InProcess { workers, .. }) => {
                    format!("in process, {workers} worker(s)")
                }
                (None, Place::Farm { .. }) => "on the farm".to_owned(),
            },
            fallback: placing.decision.clone(),
            outputs: (plan.outputs.iter())
                .map(|output| output.path.to_string_lossy().into_owned())
                .collect(),
            warnings: plan.warnings.clone(),
        }
    }
}
