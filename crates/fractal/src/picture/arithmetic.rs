//! The number types of kernels, and which views each is precise enough for.

use serde::{Deserialize, Serialize};

/// What kind of device made a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// SIMD on the processor.
    Cpu,
    /// WGSL on a wgpu adapter.
    Gpu,
}

/// The number type of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arithmetic {
    /// Single precision, 24 bits.
    F32,
    /// An unevaluated sum of two singles, about 48 bits.
    DoubleSingle,
    /// Double precision, 53 bits.
    F64,
    /// Deltas from a reference orbit in double-single, with an exponent of their own where `f32` has too little.
    DeltaDoubleSingle,
    /// Deltas from a reference orbit in `f64`, where its exponent serves for the whole view.
    DeltaF64,
    /// Deltas from a reference orbit in `f64`, with a separate exponent wherever they are too small for `f64`'s own.
    DeltaFloatexp,
}

/// Which kinds of device may compute a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendChoice {
    /// Whatever a worker has; CPU and GPU agree within the stated tolerance only.
    #[default]
    Auto,
    /// The SIMD kernels alone.
    Cpu,
    /// Adapters alone, software adapters too.
    Gpu,
}

impl BackendChoice {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Cpu, Self::Gpu];

    /// The name on the command line and in world files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }

    /// Whether a buffer made by `backend` may stand in a job with this choice.
    #[must_use]
    pub fn admits(self, backend: Backend) -> bool {
        match self {
            Self::Auto => true,
            Self::Cpu => backend == Backend::Cpu,
            Self::Gpu => backend == Backend::Gpu,
        }
    }
}

impl Backend {
    /// The name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

impl Arithmetic {
    /// All that iterate a pixel's own orbit, from the least to the most precise.
    pub const PLAIN: [Self; 3] = [Self::F32, Self::DoubleSingle, Self::F64];
    /// All that iterate its delta from a reference orbit.
    pub const DELTA: [Self; 3] = [Self::DeltaDoubleSingle, Self::DeltaF64, Self::DeltaFloatexp];

    /// Whether it iterates deltas from a reference orbit.
    #[must_use]
    pub const fn is_delta(self) -> bool {
        matches!(
            self,
            Self::DeltaDoubleSingle | Self::DeltaF64 | Self::DeltaFloatexp
        )
    }

    /// The one that processors use for deltas where pixels are 2^`spacing_log2` apart: doubles as long as their
    /// exponent serves.
    #[must_use]
    pub fn delta_of_processors(spacing_log2: f64) -> Self {
        if spacing_log2 >= Self::DeltaF64.drawable_spacing_log2() {
            Self::DeltaF64
        } else {
            Self::DeltaFloatexp
        }
    }

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::DoubleSingle => "double-single",
            Self::F64 => "f64",
            Self::DeltaDoubleSingle => "delta-double-single",
            Self::DeltaF64 => "delta-f64",
            Self::DeltaFloatexp => "delta-floatexp",
        }
    }

    /// Smallest log2 of a view's longer side in the plane at which plain iteration in this arithmetic is exact
    /// enough: about 1 % of the counts differ from the exact ones there, where a view is full of boundary.
    ///
    /// The pixel spacing does not matter: rounding moves every point by the same distance, and the share of a view that lies
    /// so near to the boundary does not depend on how densely it is sampled. `docs/precision.md` holds the
    /// measurement, and the command that repeats it.
    #[must_use]
    pub const fn exact_extent_log2(self) -> f64 {
        match self {
            Self::F32 => -2.0,
            Self::DoubleSingle => -13.5,
            Self::F64 => -15.0,
            Self::DeltaDoubleSingle | Self::DeltaF64 | Self::DeltaFloatexp => f64::NEG_INFINITY,
        }
    }

    /// Smallest log2 of the pixel spacing at which neighbouring pixels still have coordinates of their
    /// own with some bits to spare, in this arithmetic, near |c| = 2.
    #[must_use]
    pub const fn drawable_spacing_log2(self) -> f64 {
        match self {
            Self::F32 => -20.0,
            Self::DoubleSingle => -43.0,
            Self::F64 => -49.0,
            // Deltas down to 2^-970 or so leave room for what is smaller than a pixel.
            Self::DeltaF64 => -970.0,
            Self::DeltaDoubleSingle | Self::DeltaFloatexp => f64::NEG_INFINITY,
        }
    }

    /// Whether plain iteration in this arithmetic is exact enough for a view whose longer side is
    /// 2^`extent_log2` and whose pixels are 2^`spacing_log2` apart.
    #[must_use]
    pub fn is_exact_for(self, extent_log2: f64, spacing_log2: f64) -> bool {
        extent_log2 >= self.exact_extent_log2() && spacing_log2 >= self.drawable_spacing_log2()
    }
}
