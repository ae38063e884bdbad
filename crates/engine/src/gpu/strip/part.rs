//! A part of a strip: as many rows as are computed at once.

use std::time::Instant;

use shaders::Kernel;
use shaders::layout::{Round, flag};

use super::coordinates::{coordinates, given_to_all, listed_coordinates};
use super::rounds::{States, copy_output, lost, steps_made, submit_rounds};
use super::schedule;
use super::task::{Task, first_round};
use crate::gpu::reference::cache::DeltaBuffers;
use crate::gpu::session::buffers::BufferSet;
use crate::gpu::session::context::Context;
use crate::gpu::session::pipeline::Pipeline;
use crate::gpu::session::stop::Stop;

/// Moves of deltas after which they are no longer counted.
const MOST_MOVES: u32 = 1 << 31;

/// What is computed at once of a strip.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) row0: u32,
    pub(super) rows: u32,
    /// What the pixels of a deep view share.
    pub(super) deltas: Option<&'a DeltaBuffers>,
}

/// Iterates the rows of a part to the end.
pub(super) fn run_part(
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
            let (mut columns, mut rows) = match task.listed {
                Some(listed) => listed_coordinates(frame, listed, task.arithmetic),
                None => (
                    coordinates(&frame.columns, task.arithmetic),
                    coordinates(&frame.rows[rows], task.arithmetic),
                ),
            };
            if frame.spec.is_general() {
                let [re, im] = given_to_all(frame);
                columns.extend(coordinates(&[re, 0.0], task.arithmetic));
                rows.extend(coordinates(&[im], task.arithmetic));
            }
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
    let (mut active, mut at, block) = (pixels, 0, pipeline.program.block);
    loop {
        if task.progress.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let rounds: Vec<Round> =
            schedule::submission(at, active, end, longest, block, pipeline.rate())
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
