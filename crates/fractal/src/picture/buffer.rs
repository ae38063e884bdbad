//! A computed strip: the values of its pixels, and the device that computed them.

use serde::{Deserialize, Serialize};

use crate::picture::arithmetic::{Arithmetic, Backend};
use crate::picture::frame::FrameSpec;
use crate::picture::measure::{Measure, MeasureSet};
use crate::picture::strip::Strip;

/// The values of one measure, row by row, `rows * width` of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Plane {
    /// See [`Measure::Iterations`].
    Iterations(Vec<u32>),
    /// See [`Measure::Smooth`].
    Smooth(Vec<f32>),
    /// See [`Measure::Distance`].
    Distance(Vec<f32>),
    /// See [`Measure::Stability`].
    Stability(Vec<f64>),
    /// See [`Measure::LongIterations`].
    LongIterations(Vec<u64>),
    /// See [`Measure::Fraction`].
    Fraction(Vec<f32>),
    /// See [`Measure::Phase`].
    Phase(Vec<f32>),
    /// See [`Measure::Direction`].
    Direction(Vec<f32>),
}

impl Plane {
    /// Which measure it holds.
    #[must_use]
    pub fn measure(&self) -> Measure {
        match self {
            Self::Iterations(_) => Measure::Iterations,
            Self::Smooth(_) => Measure::Smooth,
            Self::Distance(_) => Measure::Distance,
            Self::Stability(_) => Measure::Stability,
            Self::LongIterations(_) => Measure::LongIterations,
            Self::Fraction(_) => Measure::Fraction,
            Self::Phase(_) => Measure::Phase,
            Self::Direction(_) => Measure::Direction,
        }
    }

    /// The values as bytes in the machine's order.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Iterations(values) => bytemuck::cast_slice(values),
            Self::Smooth(values)
            | Self::Distance(values)
            | Self::Fraction(values)
            | Self::Phase(values)
            | Self::Direction(values) => bytemuck::cast_slice(values),
            Self::Stability(values) => bytemuck::cast_slice(values),
            Self::LongIterations(values) => bytemuck::cast_slice(values),
        }
    }

    /// A plane of `measure` from bytes in the machine's order; trailing bytes that make up no value
    /// are left out, so check the length first.
    #[must_use]
    pub fn from_bytes(measure: Measure, bytes: &[u8]) -> Self {
        fn values<T: bytemuck::Pod>(bytes: &[u8]) -> Vec<T> {
            let whole = bytes.len() / size_of::<T>() * size_of::<T>();
            bytemuck::pod_collect_to_vec(&bytes[..whole])
        }
        match measure {
            Measure::Iterations => Self::Iterations(values(bytes)),
            Measure::Smooth => Self::Smooth(values(bytes)),
            Measure::Distance => Self::Distance(values(bytes)),
            Measure::Stability => Self::Stability(values(bytes)),
            Measure::LongIterations => Self::LongIterations(values(bytes)),
            Measure::Fraction => Self::Fraction(values(bytes)),
            Measure::Phase => Self::Phase(values(bytes)),
            Measure::Direction => Self::Direction(values(bytes)),
        }
    }
}

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
        self.planes.iter().find(|plane| plane.measure() == measure)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_come_back_from_unaligned_bytes() {
        let plane = Plane::Stability(vec![1.5, f64::NAN, -0.0]);
        let mut shifted = vec![0u8];
        shifted.extend_from_slice(plane.bytes());
        let back = Plane::from_bytes(Measure::Stability, &shifted[1..]);
        assert_eq!(back.bytes(), plane.bytes());
    }
}
