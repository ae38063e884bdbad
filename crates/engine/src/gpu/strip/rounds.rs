//! Rounds on a device: submitted, waited for and read back.

use shaders::WORKGROUP;
use shaders::layout::{Round, Slot};

use crate::gpu::session::buffers::{BufferSet, MAX_ROUNDS};
use crate::gpu::session::context::Context;
use crate::gpu::session::pipeline::Pipeline;
use crate::gpu::session::stop::Stop;

/// The buffers of a part, which of its two states are the newer, and which page of a reference comes next.
pub(super) struct States<'a> {
    pub(super) set: &'a BufferSet,
    /// Of each page; of one where there are none.
    pub(super) bind_groups: Vec<[wgpu::BindGroup; 2]>,
    pub(super) turn: usize,
    pub(super) page: usize,
}

/// Steps that a submission made, near enough: pixels that finished in a round made half of its steps.
pub(super) fn steps_made(rounds: &[Round], counts: &[Slot]) -> f64 {
    let active = |slot: &Slot| f64::from(slot.count);
    rounds
        .iter()
        .zip(counts.windows(2))
        .map(|(round, slots)| {
            f64::from(round.steps) * 0.5 * (active(&slots[0]) + active(&slots[1]))
        })
        .sum()
}

/// Submits rounds, waits for them, and returns the counts of active pixels before each of them and after the last;
/// with `output_bytes` it also reads the output back.
pub(super) fn submit_rounds(
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
pub(super) fn copy_output(context: &Context, set: &BufferSet, bytes: u64) -> Result<(), Stop> {
    let mut encoder = context
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("output"),
        });
    encoder.copy_buffer_to_buffer(&set.output, 0, &set.output_read, 0, bytes);
    let submission = context.queue.submit([encoder.finish()]);
    context.wait_mapped(&submission, &[set.output_read.slice(..bytes)])
}

/// The failure of a mapping.
pub(super) fn lost(error: &wgpu::MapRangeError) -> Stop {
    Stop::Lost(error.to_string())
}
