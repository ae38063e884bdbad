//! What all key frames of a sequence have in common: as its folder describes it.

use fractal::{Decimal, Formula, Measure, Transform};
use serde::{Deserialize, Serialize};

/// Version of the folders that this build writes, and the only one that it reads.
pub(crate) const VERSION: u32 = 2;

/// What all key frames of a folder have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFrameSpec {
    pub(crate) version: u32,
    /// Real part of the centre.
    pub re: Decimal,
    /// Imaginary part of the centre.
    pub im: Decimal,
    /// Zoom of the last frame, which the deepest key frame is for.
    pub zoom: Decimal,
    /// Zoom of the first frame that it was made for.
    pub from: Decimal,
    /// Iteration limit of the deepest key frame.
    pub iterations: u64,
    /// The same at zoom 1, from where it grows evenly with the octaves; one for all when `None`.
    pub shallow_iterations: Option<u64>,
    /// Escape radius.
    pub escape_radius: f64,
    /// Start value of the iteration, where it is not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z0: Option<(f64, f64)>,
    /// What is iterated.
    #[serde(default, skip_serializing_if = "Formula::is_mandelbrot")]
    pub formula: Formula,
    /// The c of a Julia set, real and imaginary part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub julia: Option<[Decimal; 2]>,
    /// log2 of the relative error that one skipped step may have, where it is another than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_error_log2: Option<i32>,
    /// How every view is turned and stretched.
    #[serde(default, skip_serializing_if = "Transform::is_default")]
    pub transform: Transform,
    /// Columns and rows of the frames that it was made for.
    pub frame: (u32, u32),
    /// Columns and rows, upright, of what a key frame shows in pixels of such a frame.
    pub upright: (u32, u32),
    /// Columns and rows of a key frame.
    pub key: (u32, u32),
    /// Of those rows, the ones that `upright` has; the others are a margin.
    pub shown_rows: u32,
    /// Whether key frames hold distances beside smooth counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distances: bool,
}

impl KeyFrameSpec {
    /// The description of a sequence.
    #[must_use]
    pub fn new(
        place: (Decimal, Decimal),
        zooms: (Decimal, Decimal),
        iterations: u64,
        escape_radius: f64,
    ) -> Self {
        Self {
            version: VERSION,
            re: place.0,
            im: place.1,
            from: zooms.0,
            zoom: zooms.1,
            iterations,
            shallow_iterations: None,
            escape_radius,
            z0: None,
            formula: Formula::default(),
            julia: None,
            skip_error_log2: None,
            transform: Transform::default(),
            frame: (0, 0),
            upright: (0, 0),
            key: (0, 0),
            shown_rows: 0,
            distances: false,
        }
    }

    /// The iteration limit of key frame `depth`.
    #[must_use]
    pub fn iterations_at(&self, depth: u32) -> u64 {
        let (octaves, deep) = (self.zoom.log2(), self.iterations as f64);
        match self.shallow_iterations {
            Some(shallow) if octaves > 0.0 => {
                let share = (f64::from(depth) / octaves).min(1.0);
                (deep + (shallow as f64 - deep) * share).round() as u64
            }
            _ => self.iterations,
        }
    }

    /// What its key frames hold.
    pub fn measures(&self) -> impl Iterator<Item = Measure> {
        let distance = self.distances.then_some(Measure::Distance);
        [Measure::Smooth].into_iter().chain(distance)
    }

    /// Whether its key frames are those that `wanted` has: all but where it begins, and it may have more in them.
    pub(crate) fn serves(&self, wanted: &Self) -> bool {
        let (from, distances) = (wanted.from.clone(), wanted.distances);
        let has_all = self.distances || !distances;
        has_all
            && Self {
                from,
                distances,
                ..self.clone()
            } == *wanted
    }
}
