//! One strip on one open device: its kernels, part by part.

use fractal::{Measure, Plane};
use shaders::{Kernel, WORKGROUP};

use super::part::{Part, run_part};
use super::schedule;
use super::task::{Task, kernels};
use super::values::Values;
use crate::gpu::session::buffers::{MAX_PLANES, MAX_STATE_BYTES};
use crate::gpu::session::stop::Stop;
use crate::gpu::workspace::Workspace;

/// Most pixels of a part of a strip: enough to fill any GPU, and 90 MB of buffers.
const MAX_PART_PIXELS: u32 = 1 << 20;
// One dimension of a dispatch has at most 65535 workgroups on every adapter.
const _: () = assert!(MAX_PART_PIXELS <= 65535 * WORKGROUP);

/// Computes the planes of a strip, and its total of iterations.
pub(in crate::gpu) fn compute(
    workspace: &Workspace,
    task: Task<'_>,
) -> Result<(Vec<Plane>, u128), Stop> {
    let measures = task.frame.spec.measures;
    let mut values = Values::default();
    for kernel in kernels(task.frame) {
        run(workspace, task, kernel, &mut |words, pixels| {
            if kernel == Kernel::Stability {
                values.add_stability(words, pixels);
            } else if task.frame.spec.is_general() {
                values.add_formula(task.frame, words, pixels);
            } else {
                // Deltas carry the derivative in units that make a pixel 1 wide.
                let spacing = match task.arithmetic.is_delta() {
                    true => 1.0,
                    false => task.frame.pixel_spacing,
                };
                values.add_escape(task.frame, spacing, words, pixels);
            }
        })?;
    }
    if !task.frame.counts_iterations() {
        let pixels = u128::from(task.strip.rows) * u128::from(task.frame.spec.width);
        values.iterations_total = pixels * u128::from(task.frame.spec.iterations);
    }
    let planes = measures
        .iter()
        .map(|measure| match measure {
            Measure::Iterations => Plane::new(measure, std::mem::take(&mut values.iterations)),
            Measure::Smooth => Plane::new(measure, std::mem::take(&mut values.smooth)),
            Measure::Distance => Plane::new(measure, std::mem::take(&mut values.distance)),
            Measure::Stability => Plane::new(measure, std::mem::take(&mut values.stability)),
            Measure::Fraction => Plane::new(measure, std::mem::take(&mut values.fraction)),
            // Of processors alone.
            Measure::LongIterations | Measure::Phase | Measure::Direction => {
                Plane::zeroed(measure, 0)
            }
        })
        .collect();
    Ok((planes, values.iterations_total))
}

/// Iteration counts of the pixels that a task lists.
pub(in crate::gpu) fn compute_listed(
    workspace: &Workspace,
    task: Task<'_>,
) -> Result<Vec<u32>, Stop> {
    let mut counts = Vec::new();
    let most = MAX_PART_PIXELS as usize / 64;
    for listed in task.listed.unwrap_or_default().chunks(most) {
        let task = Task {
            listed: Some(listed),
            ..task
        };
        run(workspace, task, Kernel::Escape, &mut |words, pixels| {
            counts.extend_from_slice(&words[..pixels]);
        })?;
    }
    Ok(counts)
}

/// The iterations of a strip of a deep view, those inside counted as the limit, and the moves that they took: a block
/// of steps is one.
pub(in crate::gpu) fn count_moves(
    workspace: &Workspace,
    task: Task<'_>,
) -> Result<(u128, u64), Stop> {
    let (mut iterations, mut moves) = (0, 0);
    let limit = task.frame.spec.iterations;
    run(workspace, task, Kernel::Escape, &mut |words, pixels| {
        let (counts, made) = words[..2 * pixels].split_at(pixels);
        let steps = (counts.iter()).map(|n| if *n == 0 { limit } else { u64::from(*n) });
        iterations += steps.map(u128::from).sum::<u128>();
        moves += made.iter().copied().map(u64::from).sum::<u64>();
    })?;
    Ok((iterations, moves))
}

/// Runs a kernel over all parts of a strip; `take` gets the words of each part and its number of pixels.
fn run(
    workspace: &Workspace,
    task: Task<'_>,
    kernel: Kernel,
    take: &mut dyn FnMut(&[u32], usize),
) -> Result<(), Stop> {
    let context = &workspace.context;
    let width = task.frame.spec.width;
    let spec = &task.frame.spec;
    let pipeline = match spec.is_general() {
        true => (workspace.formulas).pipeline(context, spec, kernel, task.arithmetic)?,
        false => context.pipeline(kernel, task.arithmetic)?,
    };
    let by_limits = context
        .limits
        .max_storage_buffer_binding_size
        .min(context.limits.max_buffer_size)
        / MAX_STATE_BYTES.max(4 * MAX_PLANES);
    // A power of two, since that is what buffers are rounded up to.
    let most_pixels = by_limits.min(u64::from(MAX_PART_PIXELS)) as u32;
    let most_pixels = 1 << most_pixels.max(1).ilog2();
    let deltas = if task.arithmetic.is_delta() {
        let (frame, arithmetic) = (task.frame, task.arithmetic);
        Some(
            workspace
                .deltas
                .get(context, frame, arithmetic, task.progress)?,
        )
    } else {
        None
    };
    let states = pipeline.program.state_bytes();
    let mut compute = |task: Task<'_>, row0: u32, rows: u32| -> Result<(), Stop> {
        let (pixels, column_values, row_values) = match task.listed {
            // Each of them has coordinates of its own.
            Some(listed) => {
                let count = listed.len() as u32;
                (count, count, count)
            }
            None => (rows * width, width, rows),
        };
        // Formulas' kernels are given two and one more.
        let more = u32::from(task.frame.spec.is_general());
        let (column_values, row_values) = (column_values + 2 * more, row_values + more);
        let mut set = workspace.take_buffers(pixels, column_values, row_values, states)?;
        let part = Part {
            row0,
            rows,
            deltas: deltas.as_deref(),
        };
        run_part(context, task, &pipeline, &mut set, part, take)?;
        workspace.return_buffers(set);
        Ok(())
    };
    if task.listed.is_some() {
        return compute(task, 0, 1);
    }
    let end = task.strip.row0 + task.strip.rows;
    let mut row0 = task.strip.row0;
    while row0 < end {
        let rows = {
            let (block, rate) = (pipeline.program.block, pipeline.rate());
            schedule::part_rows(width, end - row0, most_pixels, block, rate)
        };
        if task.frame.turned.is_some() {
            let listed: Vec<(u32, u32)> = (row0..row0 + rows)
                .flat_map(|row| (0..width).map(move |column| (column, row)))
                .collect();
            let listed = Some(&*listed);
            compute(Task { listed, ..task }, 0, 1)?;
        } else {
            compute(task, row0, rows)?;
        }
        row0 += rows;
    }
    Ok(())
}
