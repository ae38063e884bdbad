//! How fast an arithmetic is on a device: plain iteration of points that take every step.

use std::time::{Duration, Instant};

use fractal::{Arithmetic, FrameSpec, Grid, Measure, MeasureSet, Strip, View};
use shaders::Kernel;

use crate::frame::PreparedFrame;
use crate::gpu::session::stop::Stop;
use crate::gpu::strip::{self, Task};
use crate::gpu::workspace::Workspace;
use crate::progress::Progress;

/// Measures steps a second of plain iteration, and leaves the figure with the kernel.
pub(super) fn time(workspace: &Workspace, arithmetic: Arithmetic) -> Result<f64, String> {
    /// Long enough for the clock and the cost of a submission.
    const ENOUGH: Duration = Duration::from_millis(10);
    const ROUNDS: usize = 3;
    const SIDE: u32 = 256;
    const MOST_STEPS: u64 = 1 << 20;
    let pipeline = workspace
        .context
        .pipeline(Kernel::Escape, arithmetic)
        .map_err(Stop::reason)?;
    // Some drivers compile at the first use.
    time_interior(workspace, arithmetic, SIDE, 1)?;
    let mut steps = 64;
    loop {
        let elapsed = time_interior(workspace, arithmetic, SIDE, steps)?;
        if elapsed >= ENOUGH || steps >= MOST_STEPS {
            break;
        }
        steps *= 4;
    }
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        best = best.min(time_interior(workspace, arithmetic, SIDE, steps)?);
    }
    let rate = f64::from(SIDE * SIDE) * steps as f64 / best.as_secs_f64();
    pipeline.set_rate(rate);
    Ok(rate)
}

/// Time of `steps` steps of a square of points inside the set, which all take every step.
fn time_interior(
    workspace: &Workspace,
    arithmetic: Arithmetic,
    side: u32,
    steps: u64,
) -> Result<Duration, String> {
    let bound = |text: &str| text.parse().map_err(|error| format!("{error:?}"));
    let frame = PreparedFrame::new(FrameSpec {
        view: View::Bounds {
            xmin: bound("-0.3")?,
            xmax: bound("-0.1")?,
            ymin: bound("0")?,
            ymax: bound("0.2")?,
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: side,
        height: side,
        iterations: steps,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    })
    .map_err(|error| error.to_string())?;
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: side,
    };
    let task = Task {
        frame: &frame,
        arithmetic,
        strip,
        shortcuts: false,
        listed: None,
        moves: false,
        progress: &Progress::default(),
    };
    let begun = Instant::now();
    strip::compute(workspace, task).map_err(Stop::reason)?;
    Ok(begun.elapsed())
}
