//! What the pixels of a deep view share, on a device: the reference orbit and the blocks of its steps; uploaded once
//! a frame and kept for its strips.

use std::sync::{Arc, Mutex, Weak};

use fractal::{Arithmetic, ComplexExp, FloatExp, ReferenceOrbit};
use shaders::layout::{
    BLOCK_BYTES, Delta, MAX_LEVELS, NOTHING, STANDS_FOR_SMALL, delta_binding, round_binding,
    small_log2, split,
};

use super::buffers::BufferSet;
use super::context::{Context, Stop, lock};
use crate::deep::bla::{Entry, LOWEST_LEVEL};
use crate::prepared::{DeepFrame, PreparedFrame};
use crate::progress::Progress;

/// Storage buffers that a round of deltas binds.
pub(super) const STORAGE_BUFFERS: u32 = 8;
/// Frames whose data stay on a device: the one at work and the one before it, whose last strips may still come.
const MOST_FRAMES: usize = 2;
/// Most bytes on a device of one frame.
const MOST_BYTES: u64 = 1 << 30;
/// Bytes of a complex number.
const NUMBER_BYTES: u64 = 16;
/// Bytes that are converted at a time.
const CHUNK: usize = 1 << 20;
/// Bytes that may wait for their way to the device.
const PENDING: usize = 16 << 20;
/// Exponents are within 2^± this, far from [`NOTHING`].
const MOST_EXPONENT: i64 = 900_000;
/// Places of small values are whole numbers in single precision.
const MOST_SMALL: usize = 1 << 24;

/// The data of a frame on a device.
#[derive(Debug)]
pub(super) struct DeltaBuffers {
    uniform: wgpu::Buffer,
    reference: wgpu::Buffer,
    blocks: wgpu::Buffer,
    radii: wgpu::Buffer,
    /// Coordinates are in units of 2^this.
    c_exponent: i64,
}

/// The data of the last few frames.
#[derive(Debug, Default)]
pub(super) struct DeltaCache(Mutex<Vec<Cached>>);

#[derive(Debug)]
struct Cached {
    deep: Weak<DeepFrame>,
    double: bool,
    buffers: Arc<DeltaBuffers>,
}

impl DeltaCache {
    /// The data of a frame, uploaded now if they are not there.
    pub(super) fn get(
        &self,
        context: &Context,
        frame: &PreparedFrame,
        arithmetic: Arithmetic,
        progress: &Progress,
    ) -> Result<Arc<DeltaBuffers>, Stop> {
        let deep = frame.deep.as_ref().ok_or(Stop::NotServed)?;
        let double = is_double(arithmetic);
        // Held while they are made: whoever else wants them would only make them too.
        let mut cached = lock(&self.0);
        cached.retain(|entry| entry.deep.strong_count() > 0);
        let known = cached.iter().position(|entry| {
            std::ptr::eq(entry.deep.as_ptr(), Arc::as_ptr(deep)) && entry.double == double
        });
        if let Some(at) = known {
            return Ok(Arc::clone(&cached[at].buffers));
        }
        if cached.len() >= MOST_FRAMES {
            cached.remove(0);
        }
        let buffers = Arc::new(DeltaBuffers::new(context, deep, arithmetic, progress)?);
        cached.push(Cached {
            deep: Arc::downgrade(deep),
            double,
            buffers: Arc::clone(&buffers),
        });
        Ok(buffers)
    }
}

/// The largest number of steps of a reference orbit for devices with these limits.
pub(super) fn most_steps(limits: &wgpu::Limits) -> u64 {
    let bytes = most_bytes(limits);
    // Some values are small ones and take three places.
    (bytes / NUMBER_BYTES / 17 * 16).min(u64::from(u32::MAX / 4))
}

/// Whether exponents of a frame are within what kernels can hold.
pub(super) fn has_exponents_for(deep: &DeepFrame) -> bool {
    let ends = [&deep.columns, &deep.rows].map(|offsets| [offsets.first(), offsets.last()]);
    ends.iter()
        .flatten()
        .flatten()
        .all(|offset| offset.exponent().abs() < MOST_EXPONENT)
        && deep.pixel_spacing.exponent().abs() < MOST_EXPONENT
}

/// Whether numbers are doubles, and not pairs of singles.
fn is_double(arithmetic: Arithmetic) -> bool {
    matches!(arithmetic, Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp)
}

/// Exponent of the larger part.
fn exponent_of(z: ComplexExp) -> i64 {
    let exponents = [z.re, z.im].into_iter().filter(|part| !part.is_zero());
    exponents
        .map(FloatExp::exponent)
        .max()
        .unwrap_or(i64::from(NOTHING))
}

/// An exponent as kernels have it.
fn exponent_word(exponent: i64) -> i32 {
    exponent.clamp(i64::from(NOTHING), -i64::from(NOTHING)) as i32
}

/// Numbers as bytes, on their way to a buffer.
struct Upload<'a> {
    queue: &'a wgpu::Queue,
    buffer: &'a wgpu::Buffer,
    double: bool,
    bytes: Vec<u8>,
    at: u64,
    pending: usize,
}

impl<'a> Upload<'a> {
    fn new(context: &'a Context, buffer: &'a wgpu::Buffer, double: bool) -> Self {
        Self {
            queue: &context.queue,
            buffer,
            double,
            bytes: Vec::with_capacity(CHUNK + BLOCK_BYTES),
            at: 0,
            pending: 0,
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= CHUNK {
            self.flush();
        }
    }

    fn number(&mut self, re: f64, im: f64) {
        if self.double {
            self.bytes(bytemuck::bytes_of(&[re, im]));
        } else {
            self.bytes(bytemuck::bytes_of(&[split(re), split(im)]));
        }
    }

    /// A number times 2^-`exponent`.
    fn scaled(&mut self, z: ComplexExp, exponent: i64) {
        self.number(z.re.scaled(exponent), z.im.scaled(exponent));
    }

    /// A number whose first word is `first`, and its second one `second`, in words of the number type.
    fn words(&mut self, first: f64, second: f64) {
        if self.double {
            self.bytes(bytemuck::bytes_of(&[first, second]));
        } else {
            self.bytes(bytemuck::bytes_of(&[first as f32, second as f32, 0.0, 0.0]));
        }
    }

    fn flush(&mut self) {
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

/// The radius of a block as kernels compare it: log2 of its square in 1/256, with the mantissa's upper bits in the
/// place of its logarithm; the lowest number for a block that no delta may take.
fn radius_word(entry: &Entry) -> i32 {
    let radius = FloatExp::new(entry.radius, i64::from(entry.radius_exponent));
    if radius.is_zero() {
        return i32::MIN;
    }
    let square = radius * radius;
    let upper = ((square.mantissa() - 1.0) * 256.0).floor() as i32;
    256 * exponent_word(square.exponent()) + upper
}

impl DeltaBuffers {
    fn new(
        context: &Context,
        deep: &DeepFrame,
        arithmetic: Arithmetic,
        progress: &Progress,
    ) -> Result<Self, Stop> {
        let orbit = &*deep.orbit;
        let steps = orbit.steps();
        if steps > most_steps(&context.limits) || !has_exponents_for(deep) {
            return Err(Stop::NotServed);
        }
        let table = deep.bla();
        progress.step();
        let reference = upload_reference(context, orbit, arithmetic)?;
        progress.step();
        // A device with little memory keeps the longer blocks.
        let levels = table.levels.iter().zip(LOWEST_LEVEL..);
        let levels: Vec<(&[Entry], u32)> = levels
            .map(|(entries, level)| (entries.as_slice(), level))
            .take_while(|(_, level)| (*level as usize) < MAX_LEVELS)
            .collect();
        let fitting = |levels: &[(&[Entry], u32)]| {
            let count: usize = levels.iter().map(|(entries, _)| entries.len()).sum();
            count as u64 * BLOCK_BYTES as u64 <= most_bytes(&context.limits)
        };
        let first = (0..=levels.len())
            .find(|first| fitting(&levels[*first..]))
            .unwrap_or(levels.len());
        // The longest that nothing can take are of no use.
        let takes = |(entries, _): &(&[Entry], u32)| entries.iter().any(|e| e.radius > 0.0);
        let end = levels.iter().rposition(takes).map_or(0, |last| last + 1);
        let levels = &levels[first.min(end)..end];
        let (blocks, radii) = upload_blocks(context, levels, arithmetic);
        progress.step();
        let mut delta = Delta {
            c_exponent: exponent_word(deep.reach().exponent()),
            last: u32::try_from(steps).map_err(|_| Stop::NotServed)?,
            spacing: deep.pixel_spacing.mantissa() as f32,
            spacing_exponent: exponent_word(deep.pixel_spacing.exponent()),
            ..Delta::default()
        };
        if let (Some((_, lowest)), Some((_, highest))) = (levels.first(), levels.last()) {
            (delta.first_level, delta.end_level) = (*lowest, highest + 1);
        }
        let mut place = 0;
        for (entries, level) in levels {
            delta.offsets[*level as usize] = place;
            place += entries.len() as u32;
        }
        let uniform = buffer(
            context,
            "delta",
            size_of::<Delta>() as u64,
            wgpu::BufferUsages::UNIFORM,
        );
        context
            .queue
            .write_buffer(&uniform, 0, bytemuck::bytes_of(&delta));
        context.queue.submit([]);
        context.failure.check()?;
        Ok(Self {
            uniform,
            reference,
            blocks,
            radii,
            c_exponent: i64::from(delta.c_exponent),
        })
    }

    /// The coordinates of a frame's columns, then of some of its rows.
    pub(super) fn coordinates(
        &self,
        deep: &DeepFrame,
        rows: std::ops::Range<usize>,
        arithmetic: Arithmetic,
    ) -> Vec<u8> {
        let all = deep.columns.iter().chain(&deep.rows[rows]);
        self.coordinate_bytes(all, arithmetic)
    }

    /// The same of single pixels: the columns of all of them, then the rows.
    pub(super) fn listed_coordinates(
        &self,
        deep: &DeepFrame,
        listed: &[(u32, u32)],
        arithmetic: Arithmetic,
    ) -> Vec<u8> {
        let columns = (listed.iter()).map(|(column, _)| &deep.columns[*column as usize]);
        let rows = listed.iter().map(|(_, row)| &deep.rows[*row as usize]);
        self.coordinate_bytes(columns.chain(rows), arithmetic)
    }

    fn coordinate_bytes<'a>(
        &self,
        offsets: impl Iterator<Item = &'a FloatExp>,
        arithmetic: Arithmetic,
    ) -> Vec<u8> {
        let values = offsets.map(|offset| offset.scaled(self.c_exponent));
        if is_double(arithmetic) {
            values.flat_map(f64::to_ne_bytes).collect()
        } else {
            values
                .flat_map(|value| bytemuck::cast::<_, [u8; 8]>(split(value)))
                .collect()
        }
    }

    /// Both ways of a strip's states, with these data.
    pub(super) fn bind_groups(
        &self,
        context: &Context,
        set: &BufferSet,
    ) -> Result<[wgpu::BindGroup; 2], Stop> {
        let layout = context.delta_layout.as_ref().ok_or(Stop::NotServed)?;
        Ok([0, 1].map(|turn| {
            let mut entries: Vec<_> = set.entries(turn).into();
            // The columns' buffer holds the rows too.
            entries.retain(|entry| entry.binding != round_binding::ROWS);
            let own = [
                (delta_binding::DELTA, &self.uniform),
                (delta_binding::REFERENCE, &self.reference),
                (delta_binding::BLOCKS, &self.blocks),
                (delta_binding::RADII, &self.radii),
            ];
            entries.extend(own.map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            }));
            context
                .device
                .create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("deltas"),
                    layout,
                    entries: &entries,
                })
        }))
    }
}

fn most_bytes(limits: &wgpu::Limits) -> u64 {
    MOST_BYTES
        .min(limits.max_buffer_size)
        .min(limits.max_storage_buffer_binding_size)
}

fn buffer(context: &Context, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes,
        usage: usage | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// The values of an orbit; behind them the small ones among them with their exponents.
fn upload_reference(
    context: &Context,
    orbit: &ReferenceOrbit,
    arithmetic: Arithmetic,
) -> Result<wgpu::Buffer, Stop> {
    // So much larger than a delta with an exponent of its own that their sum is no nearer to 0 than that delta.
    let least = f64::from(small_log2(arithmetic) + 2).exp2();
    let is_small = |z: &[f64; 2]| z[0].abs().max(z[1].abs()) < least;
    let small = orbit.values.iter().filter(|z| is_small(z)).count();
    let numbers = orbit.values.len() as u64 + 2 * small as u64;
    if small > MOST_SMALL || numbers * NUMBER_BYTES > most_bytes(&context.limits) {
        return Err(Stop::NotServed);
    }
    let buffer = buffer(
        context,
        "reference",
        numbers * NUMBER_BYTES,
        wgpu::BufferUsages::STORAGE,
    );
    let mut upload = Upload::new(context, &buffer, is_double(arithmetic));
    let mut place = 0;
    for z in &orbit.values {
        if is_small(z) {
            upload.words(STANDS_FOR_SMALL, f64::from(place));
            place += 1;
        } else {
            upload.number(z[0], z[1]);
        }
    }
    for (m, _) in orbit.values.iter().enumerate().filter(|(_, z)| is_small(z)) {
        let z = orbit.at(m as u64);
        let exponent = exponent_of(z);
        upload.scaled(z, exponent);
        upload.words(f64::from(exponent_word(exponent)), 0.0);
    }
    upload.flush();
    Ok(buffer)
}

/// Blocks, level after level, and their radii.
fn upload_blocks(
    context: &Context,
    levels: &[(&[Entry], u32)],
    arithmetic: Arithmetic,
) -> (wgpu::Buffer, wgpu::Buffer) {
    let count: usize = levels.iter().map(|(entries, _)| entries.len()).sum();
    // A binding is not empty.
    let count = count.max(1) as u64;
    let storage = wgpu::BufferUsages::STORAGE;
    let blocks = buffer(context, "blocks", count * BLOCK_BYTES as u64, storage);
    let radii = buffer(context, "radii", count * 4, storage);
    let mut upload = Upload::new(context, &blocks, is_double(arithmetic));
    for entry in levels.iter().flat_map(|(entries, _)| *entries) {
        let wide = entry.wide();
        let exponents = [exponent_of(wide.a), exponent_of(wide.b)];
        upload.scaled(wide.a, exponents[0]);
        upload.scaled(wide.b, exponents[1]);
        let [a, b] = exponents.map(exponent_word);
        upload.bytes(bytemuck::bytes_of(&[a, b, 0, 0]));
    }
    upload.flush();
    let mut upload = Upload::new(context, &radii, false);
    for entry in levels.iter().flat_map(|(entries, _)| *entries) {
        upload.bytes(&radius_word(entry).to_ne_bytes());
    }
    upload.flush();
    (blocks, radii)
}

/// The layout of a round of deltas.
pub(super) fn layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let storage = wgpu::BufferBindingType::Storage { read_only: true };
    let mut entries: Vec<_> = super::buffers::round_layout_entries().into();
    entries.retain(|entry| entry.binding != round_binding::ROWS);
    let own = [
        (delta_binding::DELTA, wgpu::BufferBindingType::Uniform),
        (delta_binding::REFERENCE, storage),
        (delta_binding::BLOCKS, storage),
        (delta_binding::RADII, storage),
    ];
    entries.extend(own.map(|(binding, ty)| super::buffers::layout_entry(binding, ty)));
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("deltas"),
        entries: &entries,
    })
}
