// Entry point: a short orbit of each given c, to be held against the same orbit on the host.

struct Case {
    re: Coordinate,
    im: Coordinate,
}

alias Outcome = vec4<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.count {
        return;
    }
    let c = parameter(cases[id.x].re, cases[id.x].im);
    var z = start_value(vec4<f32>(0.0, 0.0, 0.0, 0.0));
    for (var n = 0u; n < params.steps; n += 1u) {
        z = step(z, c);
    }
    results[id.x] = parts(z);
}
