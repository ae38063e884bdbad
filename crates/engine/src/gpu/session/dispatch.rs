//! A single dispatch with a uniform, cases and results: what proofs and limits are run by.

use shaders::layout::{Proof, proof_binding};

use super::context::Context;
use super::pipeline::Pipeline;
use super::stop::Stop;

/// One dispatch of a proof or a limit; returns its results.
pub(in crate::gpu) fn dispatch(
    context: &Context,
    pipeline: &Pipeline,
    params: Proof,
    cases: &[u8],
    result_bytes: usize,
    workgroups: u32,
) -> Result<Vec<u8>, Stop> {
    use wgpu::BufferUsages as Usage;
    let buffer = |label, bytes: usize, usage| {
        context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes as u64,
            usage,
            mapped_at_creation: false,
        })
    };
    let uniform = buffer(
        "proof params",
        size_of::<Proof>(),
        Usage::UNIFORM | Usage::COPY_DST,
    );
    let case_buffer = buffer("proof cases", cases.len(), Usage::STORAGE | Usage::COPY_DST);
    let results = buffer(
        "proof results",
        result_bytes,
        Usage::STORAGE | Usage::COPY_SRC,
    );
    let read = buffer(
        "proof read",
        result_bytes,
        Usage::MAP_READ | Usage::COPY_DST,
    );
    context
        .queue
        .write_buffer(&uniform, 0, bytemuck::bytes_of(&params));
    context.queue.write_buffer(&case_buffer, 0, cases);
    let bind_group = context
        .device
        .create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("proof"),
            layout: &context.proof_layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: proof_binding::PARAMS,
                    resource: uniform.as_entire_binding(),
                },
                wgpu::BindGroupEntry {
                    binding: proof_binding::CASES,
                    resource: case_buffer.as_entire_binding(),
                },
                wgpu::BindGroupEntry {
                    binding: proof_binding::RESULTS,
                    resource: results.as_entire_binding(),
                },
            ],
        });
    let mut encoder = context
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor {
            label: Some("proof"),
        });
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    pass.set_pipeline(&pipeline.pipeline);
    pass.set_bind_group(0, &bind_group, &[]);
    pass.dispatch_workgroups(workgroups, 1, 1);
    drop(pass);
    encoder.copy_buffer_to_buffer(&results, 0, &read, 0, result_bytes as u64);
    let submission = context.queue.submit([encoder.finish()]);
    context.wait_mapped(&submission, &[read.slice(..)])?;
    let view = read
        .get_mapped_range(..)
        .map_err(|error| Stop::Lost(error.to_string()))?;
    Ok(view.to_vec())
}
