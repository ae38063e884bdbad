//! The structs and bindings that Rust and WGSL share. Tests hold every offset and size against what naga makes
//! of the WGSL.

use bytemuck::{Pod, Zeroable};

/// Invocations of a workgroup, in every program.
pub const WORKGROUP: u32 = 64;

/// Steps that are made between two tests for escape where a pixel that has escaped cannot come back. Rounds
/// that do not end at the iteration limit are whole multiples of it, so that the blocks of a pixel do
/// not depend on how its way is cut into rounds.
pub const BLOCK: u32 = 8;

/// Bindings of a round, all in group 0.
pub mod round_binding {
    /// Uniform [`super::Round`], with a dynamic offset.
    pub const PARAMS: u32 = 0;
    /// Coordinates of the columns, read only.
    pub const COLUMNS: u32 = 1;
    /// Coordinates of the rows, read only.
    pub const ROWS: u32 = 2;
    /// States before the round, read only.
    pub const STATES_IN: u32 = 3;
    /// States after the round.
    pub const STATES_OUT: u32 = 4;
    /// [`super::Slot`]s.
    pub const SLOTS: u32 = 5;
    /// Planes of results, in words.
    pub const OUTPUT: u32 = 6;
}

/// Bindings of a round of deltas beside those of [`round_binding`]. Its columns are followed by its rows, so that it
/// binds no more than nine storage buffers.
pub mod delta_binding {
    /// Uniform [`super::Delta`].
    pub const DELTA: u32 = 7;
    /// The reference orbit, read only.
    pub const REFERENCE: u32 = 8;
    /// Blocks of its steps, read only.
    pub const BLOCKS: u32 = 9;
    /// Their radii and those of polynomial blocks, read only.
    pub const RADII: u32 = 10;
    /// Polynomial blocks of its steps, read only.
    pub const JETS: u32 = 11;
}

/// Bindings of a proof or a limit, all in group 0.
pub mod proof_binding {
    /// Uniform [`super::Proof`].
    pub const PARAMS: u32 = 0;
    /// Cases, read only.
    pub const CASES: u32 = 1;
    /// Results.
    pub const RESULTS: u32 = 2;
}

/// Flags of a [`Round`].
pub mod flag {
    /// The round starts pixels, in order, at z0.
    pub const FRESH: u32 = 1;
    /// Points that are provably inside may be reported without iterating; deltas: blocks of steps may be made at once.
    pub const SHORTCUTS: u32 = 2;
    /// A pixel that has escaped stays escaped.
    pub const BLOCKS: u32 = 4;
    /// The second plane of the output takes |z|² at escape.
    pub const NORM: u32 = 8;
    /// Every pixel has a column and a row of its own, and is not one of a grid.
    pub const LISTED: u32 = 16;
    /// Deltas: the second plane of the output takes the number of moves, steps or blocks of them, that a pixel made.
    pub const MOVES: u32 = 32;
    /// Deltas: the reference orbit meets the escape radius.
    pub const TIES: u32 = 64;
}

/// What one round is told; see `round.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Round {
    /// Always 0.
    pub zero: u32,
    /// Columns of the picture.
    pub width: u32,
    /// Steps made before.
    pub first_step: u32,
    /// Steps to make.
    pub steps: u32,
    /// Iteration limit.
    pub limit: u32,
    /// See [`flag`].
    pub flags: u32,
    /// This round's place among the slots.
    pub slot: u32,
    /// Words from one plane of the output to the next.
    pub plane: u32,
    /// Start value: real part high and low, imaginary part high and low.
    pub z0: [f32; 4],
    /// Square of the escape radius, high and low part.
    pub radius2: [f32; 2],
    /// The escape radius itself, likewise.
    pub radius: [f32; 2],
}

/// Pixels that are active before a round, behind the arguments of its indirect dispatch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Slot {
    /// Workgroups for `count` invocations.
    pub workgroups_x: u32,
    /// Always 1.
    pub workgroups_y: u32,
    /// Always 1.
    pub workgroups_z: u32,
    /// Active pixels.
    pub count: u32,
}

impl Slot {
    /// Before a round of `count` pixels; of 0 for a place that survivors are yet to be counted in.
    #[must_use]
    pub const fn of(count: u32) -> Self {
        Self {
            workgroups_x: count.div_ceil(WORKGROUP),
            workgroups_y: 1,
            workgroups_z: 1,
            count,
        }
    }
}

/// Levels of blocks that a [`Delta`] has places for.
pub const MAX_LEVELS: usize = 32;

/// What the pixels of a deep view share; see `delta_data.wgsl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Delta {
    /// Coordinates are in units of 2^this.
    pub c_exponent: i32,
    /// Index of the reference's last value.
    pub last: u32,
    /// Index of the first value of the page of it that a round sees.
    pub first: u32,
    /// One past that of the page's last value.
    pub end: u32,
    /// The shortest blocks have 2^this steps.
    pub first_level: u32,
    /// There are none of 2^this steps.
    pub end_level: u32,
    /// The shortest polynomial blocks have 2^this steps.
    pub first_jet_level: u32,
    /// There are none of 2^this steps.
    pub end_jet_level: u32,
    /// The place of the first polynomial block's radius.
    pub jet_radii: u32,
    /// By how much the square of |z| may at most lie below that of the radius of a polynomial block that it takes: its
    /// negative logarithm, as radii have it.
    pub least: i32,
    /// Mantissa of the size of a pixel.
    pub spacing: f32,
    /// Its exponent.
    pub spacing_exponent: i32,
    /// The place of each level's block that would begin at m = 1, modulo 2^32.
    pub offsets: [u32; MAX_LEVELS],
    /// The same of polynomial blocks.
    pub jet_offsets: [u32; MAX_LEVELS],
}

/// Bytes of a block of steps: two complex numbers and their exponents.
pub const BLOCK_BYTES: usize = 48;

/// Bytes of a polynomial block: see `delta_jets.wgsl`.
pub const JET_BYTES: usize = 128;

/// What `prove_delta.wgsl` finds.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct DeltaOutcome {
    /// Real part high and low, imaginary part high and low.
    pub value: [f32; 4],
    /// Exponent of all of them.
    pub exponent: i32,
    /// Unused.
    pub padding: [u32; 3],
}

/// The exponent that zero has in arithmetics of deltas.
pub const NOTHING: i32 = -(1 << 20);
/// Real part of a reference value that stands for a small one, whose place is its imaginary or low part: no value
/// of an orbit is so large.
pub const STANDS_FOR_SMALL: f64 = 1e30;

/// log2 of what has an exponent of its own in an arithmetic of deltas; see the number types.
#[must_use]
pub const fn small_log2(arithmetic: fractal::Arithmetic) -> i32 {
    match arithmetic {
        fractal::Arithmetic::DeltaF64 | fractal::Arithmetic::DeltaFloatexp => -450,
        _ => -60,
    }
}

/// What a proof or a limit is told; see `proof.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Proof {
    /// Always 0.
    pub zero: u32,
    /// Number of cases.
    pub count: u32,
    /// Steps of an orbit, or of a chain.
    pub steps: u32,
    /// Unused.
    pub padding: u32,
    /// Square of the escape radius, high and low part.
    pub radius2: [f32; 2],
    /// The escape radius itself, likewise.
    pub radius: [f32; 2],
}

/// What `prove_single.wgsl` finds for a pair of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct SingleOutcome {
    /// a + b and its error.
    pub sum: [f32; 2],
    /// The same by the transformation for ordered operands.
    pub quick_sum: [f32; 2],
    /// a b and its error.
    pub product: [f32; 2],
    /// a b by a plain multiplication.
    pub plain_product: f32,
    /// fma(a, b, -a b).
    pub fused: f32,
}

/// What `prove_double.wgsl` finds for a pair of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct DoubleOutcome {
    /// a + b.
    pub sum: f64,
    /// a b.
    pub product: f64,
    /// fma(a, b, -a b).
    pub fused: f64,
    /// Unused.
    pub padding: f64,
}

/// `x` as an unevaluated sum of two singles, exact to about 2^-49 of it.
#[must_use]
pub fn split(x: f64) -> [f32; 2] {
    let high = x as f32;
    [high, (x - f64::from(high)) as f32]
}
