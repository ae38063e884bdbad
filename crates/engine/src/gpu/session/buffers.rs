//! The buffers of one strip in flight.
//!
//! Each computation has a set of its own, so the upload, compute and read-back of neighbouring strips overlap.

use shaders::layout::{Round, Slot, round_binding};

use super::context::Context;

/// Rounds that one submission may have.
pub(in crate::gpu) const MAX_ROUNDS: usize = 32;
/// Words of output that a pixel may have.
pub(in crate::gpu) const MAX_PLANES: u64 = 3;
/// Bytes of the largest state of a pixel.
pub(in crate::gpu) const MAX_STATE_BYTES: u64 = 48;
/// Bytes of a state that a set has room for in any case, so that it serves nearly every kernel.
const USUAL_STATE_BYTES: u64 = 32;
/// Bytes from one round's parameters to the next: what every adapter can address.
const ROUND_STRIDE: u64 = 256;
/// Bytes of a coordinate, in every number type.
const COORDINATE_BYTES: u64 = 8;

const _: () = assert!(size_of::<Round>() as u64 <= ROUND_STRIDE);

/// A buffer's entry in a round's bind group.
fn entry(binding: u32, buffer: &wgpu::Buffer) -> wgpu::BindGroupEntry<'_> {
    // The offset into the parameters is dynamic: bind the size of one round's.
    let size = (binding == round_binding::PARAMS).then_some(size_of::<Round>() as u64);
    let size = size.and_then(wgpu::BufferSize::new);
    wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset: 0,
            size,
        }),
    }
}

/// The buffers of a round beside its states.
struct Bindings<'a> {
    params: &'a wgpu::Buffer,
    columns: &'a wgpu::Buffer,
    rows: &'a wgpu::Buffer,
    slots: &'a wgpu::Buffer,
    output: &'a wgpu::Buffer,
}

impl<'a> Bindings<'a> {
    fn entries(
        &self,
        states_in: &'a wgpu::Buffer,
        states_out: &'a wgpu::Buffer,
    ) -> [wgpu::BindGroupEntry<'a>; 7] {
        [
            entry(round_binding::PARAMS, self.params),
            entry(round_binding::COLUMNS, self.columns),
            entry(round_binding::ROWS, self.rows),
            entry(round_binding::STATES_IN, states_in),
            entry(round_binding::STATES_OUT, states_out),
            entry(round_binding::SLOTS, self.slots),
            entry(round_binding::OUTPUT, self.output),
        ]
    }
}

/// Buffers for up to a number of pixels, columns and rows.
#[derive(Debug)]
pub(in crate::gpu) struct BufferSet {
    pixels: u32,
    width: u32,
    rows: u32,
    params: wgpu::Buffer,
    columns: wgpu::Buffer,
    row_coordinates: wgpu::Buffer,
    pub(in crate::gpu) slots: wgpu::Buffer,
    pub(in crate::gpu) indirect: wgpu::Buffer,
    pub(in crate::gpu) output: wgpu::Buffer,
    pub(in crate::gpu) slots_read: wgpu::Buffer,
    pub(in crate::gpu) output_read: wgpu::Buffer,
    /// From the first states to the second, and back.
    pub(in crate::gpu) bind_groups: [wgpu::BindGroup; 2],
    states: [wgpu::Buffer; 2],
    /// Bytes that a pixel's state may have.
    state_bytes: u64,
    /// What `columns` holds, so that the strips of a picture upload it once.
    uploaded_columns: Vec<u8>,
}

impl BufferSet {
    pub(in crate::gpu) fn new(
        context: &Context,
        pixels: u32,
        width: u32,
        rows: u32,
        state_bytes: u64,
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let state_bytes = state_bytes.max(USUAL_STATE_BYTES);
        // Powers of two, so that strips of nearly one size share sets.
        let (pixels, width, rows) = (
            pixels.next_power_of_two(),
            width.next_power_of_two(),
            rows.next_power_of_two(),
        );
        let buffer = |label, bytes: u64, usage| {
            context.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        };
        let states = |label| buffer(label, u64::from(pixels) * state_bytes, Usage::STORAGE);
        let (first, second) = (states("first states"), states("second states"));
        let slot_bytes = (MAX_ROUNDS as u64 + 1) * size_of::<Slot>() as u64;
        let output_bytes = u64::from(pixels) * 4 * MAX_PLANES;
        let params = buffer(
            "params",
            ROUND_STRIDE * MAX_ROUNDS as u64,
            Usage::UNIFORM | Usage::COPY_DST,
        );
        // With room for the rows too: see `shaders::layout::delta_binding`.
        let columns = buffer(
            "columns",
            (u64::from(width) + u64::from(rows)) * COORDINATE_BYTES,
            Usage::STORAGE | Usage::COPY_DST,
        );
        let row_coordinates = buffer(
            "rows",
            u64::from(rows) * COORDINATE_BYTES,
            Usage::STORAGE | Usage::COPY_DST,
        );
        let slots = buffer(
            "slots",
            slot_bytes,
            Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC,
        );
        let output = buffer("output", output_bytes, Usage::STORAGE | Usage::COPY_SRC);
        let bindings = Bindings {
            params: &params,
            columns: &columns,
            rows: &row_coordinates,
            slots: &slots,
            output: &output,
        };
        let bind_group = |states_in: &wgpu::Buffer, states_out: &wgpu::Buffer| {
            context
                .device
                .create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("round"),
                    layout: &context.round_layout,
                    entries: &bindings.entries(states_in, states_out),
                })
        };
        let bind_groups = [bind_group(&first, &second), bind_group(&second, &first)];
        Self {
            pixels,
            width,
            rows,
            params,
            columns,
            row_coordinates,
            slots,
            indirect: buffer("indirect", slot_bytes, Usage::INDIRECT | Usage::COPY_DST),
            output,
            slots_read: buffer("slots read", slot_bytes, Usage::MAP_READ | Usage::COPY_DST),
            output_read: buffer(
                "output read",
                output_bytes,
                Usage::MAP_READ | Usage::COPY_DST,
            ),
            bind_groups,
            states: [first, second],
            state_bytes,
            uploaded_columns: Vec::new(),
        }
    }

    pub(in crate::gpu) fn fits(
        &self,
        pixels: u32,
        width: u32,
        rows: u32,
        state_bytes: u64,
    ) -> bool {
        let sides = self.pixels >= pixels && self.width >= width && self.rows >= rows;
        sides && self.state_bytes >= state_bytes
    }

    /// What a round binds, from the first states to the second for `turn` 0, and back for 1.
    pub(in crate::gpu) fn entries(&self, turn: usize) -> [wgpu::BindGroupEntry<'_>; 7] {
        let bindings = Bindings {
            params: &self.params,
            columns: &self.columns,
            rows: &self.row_coordinates,
            slots: &self.slots,
            output: &self.output,
        };
        bindings.entries(&self.states[turn], &self.states[1 - turn])
    }

    /// Uploads the coordinates of columns, each of 8 bytes; for deltas those of the rows behind them.
    pub(in crate::gpu) fn upload_columns(&mut self, queue: &wgpu::Queue, columns: Vec<u8>) {
        if self.uploaded_columns != columns {
            queue.write_buffer(&self.columns, 0, &columns);
            self.uploaded_columns = columns;
        }
    }

    /// Uploads the coordinates of rows, each of 8 bytes.
    pub(in crate::gpu) fn upload_rows(&self, queue: &wgpu::Queue, rows: &[u8]) {
        queue.write_buffer(&self.row_coordinates, 0, rows);
    }

    /// Uploads the rounds of a submission, and the slots: `active` pixels before the first.
    pub(in crate::gpu) fn upload_rounds(&self, queue: &wgpu::Queue, rounds: &[Round], active: u32) {
        let mut params = vec![0u8; rounds.len() * ROUND_STRIDE as usize];
        for (place, round) in params.chunks_exact_mut(ROUND_STRIDE as usize).zip(rounds) {
            place[..size_of::<Round>()].copy_from_slice(bytemuck::bytes_of(round));
        }
        queue.write_buffer(&self.params, 0, &params);
        let mut slots = vec![Slot::of(0); rounds.len() + 1];
        slots[0] = Slot::of(active);
        queue.write_buffer(&self.slots, 0, bytemuck::cast_slice(&slots));
    }

    /// Offset of a round's parameters.
    pub(in crate::gpu) fn round_offset(round: usize) -> u32 {
        round as u32 * ROUND_STRIDE as u32
    }
}
