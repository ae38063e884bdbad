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
    /// All, from the least to the most precise.
    pub const ALL: [Self; 3] = [Self::F32, Self::DoubleSingle, Self::F64];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::DoubleSingle => "double-single",
            Self::F64 => "f64",
        }
    }

    /// Smallest log2 of the pixel spacing at which plain iteration in this arithmetic is exact enough:
    /// about 1 % of the counts differ there from the exact ones, most of them by little.
    ///
    /// `docs/precision.md` holds the measurement, and the command that repeats it.
    #[must_use]
    pub const fn exact_spacing_log2(self) -> f64 {
        match self {
            Self::F32 => -12.5,
            Self::DoubleSingle => -22.0,
            Self::F64 => -24.0,
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
        }
    }

    /// Whether plain iteration in this arithmetic is exact enough for a pixel spacing.
    #[must_use]
    pub fn is_exact_at(self, spacing_log2: f64) -> bool {
        spacing_log2 >= self.exact_spacing_log2()
    }
}
