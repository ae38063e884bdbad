// What a proof of arithmetic is told, and what it reads and writes.

struct Proof {
    // Always 0, which no compiler can know: see hide() in exact.wgsl.
    zero: u32,
    // Number of cases.
    count: u32,
    // Steps of an orbit, or rounds of a chain.
    steps: u32,
    padding: u32,
    // Square of the escape radius, high and low part; orbits here stay within it.
    radius2: vec2<f32>,
    // The escape radius itself, likewise.
    radius: vec2<f32>,
}

@group(0) @binding(0) var<uniform> params: Proof;
@group(0) @binding(1) var<storage, read> cases: array<Case>;
@group(0) @binding(2) var<storage, read_write> results: array<Outcome>;
