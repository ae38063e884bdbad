//! The vector instruction sets that kernels are compiled for, and which of them this processor has.

#[cfg(target_arch = "x86_64")]
use super::x86;

/// A family of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 F, DQ and VL: vectors of 8.
    Avx512,
    /// AVX2 with FMA: vectors of 4.
    Avx2,
    /// NEON of aarch64: vectors of 2.
    Neon,
    /// None in particular. Right everywhere, but slow where the compiler's target lacks fused multiply-add.
    Portable,
}

impl Isa {
    /// All, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Neon => "NEON",
            Self::Portable => "portable",
        }
    }

    /// Whether this processor has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::has_avx512(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::has_avx2(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            Self::Portable => true,
            #[allow(unreachable_patterns)] // those of other architectures
            _ => false,
        }
    }

    /// Those that this processor has, the fastest first; [`Isa::Portable`] is always there.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|isa| isa.is_available())
            .collect()
    }

    /// The fastest that this processor has.
    #[must_use]
    pub fn detect() -> Self {
        Self::available()
            .into_iter()
            .next()
            .unwrap_or(Self::Portable)
    }
}
