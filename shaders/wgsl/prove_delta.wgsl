// Entry point: a short way of deltas from a reference that stands still, to be held against the same on the host.

// A fixed point of the reference, and c in units of 2^exponent.
struct Case {
    fixed_re: Coordinate,
    fixed_im: Coordinate,
    c_re: Coordinate,
    c_im: Coordinate,
    exponent: i32,
    zero: i32,
}

struct DeltaOutcome {
    value: vec4<f32>,
    exponent: i32,
}

alias Outcome = DeltaOutcome;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.count {
        return;
    }
    let given = cases[id.x];
    know_zero(u32(given.zero));
    let fixed = Scaled(number(given.fixed_re, given.fixed_im), 0);
    let c = normalised(number(given.c_re, given.c_im), given.exponent);
    let near_c = scaled(c.value, c.exponent);
    var z = Scaled(nought(), NOTHING);
    for (var n = 0u; n < params.steps; n += 1u) {
        z = delta_step(fixed, z, c, near_c).delta;
    }
    let end = normalised(z.value, z.exponent);
    results[id.x] = Outcome(parts(end.value), end.exponent);
}
