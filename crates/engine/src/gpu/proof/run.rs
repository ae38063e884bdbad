//! Runs a program of a proof on a device.

use shaders::layout::{Proof, split};
use shaders::{Program, WORKGROUP};

use crate::gpu::session::context::Context;
use crate::gpu::session::dispatch::dispatch;
use crate::gpu::session::pipeline::Pipeline;
use crate::gpu::session::stop::Stop;

/// A program of the proof's kind, compiled.
pub(super) fn compiled(context: &Context, program: Option<Program>) -> Result<Pipeline, String> {
    let program = program.ok_or("there is no such proof")?;
    context.compile(program).map_err(Stop::reason)
}

/// Runs a program of the proof's kind over cases.
pub(super) fn run<T: bytemuck::Pod>(
    context: &Context,
    program: Option<Program>,
    cases: &[u8],
    count: usize,
    steps: u32,
) -> Result<Vec<T>, String> {
    run_compiled(context, &compiled(context, program)?, cases, count, steps)
}

/// The same of a compiled one.
pub(super) fn run_compiled<T: bytemuck::Pod>(
    context: &Context,
    pipeline: &Pipeline,
    cases: &[u8],
    count: usize,
    steps: u32,
) -> Result<Vec<T>, String> {
    let params = Proof {
        zero: 0,
        count: count as u32,
        steps,
        padding: 0,
        radius2: split(65536.0),
        radius: split(256.0),
    };
    let workgroups = (count as u32).div_ceil(WORKGROUP);
    let bytes = dispatch(
        context,
        pipeline,
        params,
        cases,
        count * size_of::<T>(),
        workgroups,
    )
    .map_err(Stop::reason)?;
    Ok(bytemuck::pod_collect_to_vec(&bytes))
}
