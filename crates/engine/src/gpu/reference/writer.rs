//! Numbers as bytes, on their way to a buffer.

use fractal::ComplexExp;
use shaders::layout::{JET_BYTES, split};

use crate::gpu::session::context::Context;

/// Bytes that are converted at a time.
const CHUNK: usize = 1 << 20;
/// Bytes that may wait for their way to the device.
const PENDING: usize = 16 << 20;

/// Numbers as bytes, on their way to a buffer.
pub(super) struct Upload<'a> {
    queue: &'a wgpu::Queue,
    buffer: &'a wgpu::Buffer,
    double: bool,
    bytes: Vec<u8>,
    at: u64,
    pending: usize,
}

impl<'a> Upload<'a> {
    pub(super) fn new(context: &'a Context, buffer: &'a wgpu::Buffer, double: bool) -> Self {
        Self {
            queue: &context.queue,
            buffer,
            double,
            bytes: Vec::with_capacity(CHUNK + JET_BYTES),
            at: 0,
            pending: 0,
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= CHUNK {
            self.flush();
        }
    }

    pub(super) fn number(&mut self, re: f64, im: f64) {
        if self.double {
            self.bytes(bytemuck::bytes_of(&[re, im]));
        } else {
            self.bytes(bytemuck::bytes_of(&[split(re), split(im)]));
        }
    }

    /// A number times 2^-`exponent`.
    pub(super) fn scaled(&mut self, z: ComplexExp, exponent: i64) {
        self.number(z.re.scaled(exponent), z.im.scaled(exponent));
    }

    /// A number whose first word is `first`, and its second one `second`, in words of the number type.
    pub(super) fn words(&mut self, first: f64, second: f64) {
        if self.double {
            self.bytes(bytemuck::bytes_of(&[first, second]));
        } else {
            self.bytes(bytemuck::bytes_of(&[first as f32, second as f32, 0.0, 0.0]));
        }
    }

    pub(super) fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        self.queue.write_buffer(self.buffer, self.at, &self.bytes);
        self.at += self.bytes.len() as u64;
        self.pending += self.bytes.len();
        self.bytes.clear();
        if self.pending >= PENDING {
            self.queue.submit([]);
            self.pending = 0;
        }
    }
}
