//! The WGSL kernels, composed and described; knows no GPU API.
//!
//! WGSL has no generics and no imports, so a program is a concatenation of named pieces from `wgsl/`: what
//! a round or a proof is told, a number type, what a pixel carries, and one entry point, always called
//! [`ENTRY_POINT`]. Every number type offers the same functions (`parameter`, `start_value`, `step`,
//! `leading`, `norm2`, `is_out`, `may_be_out`, `parts`), so the entry points are written once. The steps of other formulas are
//! composed of their operations (`square`, `multiply`, `sum` and folds), one function a phase.
//!
//! What must agree between WGSL and Rust is in [`layout`], and held together by tests.

#![forbid(unsafe_code)]

mod formula;
pub mod layout;
mod program;

pub use layout::{BLOCK, WORKGROUP};
pub use program::{Kernel, Program};

/// Name of every program's entry point.
pub const ENTRY_POINT: &str = "main";

/// Multiply-adds, or instructions as dear, of one step of plain iteration: 4 in a native type
/// (x' = fma(x, x, fma(-y, y, cx)), y' = fma(x + x, y, cy)); in double-single those of
/// `number_double_single.wgsl`, the integer operations that hide roundings included.
#[must_use]
pub const fn instructions_per_step(arithmetic: fractal::Arithmetic) -> u32 {
    match arithmetic {
        fractal::Arithmetic::F32 | fractal::Arithmetic::F64 => 4,
        fractal::Arithmetic::DoubleSingle => 82,
        // Two complex multiplications, an addition and the tests.
        fractal::Arithmetic::DeltaF64 | fractal::Arithmetic::DeltaFloatexp => 14,
        fractal::Arithmetic::DeltaDoubleSingle => 250,
    }
}
