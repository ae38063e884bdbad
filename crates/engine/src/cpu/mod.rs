//! The SIMD kernels.
