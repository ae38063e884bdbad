//! Which buffers kernels bind: rounds of steps, rounds of deltas, and proofs.

use shaders::layout::{delta_binding, proof_binding, round_binding};

/// Storage buffers that a round binds.
pub(super) const ROUND_BUFFERS: u32 = 6;
/// Storage buffers that a round of deltas binds.
pub(super) const DELTA_BUFFERS: u32 = 9;

/// One buffer of a layout.
fn layout_entry(binding: u32, ty: wgpu::BufferBindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: binding == round_binding::PARAMS,
            min_binding_size: None,
        },
        count: None,
    }
}

/// What a round of any kind binds.
fn round_layout_entries() -> [wgpu::BindGroupLayoutEntry; 7] {
    use wgpu::BufferBindingType as Type;
    let (read, write) = (
        Type::Storage { read_only: true },
        Type::Storage { read_only: false },
    );
    [
        layout_entry(round_binding::PARAMS, Type::Uniform),
        layout_entry(round_binding::COLUMNS, read),
        layout_entry(round_binding::ROWS, read),
        layout_entry(round_binding::STATES_IN, read),
        layout_entry(round_binding::STATES_OUT, write),
        layout_entry(round_binding::SLOTS, write),
        layout_entry(round_binding::OUTPUT, write),
    ]
}

/// The layout of a round.
pub(super) fn round_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("round"),
        entries: &round_layout_entries(),
    })
}

/// The layout of a round of deltas.
pub(super) fn delta_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let storage = wgpu::BufferBindingType::Storage { read_only: true };
    let mut entries: Vec<_> = round_layout_entries().into();
    entries.retain(|entry| entry.binding != round_binding::ROWS);
    let own = [
        (delta_binding::DELTA, wgpu::BufferBindingType::Uniform),
        (delta_binding::REFERENCE, storage),
        (delta_binding::BLOCKS, storage),
        (delta_binding::RADII, storage),
        (delta_binding::JETS, storage),
    ];
    entries.extend(own.map(|(binding, ty)| layout_entry(binding, ty)));
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("deltas"),
        entries: &entries,
    })
}

/// The layout of a proof's dispatch.
pub(super) fn proof_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    use wgpu::BufferBindingType as Type;
    let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let entries = [
        entry(proof_binding::PARAMS, Type::Uniform),
        entry(proof_binding::CASES, Type::Storage { read_only: true }),
        entry(proof_binding::RESULTS, Type::Storage { read_only: false }),
    ];
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("proof"),
        entries: &entries,
    })
}
