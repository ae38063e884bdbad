// Entry point: some cycles of a formula's phases from each given z0 and c, to be held against the same on the host.

struct Case {
    z_re: Coordinate,
    z_im: Coordinate,
    c_re: Coordinate,
    c_im: Coordinate,
    // 0, and nothing.
    zero: Coordinate,
    padding: Coordinate,
}

alias Outcome = vec4<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.count {
        return;
    }
    take_zero(cases[id.x].zero);
    let c = parameter(cases[id.x].c_re, cases[id.x].c_im);
    var orbit = orbit_of(parameter(cases[id.x].z_re, cases[id.x].z_im));
    for (var cycles = 0u; cycles < params.steps; cycles += 1u) {
        orbit = cycle(orbit, c);
    }
    results[id.x] = parts(orbit.z);
}
