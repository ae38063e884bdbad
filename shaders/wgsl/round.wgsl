// What one round of an iteration kernel is told, and what it reads and writes.
//
// A round advances every active pixel by the same number of steps. Pixels that finish write their result
// to `output` at their own index; the others are appended to `states_out`, so that the next round has no
// idle lanes. All active pixels have made the same number of steps, which is therefore no part of a state.

struct Round {
    // Always 0, which no compiler can know: see hide() in exact.wgsl.
    zero: u32,
    // Columns of the picture.
    width: u32,
    // Steps that every active pixel has made before this round.
    first_step: u32,
    // Steps to make in this round, at least 1.
    steps: u32,
    // Iteration limit N.
    limit: u32,
    // FLAG_* below.
    flags: u32,
    // This round's place in `slots`; its survivors are counted in the next one.
    slot: u32,
    // Words from one plane of `output` to the next.
    plane: u32,
    // Start value: real part high and low, imaginary part high and low.
    z0: vec4<f32>,
    // Square of the escape radius, high and low part.
    radius2: vec2<f32>,
    // The escape radius itself, likewise.
    radius: vec2<f32>,
}

// Pixels that are active before a round, and the workgroups that they need: the arguments of an
// indirect dispatch, then the count.
struct Slot {
    workgroups_x: atomic<u32>,
    workgroups_y: u32,
    workgroups_z: u32,
    count: atomic<u32>,
}

// The round starts pixels at z0 and takes them in order, instead of reading `states_in`.
const FLAG_FRESH: u32 = 1u;
// Points that are provably inside the set may be reported without iterating; deltas: blocks of steps may be made at
// once.
const FLAG_SHORTCUTS: u32 = 2u;
// A pixel that has escaped stays escaped, so escape may be tested once in BLOCK steps.
const FLAG_BLOCKS: u32 = 4u;
// The second plane of `output` takes |z|² at escape.
const FLAG_NORM: u32 = 8u;
// Every pixel has a column and a row of its own, and is not one of a grid.
const FLAG_LISTED: u32 = 16u;
// Deltas: the second plane of `output` takes the number of moves that a pixel made.
const FLAG_MOVES: u32 = 32u;
// Deltas: the reference orbit meets the escape radius.
const FLAG_TIES: u32 = 64u;

const WORKGROUP: u32 = 64u;
const BLOCK: u32 = 8u;

@group(0) @binding(0) var<uniform> params: Round;
@group(0) @binding(1) var<storage, read> columns: array<Coordinate>;
@group(0) @binding(2) var<storage, read> rows: array<Coordinate>;
@group(0) @binding(3) var<storage, read> states_in: array<State>;
@group(0) @binding(4) var<storage, read_write> states_out: array<State>;
@group(0) @binding(5) var<storage, read_write> slots: array<Slot>;
@group(0) @binding(6) var<storage, read_write> output: array<u32>;

fn has(flag: u32) -> bool {
    return (params.flags & flag) != 0u;
}
