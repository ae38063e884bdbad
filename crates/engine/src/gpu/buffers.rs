//! The buffers of one strip in flight.
//!
//! Each computation has a set of its own, so the upload, compute and read-back of neighbouring strips overlap.

use shaders::layout::{Round, Slot, round_binding};

use super::context::Context;

/// Rounds that one submission may have.
pub(super) const MAX_ROUNDS: usize = 32;
/// Words of output that a pixel may have.
pub(super) const MAX_PLANES: u64 = 3;
/// Storage buffers that a round binds.
pub(super) const STORAGE_BUFFERS: u32 = 6;
/// Bytes of the largest state of a pixel; a set serves every kernel.
pub(super) const MAX_STATE_BYTES: u64 = 32;
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

/// Buffers for up to a number of pixels, columns and rows.
#[derive(Debug)]
pub(super) struct BufferSet {
    pixels: u32,
    width: u32,
    rows: u32,
    params: wgpu::Buffer,
    columns: wgpu::Buffer,
    row_coordinates: wgpu::Buffer,
    pub(super) slots: wgpu::Buffer,
    pub(super) indirect: wgpu::Buffer,
    pub(super) output: wgpu::Buffer,
    pub(super) slots_read: wgpu::Buffer,
    pub(super) output_read: wgpu::Buffer,
    /// From the first states to the second, and back.
    pub(super) bind_groups: [wgpu::BindGroup; 2],
    /// What `columns` holds, so that the strips of a picture upload it once.
    uploaded_columns: Vec<u8>,
}

impl BufferSet {
    pub(super) fn new(context: &Context, pixels: u32, width: u32, rows: u32) -> Self {
        use wgpu::BufferUsages as Usage;
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
        let states = |label| buffer(label, u64::from(pixels) * MAX_STATE_BYTES, Usage::STORAGE);
        let (first, second) = (states("first states"), states("second states"));
        let slot_bytes = (MAX_ROUNDS as u64 + 1) * size_of::<Slot>() as u64;
        let output_bytes = u64::from(pixels) * 4 * MAX_PLANES;
        let params = buffer(
            "params",
            ROUND_STRIDE * MAX_ROUNDS as u64,
            Usage::UNIFORM | Usage::COPY_DST,
        );
        let columns = buffer(
            "columns",
            u64::from(width) * COORDINATE_BYTES,
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
        let bind_group = |states_in: &wgpu::Buffer, states_out: &wgpu::Buffer| {
            context
                .device
                .create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("round"),
                    layout: &context.round_layout,
                    entries: &[
                        entry(round_binding::PARAMS, &params),
                        entry(round_binding::COLUMNS, &columns),
                        entry(round_binding::ROWS, &row_coordinates),
                        entry(round_binding::STATES_IN, states_in),
                        entry(round_binding::STATES_OUT, states_out),
                        entry(round_binding::SLOTS, &slots),
                        entry(round_binding::OUTPUT, &output),
                    ],
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
            uploaded_columns: Vec::new(),
        }
    }

    pub(super) fn fits(&self, pixels: u32, width: u32, rows: u32) -> bool {
        self.pixels >= pixels && self.width >= width && self.rows >= rows
    }

    /// Uploads coordinates, each of 8 bytes.
    pub(super) fn upload_coordinates(
        &mut self,
        queue: &wgpu::Queue,
        columns: Vec<u8>,
        rows: &[u8],
    ) {
        if self.uploaded_columns != columns {
            queue.write_buffer(&self.columns, 0, &columns);
            self.uploaded_columns = columns;
        }
        queue.write_buffer(&self.row_coordinates, 0, rows);
    }

    /// Uploads the rounds of a submission, and the slots: `active` pixels before the first.
    pub(super) fn upload_rounds(&self, queue: &wgpu::Queue, rounds: &[Round], active: u32) {
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
    pub(super) fn round_offset(round: usize) -> u32 {
        round as u32 * ROUND_STRIDE as u32
    }
}

pub(super) fn round_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    use wgpu::BufferBindingType as Type;
    let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: binding == round_binding::PARAMS,
            min_binding_size: None,
        },
        count: None,
    };
    let entries = [
        entry(round_binding::PARAMS, Type::Uniform),
        entry(round_binding::COLUMNS, Type::Storage { read_only: true }),
        entry(round_binding::ROWS, Type::Storage { read_only: true }),
        entry(round_binding::STATES_IN, Type::Storage { read_only: true }),
        entry(
            round_binding::STATES_OUT,
            Type::Storage { read_only: false },
        ),
        entry(round_binding::SLOTS, Type::Storage { read_only: false }),
        entry(round_binding::OUTPUT, Type::Storage { read_only: false }),
    ];
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("round"),
        entries: &entries,
    })
}
