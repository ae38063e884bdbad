//! What the pixels of a deep view share, on a device: the reference orbit and the blocks of its steps; uploaded once
//! a frame and kept for its strips. An orbit that is too long for one buffer lies in several: see
//! [`super::upload`].

use std::sync::{Arc, Mutex, Weak};

use fractal::{Arithmetic, FloatExp};
use shaders::layout::{Delta, delta_binding, round_binding, split};

use super::upload::{NUMBER_BYTES, Page, Source, exponent_word, is_double};
use crate::frame::{DeepFrame, PreparedFrame};
use crate::gpu::session::buffers::BufferSet;
use crate::gpu::session::context::Context;
use crate::gpu::session::stop::{Stop, lock};
use crate::progress::Progress;

/// Frames whose data stay on a device: the present one and the one before it, whose last strips may still come.
const MOST_FRAMES: usize = 2;
/// Most bytes on a device of one frame.
const MOST_BYTES: u64 = 2 << 30;
/// Fewest values of a page, as a power of two, and most pages: a pixel waits for its turn at each.
const SHORTEST_PAGE: u32 = 8;
const MOST_PAGES: u64 = 64;
/// Exponents are within 2^± this, far from [`shaders::layout::NOTHING`].
const MOST_EXPONENT: i64 = 900_000;

/// The data of a frame on a device.
#[derive(Debug)]
pub(in crate::gpu) struct DeltaBuffers {
    pages: Vec<PageBuffers>,
    /// Coordinates are in units of 2^this.
    c_exponent: i64,
    /// Whether the reference orbit meets the escape radius.
    pub(in crate::gpu) meets_radius: bool,
}

/// A stretch of the reference.
#[derive(Debug)]
struct PageBuffers {
    uniform: wgpu::Buffer,
    reference: wgpu::Buffer,
    blocks: wgpu::Buffer,
    jets: wgpu::Buffer,
    radii: wgpu::Buffer,
}

/// The data of the last few frames.
#[derive(Debug, Default)]
pub(in crate::gpu) struct DeltaCache(Mutex<Vec<CacheEntry>>);

#[derive(Debug)]
struct CacheEntry {
    deep: Weak<DeepFrame>,
    double: bool,
    buffers: Arc<DeltaBuffers>,
}

impl DeltaCache {
    /// The data of a frame, uploaded now if they are not there.
    pub(in crate::gpu) fn get(
        &self,
        context: &Context,
        frame: &PreparedFrame,
        arithmetic: Arithmetic,
        progress: &Progress,
    ) -> Result<Arc<DeltaBuffers>, Stop> {
        let deep = frame.deep.as_ref().ok_or(Stop::NotServed)?;
        let double = is_double(arithmetic);
        // Held while they are made, so that they are not made twice.
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
        cached.push(CacheEntry {
            deep: Arc::downgrade(deep),
            double,
            buffers: Arc::clone(&buffers),
        });
        Ok(buffers)
    }
}

/// The largest number of steps of a reference orbit for devices that bind buffers of `most_binding` bytes.
pub(in crate::gpu) fn most_steps(most_binding: u64) -> u64 {
    let pages = page_size(most_binding).map_or(0, |size| MOST_PAGES << size);
    // Some values are small ones and take three places.
    pages.min(MOST_BYTES / NUMBER_BYTES / 17 * 16)
}

/// log2 of the values of a page.
fn page_size(most_binding: u64) -> Option<u32> {
    // All other buffers of a page are smaller than that of the values.
    let values = most_binding.min(MOST_BYTES) / NUMBER_BYTES / 17 * 16;
    values.checked_ilog2().filter(|size| *size >= SHORTEST_PAGE)
}

/// Whether exponents of a frame are within what kernels can hold.
pub(in crate::gpu) fn has_exponents_for(deep: &DeepFrame) -> bool {
    let cross = deep.cross.iter();
    let cross = cross.flat_map(|cross| [&cross.columns, &cross.rows]);
    let all = [&deep.columns, &deep.rows].into_iter().chain(cross);
    all.flat_map(|offsets| [offsets.first(), offsets.last()])
        .flatten()
        .all(|offset| offset.exponent().abs() < MOST_EXPONENT)
        && deep.pixel_spacing.exponent().abs() < MOST_EXPONENT
}

impl PageBuffers {
    fn new(context: &Context, page: Page, common: &Delta) -> Self {
        let delta = Delta {
            first: page.values.start as u32,
            end: page.values.end as u32,
            jet_radii: page.jet_radii,
            offsets: page.offsets,
            jet_offsets: page.jet_offsets,
            ..*common
        };
        let uniform = context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("delta"),
            size: size_of::<Delta>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        (context.queue).write_buffer(&uniform, 0, bytemuck::bytes_of(&delta));
        Self {
            uniform,
            reference: page.reference,
            blocks: page.blocks,
            jets: page.jets,
            radii: page.radii,
        }
    }
}

impl DeltaBuffers {
    fn new(
        context: &Context,
        deep: &DeepFrame,
        arithmetic: Arithmetic,
        progress: &Progress,
    ) -> Result<Self, Stop> {
        let steps = deep.orbit.steps();
        let size = page_size(context.most_binding()).ok_or(Stop::NotServed)?;
        if steps > most_steps(context.most_binding()) || !has_exponents_for(deep) {
            return Err(Stop::NotServed);
        }
        let source = Source::new(deep, arithmetic, MOST_BYTES);
        progress.step();
        let (blocks, jets) = (source.blocks.range(), source.jets.range());
        let common = Delta {
            c_exponent: exponent_word(deep.c_max().exponent()),
            last: u32::try_from(steps).map_err(|_| Stop::NotServed)?,
            first_level: blocks.start,
            end_level: blocks.end,
            first_jet_level: jets.start,
            end_jet_level: jets.end,
            least: source.least,
            spacing: deep.pixel_spacing.mantissa() as f32,
            spacing_exponent: exponent_word(deep.pixel_spacing.exponent()),
            ..Delta::default()
        };
        let mut pages = Vec::new();
        for page in 0..steps.div_ceil(1 << size).max(1) {
            let page = source.page(context, page, size)?;
            pages.push(PageBuffers::new(context, page, &common));
            progress.step();
            if progress.is_cancelled() {
                return Err(Stop::Cancelled);
            }
        }
        context.queue.submit([]);
        context.failure.check()?;
        Ok(Self {
            pages,
            c_exponent: i64::from(common.c_exponent),
            meets_radius: deep.meets_radius(),
        })
    }

    /// The coordinates of a frame's columns, then of some of its rows.
    pub(in crate::gpu) fn coordinates(
        &self,
        deep: &DeepFrame,
        rows: std::ops::Range<usize>,
        arithmetic: Arithmetic,
    ) -> Vec<u8> {
        let all = deep.columns.iter().chain(&deep.rows[rows]);
        self.coordinate_bytes(all.copied(), arithmetic)
    }

    /// The same of single pixels: the columns of all of them, then the rows.
    pub(in crate::gpu) fn listed_coordinates(
        &self,
        deep: &DeepFrame,
        listed: &[(u32, u32)],
        arithmetic: Arithmetic,
    ) -> Vec<u8> {
        let (columns, rows): (Vec<_>, Vec<_>) = listed
            .iter()
            .map(|(column, row)| deep.at(*column as usize, *row as usize))
            .map(|c| (c.re, c.im))
            .unzip();
        self.coordinate_bytes(columns.into_iter().chain(rows), arithmetic)
    }

    fn coordinate_bytes(
        &self,
        offsets: impl Iterator<Item = FloatExp>,
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

    /// How many pages the reference lies in.
    #[cfg(test)]
    pub(in crate::gpu) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Both ways of a strip's states, with each page's data.
    pub(in crate::gpu) fn bind_groups(
        &self,
        context: &Context,
        set: &BufferSet,
    ) -> Result<Vec<[wgpu::BindGroup; 2]>, Stop> {
        let layout = context.delta_layout.as_ref().ok_or(Stop::NotServed)?;
        let group = |page: &PageBuffers, turn| {
            let mut entries: Vec<_> = set.entries(turn).into();
            // The columns' buffer holds the rows too.
            entries.retain(|entry| entry.binding != round_binding::ROWS);
            let own = [
                (delta_binding::DELTA, &page.uniform),
                (delta_binding::REFERENCE, &page.reference),
                (delta_binding::BLOCKS, &page.blocks),
                (delta_binding::RADII, &page.radii),
                (delta_binding::JETS, &page.jets),
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
        };
        Ok((self.pages.iter())
            .map(|page| [0, 1].map(|turn| group(page, turn)))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orbit_may_be_longer_than_a_binding() {
        // What WebGPU promises: 128 MiB.
        let promised = 128 << 20;
        let size = page_size(promised).unwrap();
        // With the small ones, which are a sixteenth at most.
        let bytes = |size: u32| (NUMBER_BYTES << size) / 16 * 17;
        assert!(bytes(size) <= promised && bytes(size + 1) > promised);
        assert!(most_steps(promised) > 100_000_000);
        assert_eq!(
            most_steps(1 << 20),
            MOST_PAGES << page_size(1 << 20).unwrap()
        );
        assert_eq!(page_size(1 << 10), None);
        assert_eq!(most_steps(1 << 10), 0);
    }
}
