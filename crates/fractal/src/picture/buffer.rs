//! A computed strip: the values of its pixels, and the device that computed them.

use serde::{Deserialize, Serialize};

use crate::picture::arithmetic::{Arithmetic, Backend};
use crate::picture::counts::Settling;
use crate::picture::frame::FrameSpec;
use crate::picture::measure::{Measure, MeasureSet};
use crate::picture::strip::Strip;
use crate::picture::values::{Plane, Value};

/// The device that computed a buffer, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Kind of device.
    pub backend: Backend,
    /// Number type of the kernel.
    pub arithmetic: Arithmetic,
    /// The device's name for people, such as `AVX-512, 2 threads` or an adapter's name.
    pub device: String,
    /// Identifies the kernel's algorithm: buffers of one strip from kernels of the same id and class of
    /// device have the same bytes.
    pub kernel_id: u64,
}

/// The computed values of one strip.
#[derive(Clone, Debug, PartialEq)]
pub struct StripBuffer {
    /// Which strip.
    pub strip: Strip,
    /// Columns.
    pub width: u32,
    /// One plane for each measure of the frame, in the order of [`Measure::ALL`].
    pub planes: Vec<Plane>,
    /// Sum over the pixels of the iterations they stand for: the count, or the limit N for a pixel that
    /// did not escape. Shortcuts do not change it. Large strips of the largest limits pass 2^64.
    pub iterations_total: u128,
    /// What it took to settle its counts; nothing where they are fast.
    pub settling: Settling,
    /// The device that computed it.
    pub origin: Origin,
    /// Seconds that the device was busy with it.
    pub busy_secs: f64,
}

impl StripBuffer {
    /// Number of pixels.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.strip.rows as usize * self.width as usize
    }

    /// The measures it holds.
    #[must_use]
    pub fn measures(&self) -> MeasureSet {
        self.planes.iter().map(Plane::measure).collect()
    }

    /// Bytes of all its values.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let planes = self.planes.iter();
        planes.map(|plane| plane.bytes().len() as u64).sum()
    }

    /// The plane of `measure`.
    #[must_use]
    pub fn plane(&self, measure: Measure) -> Option<&Plane> {
        Plane::find(&self.planes, measure)
    }

    /// The values of `measure`, row by row; `None` where it has none of this type.
    #[must_use]
    pub fn values<T: Value>(&self, measure: Measure) -> Option<&[T]> {
        self.plane(measure)?.values()
    }

    /// Whether it is a complete buffer of `strip` of `frame`: right width, measures and lengths.
    #[must_use]
    pub fn fits(&self, frame: &FrameSpec, strip: Strip) -> bool {
        self.strip == strip
            && self.width == frame.width
            && self.planes.len() == frame.measures.iter().count()
            && frame.measures.iter().zip(&self.planes).all(|(m, plane)| {
                plane.measure() == m && plane.bytes().len() == self.pixels() * m.bytes()
            })
    }
}
