//! One strip on one open device: upload, rounds, read-back, and the host's part of the measures.

use std::time::Instant;

use fractal::smooth::{self, Smoothing};
use fractal::{Arithmetic, Measure, Plane, Strip};
use shaders::layout::{Round, Slot, flag, split};
use shaders::{Kernel, WORKGROUP};

use super::buffers::{BufferSet, MAX_PLANES, MAX_ROUNDS, MAX_STATE_BYTES};
use super::context::{Context, Pipeline, Stop};
use super::delta::DeltaBuffers;
use super::schedule;
use crate::frame::PreparedFrame;
use crate::progress::Progress;

/// Most pixels of a part of a strip: enough to fill any GPU, and 90 MB of buffers.
const MAX_PART_PIXELS: u32 = 1 << 20;
// One dimension of a dispatch has at most 65535 workgroups on every adapter.
const _: () = assert!(MAX_PART_PIXELS <= 65535 * WORKGROUP);

/// Escape radius from which on a pixel that has left it cannot come back if |c| is not larger: |z² + c| >=
/// |z|² - |z| >= 1.5 |z|, with much to spare for rounding.
const NO_RETURN_RADIUS: f64 = 2.5;

/// Moves of deltas after which they are no longer counted.
const MOST_MOVES: u32 = 1 << 31;

/// What is asked of a strip beside its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub(super) frame: &'a PreparedFrame,
    pub(super) arithmetic: Arithmetic,
    pub(super) strip: Strip,
    /// Whether provably interior points may be reported without iterating, and blocks of steps made at once.
    pub(super) shortcuts: bool,
    /// Instead of the strip single pixels, by column and row.
    pub(super) listed: Option<&'a [(u32, u32)]>,
    /// Whether the moves of deltas are asked for, in the place of |z|².
    pub(super) moves: bool,
    pub(super) progress: &'a Progress,
}

/// The values of a strip, growing part by part.
#[derive(Debug, Default)]
struct Values {
    iterations: Vec<u32>,
    smooth: Vec<f32>,
    distance: Vec<f32>,
    stability: Vec<f64>,
    fraction: Vec<f32>,
    iterations_total: u128,
}

/// The kernels that a frame's measures need.
pub(super) fn kernels(frame: &PreparedFrame) -> impl Iterator<Item = Kernel> {
    let measures = frame.spec.measures;
    let escape = if measures.contains(Measure::Distance) {
        Kernel::EscapeWithDerivative
    } else {
        Kernel::Escape
    };
    let stability = measures.contains(Measure::Stability);
    let escape = frame.counts_iterations().then_some(escape);
    escape
        .into_iter()
        .chain(stability.then_some(Kernel::Stability))
}

/// Computes the planes of a strip, and its total of iterations.
pub(super) fn compute(context: &Context, task: Task<'_>) -> Result<(Vec<Plane>, u128), Stop> {
    let measures = task.frame.spec.measures;
    let mut values = Values::default();
    for kernel in kernels(task.frame) {
        run(context, task, kernel, &mut |words, pixels| {
            if kernel == Kernel::Stability {
                values.add_stability(words, pixels);
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
            Measure::Iterations => Plane::Iterations(std::mem::take(&mut values.iterations)),
            Measure::Smooth => Plane::Smooth(std::mem::take(&mut values.smooth)),
            Measure::Distance => Plane::Distance(std::mem::take(&mut values.distance)),
            Measure::Stability => Plane::Stability(std::mem::take(&mut values.stability)),
            Measure::Fraction => Plane::Fraction(std::mem::take(&mut values.fraction)),
            // Of processors alone.
            Measure::LongIterations => Plane::LongIterations(Vec::new()),
            Measure::Phase => Plane::Phase(Vec::new()),
            Measure::Direction => Plane::Direction(Vec::new()),
        })
        .collect();
    Ok((planes, values.iterations_total))
}

impl Values {
    /// Takes in the planes of the escape kernels: n, |z|², |dz|.
    fn add_escape(&mut self, frame: &PreparedFrame, spacing: f64, words: &[u32], pixels: usize) {
        let spec = &frame.spec;
        let counts = &words[..pixels];
        let limit = spec.iterations;
        self.iterations_total += counts
            .iter()
            .map(|n| if *n == 0 { limit } else { u64::from(*n) })
            .map(u128::from)
            .sum::<u128>();
        if spec.measures.contains(Measure::Iterations) {
            self.iterations.extend_from_slice(counts);
        }
        let norm2 = |word: &u32| f64::from(f32::from_bits(*word));
        let smoothing = Smoothing::new(spec.escape_radius);
        if spec.measures.contains(Measure::Fraction) {
            let fraction = |(n, norm): (&u32, &u32)| match n {
                0 => 0.0,
                _ => smoothing.fraction(norm2(norm)),
            };
            let norms = &words[pixels..2 * pixels];
            self.fraction.extend(counts.iter().zip(norms).map(fraction));
        }
        if spec.measures.contains(Measure::Smooth) {
            let norms = &words[pixels..2 * pixels];
            self.smooth.extend(
                counts
                    .iter()
                    .zip(norms)
                    .map(|(n, norm)| smoothing.count(*n, norm2(norm))),
            );
        }
        if spec.measures.contains(Measure::Distance) {
            let (norms, derivatives) = words[pixels..3 * pixels].split_at(pixels);
            let pixel = |((n, norm), derivative): ((&u32, &u32), &u32)| {
                smooth::distance(*n, norm2(norm), norm2(derivative), spacing)
            };
            self.distance
                .extend(counts.iter().zip(norms).zip(derivatives).map(pixel));
        }
    }

    /// Takes in the planes of the stability kernel: the high and the low part of |z_N|².
    fn add_stability(&mut self, words: &[u32], pixels: usize) {
        let (high, low) = words[..2 * pixels].split_at(pixels);
        self.stability
            .extend(high.iter().zip(low).map(|(high, low)| {
                let norm2 = f64::from(f32::from_bits(*high)) + f64::from(f32::from_bits(*low));
                let norm = norm2.max(0.0).sqrt();
                // `max` drops NaN, so ask for it first.
                if norm2.is_nan() || norm > 2.0 {
                    f64::NAN
                } else {
                    norm
                }
            }));
    }
}

/// Iteration counts of the pixels that a task lists.
pub(super) fn compute_listed(context: &Context, task: Task<'_>) -> Result<Vec<u32>, Stop> {
    let mut counts = Vec::new();
    let most = MAX_PART_PIXELS as usize / 64;
    for listed in task.listed.unwrap_or_default().chunks(most) {
        let task = Task {
            listed: Some(listed),
            ..task
        };
        run(context, task, Kernel::Escape, &mut |words, pixels| {
            counts.extend_from_slice(&words[..pixels]);
        })?;
    }
    Ok(counts)
}

/// The iterations of a strip of a deep view, those inside counted as the limit, and the moves that they took: a block
/// of steps is one.
pub(super) fn count_moves(context: &Context, task: Task<'_>) -> Result<(u128, u64), Stop> {
    let (mut iterations, mut moves) = (0, 0);
    let limit = task.frame.spec.iterations;
    run(context, task, Kernel::Escape, &mut |words, pixels| {
        let (counts, made) = words[..2 * pixels].split_at(pixels);
        let steps = (counts.iter()).map(|n| if *n == 0 { limit } else { u64::from(*n) });
        iterations += steps.map(u128::from).sum::<u128>();
        moves += made.iter().copied().map(u64::from).sum::<u64>();
    })?;
    Ok((iterations, moves))
}

/// Runs a kernel over all parts of a strip; `take` gets the words of each part and its number of pixels.
fn run(
    context: &Context,
    task: Task<'_>,
    kernel: Kernel,
    take: &mut dyn FnMut(&[u32], usize),
) -> Result<(), Stop> {
    let width = task.frame.spec.width;
    let pipeline = context.pipeline(kernel, task.arithmetic)?;
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
            context
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
        let mut set = context.take_buffers(pixels, column_values, row_values, states)?;
        let part = Part {
            row0,
            rows,
            deltas: deltas.as_deref(),
        };
        run_part(context, task, &pipeline, &mut set, part, take)?;
        context.return_buffers(set);
        Ok(())
    };
    if task.listed.is_some() {
        return compute(task, 0, 1);
    }
    let end = task.strip.row0 + task.strip.rows;
    let mut row0 = task.strip.row0;
    while row0 < end {
        let rows = schedule::part_rows(width, end - row0, most_pixels, pipeline.rate());
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

/// What is computed at once of a strip.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    row0: u32,
    rows: u32,
    /// What the pixels of a deep view share.
    deltas: Option<&'a DeltaBuffers>,
}

/// The buffers of a part, which of its two states are the newer, and which page of a reference comes next.
struct States<'a> {
    set: &'a BufferSet,
    /// Of each page; of one where there are none.
    bind_groups: Vec<[wgpu::BindGroup; 2]>,
    turn: usize,
    page: usize,
}

/// Iterates the rows of a part to the end.
fn run_part(
    context: &Context,
    task: Task<'_>,
    pipeline: &Pipeline,
    set: &mut BufferSet,
    part: Part<'_>,
    take: &mut dyn FnMut(&[u32], usize),
) -> Result<(), Stop> {
    let frame = task.frame;
    let width = task.listed.map_or(frame.spec.width, |all| all.len() as u32);
    let pixels = part.rows * width;
    let rows = part.row0 as usize..(part.row0 + part.rows) as usize;
    let bind_groups = match (part.deltas, &frame.deep) {
        (Some(deltas), Some(deep)) => {
            set.upload_columns(
                &context.queue,
                match task.listed {
                    Some(listed) => deltas.listed_coordinates(deep, listed, task.arithmetic),
                    None => deltas.coordinates(deep, rows, task.arithmetic),
                },
            );
            deltas.bind_groups(context, set)?
        }
        _ => {
            let (columns, rows) = match task.listed {
                Some(listed) => listed_coordinates(frame, listed, task.arithmetic),
                None => (
                    coordinates(&frame.columns, task.arithmetic),
                    coordinates(&frame.rows[rows], task.arithmetic),
                ),
            };
            set.upload_columns(&context.queue, columns);
            set.upload_rows(&context.queue, &rows);
            vec![set.bind_groups.clone()]
        }
    };
    let mut template = Round {
        width,
        ..first_round(task, pipeline.program.kernel, pixels)
    };
    let escapes = pipeline.program.kernel != Kernel::Stability;
    if escapes && part.deltas.is_some_and(|deltas| deltas.meets_radius) {
        template.flags |= flag::TIES;
    }
    let planes = match pipeline.program.kernel {
        Kernel::EscapeWithDerivative => 3,
        Kernel::Escape if template.flags & (flag::NORM | flag::MOVES) == 0 => 1,
        _ => 2,
    };
    let output_bytes = u64::from(pixels) * 4 * planes;
    // A delta's moves are steps or blocks of them, so nobody knows beforehand when all are done: that shows.
    let end = part.deltas.map_or(template.limit, |_| u32::MAX);
    let longest = match part.deltas {
        Some(_) => schedule::LONGEST_OF_DELTAS,
        None => schedule::LONGEST_ROUND,
    };
    let mut states = States {
        set,
        bind_groups,
        turn: 0,
        page: 0,
    };
    let (mut active, mut at) = (pixels, 0);
    loop {
        if task.progress.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let rounds: Vec<Round> = schedule::submission(at, active, end, longest, pipeline.rate())
            .into_iter()
            .enumerate()
            .map(|(slot, (first_step, steps))| Round {
                first_step,
                steps,
                slot: slot as u32,
                flags: if first_step == 0 {
                    template.flags | flag::FRESH
                } else {
                    template.flags
                },
                ..template
            })
            .collect();
        at += rounds.iter().map(|round| round.steps).sum::<u32>();
        if part.deltas.is_some() {
            // However many moves a pixel needs, it makes them: the count only tells how long rounds are.
            at = at.min(MOST_MOVES);
        }
        let last = at >= end && part.deltas.is_none();
        let begun = Instant::now();
        let counts = submit_rounds(
            context,
            pipeline,
            &mut states,
            &rounds,
            active,
            last.then_some(output_bytes),
        )?;
        pipeline.measured(steps_made(&rounds, &counts), begun.elapsed());
        task.progress.step();
        active = counts[rounds.len()].count;
        if last {
            break;
        }
        if active == 0 {
            copy_output(context, set, output_bytes)?;
            break;
        }
    }
    let view = set
        .output_read
        .slice(..output_bytes)
        .get_mapped_range()
        .map_err(|error| lost(&error))?;
    take(bytemuck::cast_slice(&view), pixels as usize);
    drop(view);
    set.output_read.unmap();
    Ok(())
}

/// Steps that a submission made, near enough: pixels that finished in a round made half of its steps.
fn steps_made(rounds: &[Round], counts: &[Slot]) -> f64 {
    let active = |slot: &Slot| f64::from(slot.count);
    rounds
        .iter()
        .zip(counts.windows(2))
        .map(|(round, slots)| {
            f64::from(round.steps) * 0.5 * (active(&slots[0]) + active(&slots[1]))
        })
        .sum()
}

/// What all rounds of a part have in common.
fn first_round(task: Task<'_>, kernel: Kernel, pixels: u32) -> Round {
    let spec = &task.frame.spec;
    // Coordinates are monotonic: the largest are at the ends, whichever strip this is.
    let reach = |values: &[f64]| {
        values
            .first()
            .map_or(0.0, |v| v.abs())
            .max(values.last().map_or(0.0, |v| v.abs()))
    };
    let largest_c = match &task.frame.turned {
        Some(turned) => turned.farthest2().sqrt(),
        None => reach(&task.frame.columns).hypot(reach(&task.frame.rows)),
    };
    let (radius2, flags) = if kernel == Kernel::Stability {
        // Beyond both 2 and |c| every orbit grows for good.
        ((largest_c * largest_c).max(4.0) * 1.001, 0)
    } else {
        let mut flags = 0;
        if task.shortcuts && spec.z0 == (0.0, 0.0) && spec.escape_radius >= 2.0 {
            flags |= flag::SHORTCUTS;
        }
        if spec.escape_radius >= NO_RETURN_RADIUS && spec.escape_radius >= largest_c {
            flags |= flag::BLOCKS;
        }
        let of_norms = [Measure::Smooth, Measure::Fraction, Measure::Distance];
        if of_norms
            .iter()
            .any(|measure| spec.measures.contains(*measure))
        {
            flags |= flag::NORM;
        }
        (spec.escape_radius * spec.escape_radius, flags)
    };
    let listed = task.listed.map_or(0, |_| flag::LISTED);
    let flags = if task.arithmetic.is_delta() {
        let skips = if task.shortcuts { flag::SHORTCUTS } else { 0 };
        let second = if task.moves {
            flag::MOVES
        } else {
            flags & flag::NORM
        };
        second | listed | skips
    } else {
        flags | listed
    };
    let ([re, re_low], [im, im_low]) = (split(spec.z0.0), split(spec.z0.1));
    Round {
        zero: 0,
        width: spec.width,
        first_step: 0,
        steps: 0,
        limit: spec.short_limit().unwrap_or(u32::MAX - 1),
        flags,
        slot: 0,
        plane: pixels,
        z0: [re, re_low, im, im_low],
        radius2: split(radius2),
        radius: split(radius2.sqrt()),
    }
}

/// Submits rounds, waits for them, and returns the counts of active pixels before each of them and after the last;
/// with `output_bytes` it also reads the output back.
fn submit_rounds(
    context: &Context,
    pipeline: &Pipeline,
    states: &mut States<'_>,
    rounds: &[Round],
    active: u32,
    output_bytes: Option<u64>,
) -> Result<[Slot; MAX_ROUNDS + 1], Stop> {
    const SLOT: u64 = size_of::<Slot>() as u64;
    let set = states.set;
    set.upload_rounds(&context.queue, rounds, active);
    let mut encoder = context
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("rounds"),
        });
    for round in 0..rounds.len() {
        let at = round as u64 * SLOT;
        if context.indirect && round > 0 {
            // A buffer that a dispatch writes may not hold its own arguments.
            encoder.copy_buffer_to_buffer(&set.slots, at, &set.indirect, at, SLOT);
        }
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&pipeline.pipeline);
        let group = &states.bind_groups[states.page][states.turn];
        pass.set_bind_group(0, group, &[BufferSet::round_offset(round)]);
        if context.indirect && round > 0 {
            pass.dispatch_workgroups_indirect(&set.indirect, at);
        } else {
            // Without indirect dispatches, workgroups past the active pixels end at once.
            pass.dispatch_workgroups(active.div_ceil(WORKGROUP), 1, 1);
        }
        states.turn = 1 - states.turn;
        states.page = (states.page + 1) % states.bind_groups.len();
    }
    let slot_bytes = (rounds.len() as u64 + 1) * SLOT;
    encoder.copy_buffer_to_buffer(&set.slots, 0, &set.slots_read, 0, slot_bytes);
    let mut mapped = vec![set.slots_read.slice(..slot_bytes)];
    if let Some(bytes) = output_bytes {
        encoder.copy_buffer_to_buffer(&set.output, 0, &set.output_read, 0, bytes);
        mapped.push(set.output_read.slice(..bytes));
    }
    let submission = context.queue.submit([encoder.finish()]);
    context.wait_mapped(&submission, &mapped)?;
    let mut counts = [Slot::default(); MAX_ROUNDS + 1];
    let view = mapped[0].get_mapped_range().map_err(|error| lost(&error))?;
    counts[..=rounds.len()].copy_from_slice(bytemuck::cast_slice(&view));
    drop(view);
    set.slots_read.unmap();
    Ok(counts)
}

/// Reads the output back on its own.
fn copy_output(context: &Context, set: &BufferSet, bytes: u64) -> Result<(), Stop> {
    let mut encoder = context
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("output"),
        });
    encoder.copy_buffer_to_buffer(&set.output, 0, &set.output_read, 0, bytes);
    let submission = context.queue.submit([encoder.finish()]);
    context.wait_mapped(&submission, &[set.output_read.slice(..bytes)])
}

/// Columns and rows of single pixels, as a kernel reads them.
fn listed_coordinates(
    frame: &PreparedFrame,
    listed: &[(u32, u32)],
    arithmetic: Arithmetic,
) -> (Vec<u8>, Vec<u8>) {
    let (columns, rows): (Vec<f64>, Vec<f64>) = listed
        .iter()
        .map(|(column, row)| frame.at(*column as usize, *row as usize).into())
        .unzip();
    (
        coordinates(&columns, arithmetic),
        coordinates(&rows, arithmetic),
    )
}

/// Coordinates as a kernel reads them: `f64`, or high and low `f32`.
fn coordinates(values: &[f64], arithmetic: Arithmetic) -> Vec<u8> {
    match arithmetic {
        Arithmetic::F64 | Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => {
            bytemuck::cast_slice(values).to_vec()
        }
        Arithmetic::F32 | Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => values
            .iter()
            .flat_map(|value| bytemuck::cast::<_, [u8; 8]>(split(*value)))
            .collect(),
    }
}

fn lost(error: &wgpu::MapRangeError) -> Stop {
    Stop::Lost(error.to_string())
}
