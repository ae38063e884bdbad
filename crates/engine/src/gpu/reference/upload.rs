//! The reference orbit of a deep view and the blocks of its steps as kernels read them, page by page.
//!
//! A page is a stretch of the orbit: values m from 1 + p 2^s on for page p (and m = 0 in the first), 2^s of them, and the
//! blocks that begin there. Blocks of 2^s steps and fewer lie in pages as they lie in the orbit; of longer ones a page
//! has the one that begins at its first m, if any.

use std::ops::Range;

use fractal::{Arithmetic, ComplexExp, FloatExp, ReferenceOrbit};
use shaders::layout::{BLOCK_BYTES, JET_BYTES, MAX_LEVELS, NOTHING, STANDS_FOR_SMALL, small_log2};

use super::levels::Levels;
use super::writer::Upload;
use crate::deep::bla::{self, Entry};
use crate::deep::jets::{self, Jet};
use crate::frame::DeepFrame;
use crate::gpu::session::context::Context;
use crate::gpu::session::stop::Stop;

/// Bytes of a complex number.
pub(super) const NUMBER_BYTES: u64 = 16;
/// Places of small values are whole numbers in single precision.
const MOST_SMALL: usize = 1 << 24;
/// log2 of the smallest |u| of which pairs of singles hold all bits.
const LEAST_SINGLE_LOG2: f64 = -70.0;

/// Whether numbers are doubles, and not pairs of singles.
pub(super) fn is_double(arithmetic: Arithmetic) -> bool {
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
pub(super) fn exponent_word(exponent: i64) -> i32 {
    exponent.clamp(i64::from(NOTHING), -i64::from(NOTHING)) as i32
}

/// The radius of a block as kernels compare it: log2 of its square in 1/256, with the mantissa's upper bits in the
/// place of its logarithm; the lowest number for a block that no delta may take.
fn radius_word(radius: FloatExp) -> i32 {
    if radius.is_zero() {
        return i32::MIN;
    }
    let square = radius * radius;
    let upper = ((square.mantissa() - 1.0) * 256.0).floor() as i32;
    256 * exponent_word(square.exponent()) + upper
}

fn radius_of(entry: &Entry) -> FloatExp {
    FloatExp::new(entry.radius, i64::from(entry.radius_exponent))
}

fn radius_of_jet(jet: &Jet) -> FloatExp {
    if jet.inverse == f64::INFINITY {
        FloatExp::ZERO
    } else {
        FloatExp::from_f64(1.0 / jet.inverse)
    }
}

/// What a frame's kernels are given of its reference, before it is cut into pages.
pub(super) struct Source<'a> {
    orbit: &'a ReferenceOrbit,
    pub(super) blocks: Levels<'a, Entry>,
    pub(super) jets: Levels<'a, Jet>,
    arithmetic: Arithmetic,
    /// log2 of what a pixel's coordinate of 1 is in a polynomial block's own unit.
    unit: f64,
    /// See [`shaders::layout::Delta::least`].
    pub(super) least: i32,
}

/// A page of a reference on a device.
pub(super) struct Page {
    /// Its values of m.
    pub(super) values: Range<u64>,
    pub(super) reference: wgpu::Buffer,
    pub(super) blocks: wgpu::Buffer,
    pub(super) jets: wgpu::Buffer,
    pub(super) radii: wgpu::Buffer,
    pub(super) offsets: [u32; MAX_LEVELS],
    pub(super) jet_offsets: [u32; MAX_LEVELS],
    /// Blocks before the first polynomial one, among the radii.
    pub(super) jet_radii: u32,
}

impl<'a> Source<'a> {
    /// With as many of the shorter blocks as fit in `most_bytes` beside the orbit.
    pub(super) fn new(deep: &'a DeepFrame, arithmetic: Arithmetic, most_bytes: u64) -> Self {
        let orbit = &*deep.orbit;
        let (table, jet_table) = (deep.bla(), deep.jets());
        let mut blocks = Levels::of(&table.levels, bla::LOWEST_LEVEL, |entry| entry.radius > 0.0);
        let serves = |jet: &Jet| jet.inverse != f64::INFINITY;
        let mut jets = Levels::of(&jet_table.levels, jets::LOWEST_LEVEL, serves);
        let bytes = |blocks: &Levels<'_, Entry>, jets: &Levels<'_, Jet>| {
            let each = [(blocks.count(), BLOCK_BYTES), (jets.count(), JET_BYTES)];
            let blocks: usize = each.iter().map(|(count, bytes)| count * (bytes + 4)).sum();
            blocks as u64 + NUMBER_BYTES * (orbit.steps() + 1)
        };
        while bytes(&blocks, &jets) > most_bytes && (blocks.drop_shortest() | jets.drop_shortest())
        {
        }
        let least = libm::log2(jet_table.least2) / 2.0;
        let least = match is_double(arithmetic) {
            true => least,
            false => least.max(LEAST_SINGLE_LOG2),
        };
        let reach = deep.c_max();
        Self {
            orbit,
            blocks,
            jets,
            arithmetic,
            unit: if reach.is_zero() {
                1.0
            } else {
                1.0 / reach.mantissa()
            },
            // Logarithms of kernels are off by up to a tenth.
            least: (512.0 * least) as i32 + 64,
        }
    }

    /// The page with the number `page` of those of 2^`size` values.
    pub(super) fn page(&self, context: &Context, page: u64, size: u32) -> Result<Page, Stop> {
        let (first, count) = (page << size, 1u64 << size);
        // The first one has m = 0 beside its own.
        let values = if page == 0 { 0 } else { first + 1 }..first + 1 + count;
        let values = values.start..values.end.min(self.orbit.steps() + 1);
        let (blocks, jets) = (
            self.blocks.in_page(page, size),
            self.jets.in_page(page, size),
        );
        let blocks: Vec<&Entry> = blocks.flat_map(|(blocks, ..)| blocks).collect();
        let jets: Vec<&Jet> = jets.flat_map(|(jets, ..)| jets).collect();
        let reference = self.upload_values(context, values.clone())?;
        let page = Page {
            values,
            reference,
            blocks: self.upload_blocks(context, &blocks),
            radii: upload_radii(context, &blocks, &jets),
            jets: self.upload_jets(context, &jets),
            offsets: self.blocks.offsets(page, size),
            jet_offsets: self.jets.offsets(page, size),
            jet_radii: blocks.len() as u32,
        };
        context.failure.check()?;
        Ok(page)
    }

    /// Some values of the orbit; behind them the small ones among them with their exponents.
    fn upload_values(&self, context: &Context, range: Range<u64>) -> Result<wgpu::Buffer, Stop> {
        // So much larger than a delta with an exponent of its own that their sum is no nearer to 0 than that delta.
        let least = f64::from(small_log2(self.arithmetic) + 2).exp2();
        let is_small = |z: &[f64; 2]| z[0].abs().max(z[1].abs()) < least;
        let values = &self.orbit.values[range.start as usize..range.end as usize];
        let small = values.iter().filter(|z| is_small(z)).count();
        let numbers = values.len() as u64 + 2 * small as u64;
        if small > MOST_SMALL || numbers * NUMBER_BYTES > context.most_binding() {
            return Err(Stop::NotServed);
        }
        let buffer = storage(context, "reference", numbers * NUMBER_BYTES);
        let mut upload = Upload::new(context, &buffer, is_double(self.arithmetic));
        let mut place = 0;
        for z in values {
            if is_small(z) {
                upload.words(STANDS_FOR_SMALL, f64::from(place));
                place += 1;
            } else {
                upload.number(z[0], z[1]);
            }
        }
        for (m, _) in range.zip(values).filter(|(_, z)| is_small(z)) {
            let z = self.orbit.at(m);
            let exponent = exponent_of(z);
            upload.scaled(z, exponent);
            upload.words(f64::from(exponent_word(exponent)), 0.0);
        }
        upload.flush();
        Ok(buffer)
    }

    fn upload_blocks(&self, context: &Context, blocks: &[&Entry]) -> wgpu::Buffer {
        let buffer = storage(context, "blocks", (blocks.len() * BLOCK_BYTES) as u64);
        let mut upload = Upload::new(context, &buffer, is_double(self.arithmetic));
        for entry in blocks {
            let wide = entry.wide();
            let exponents = [exponent_of(wide.a), exponent_of(wide.b)];
            upload.scaled(wide.a, exponents[0]);
            upload.scaled(wide.b, exponents[1]);
            let [a, b] = exponents.map(exponent_word);
            upload.bytes(bytemuck::bytes_of(&[a, b, 0, 0]));
        }
        upload.flush();
        buffer
    }

    fn upload_jets(&self, context: &Context, jets: &[&Jet]) -> wgpu::Buffer {
        let buffer = storage(context, "jets", (jets.len() * JET_BYTES) as u64);
        let mut upload = Upload::new(context, &buffer, is_double(self.arithmetic));
        for jet in jets {
            self.jet(&mut upload, jet);
        }
        upload.flush();
        buffer
    }

    /// A polynomial block, whose unit of z becomes a power of two, and that of c the one of coordinates.
    fn jet(&self, upload: &mut Upload<'_>, jet: &Jet) {
        let radius = radius_of_jet(jet);
        if radius.is_zero() {
            upload.bytes(&[0; JET_BYTES]);
            return;
        }
        // The power of two from the radius on, and that as a multiple of the radius.
        let k = radius.exponent() + 1;
        let times = 2.0 / radius.mantissa();
        let part = |z: [f64; 2]| ComplexExp::from_f64(z[0], z[1]);
        let (a, b) = (
            part(jet.a.map(|a| a * times)),
            part(jet.b.map(|b| b * self.unit)),
        );
        let [a_exponent, b_exponent] = [&a, &b].map(|z| exponent_of(*z));
        upload.scaled(a, a_exponent);
        upload.scaled(b, b_exponent);
        let mut power = 1.0;
        for p in jet.low {
            power *= times;
            upload.number(p[0] * power, p[1] * power);
        }
        let mut singles = Vec::with_capacity(10);
        for p in jet.high {
            power *= times;
            singles.extend(p.map(|p| (f64::from(p) * power) as f32));
        }
        singles.extend(jet.cross.map(|d| (f64::from(d) * self.unit) as f32));
        let square = self.unit * self.unit / times;
        singles.extend(jet.square.map(|e| (f64::from(e) * square) as f32));
        upload.bytes(bytemuck::cast_slice(&singles));
        // All of them are narrow: see `jets`.
        let half = |exponent: i64| exponent.clamp(i16::MIN.into(), i16::MAX.into()) as i32;
        let both = half(a_exponent) << 16 | half(k) & 0xffff;
        upload.bytes(bytemuck::bytes_of(&[both, exponent_word(b_exponent)]));
    }
}

fn upload_radii(context: &Context, blocks: &[&Entry], jets: &[&Jet]) -> wgpu::Buffer {
    let buffer = storage(context, "radii", 4 * (blocks.len() + jets.len()) as u64);
    let mut upload = Upload::new(context, &buffer, false);
    let of_blocks = blocks.iter().map(|entry| radius_of(entry));
    for radius in of_blocks.chain(jets.iter().map(|jet| radius_of_jet(jet))) {
        upload.bytes(&radius_word(radius).to_ne_bytes());
    }
    upload.flush();
    buffer
}

/// A buffer that kernels read, of one block at least: no binding is empty.
fn storage(context: &Context, label: &str, bytes: u64) -> wgpu::Buffer {
    context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes.max(JET_BYTES as u64),
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
