// Entry point: nothing but multiply-adds in `Real`, for the adapter's own limit: 16 independent chains an
// invocation, each 8 multiply-adds a step.

alias Case = vec2<f32>;
alias Outcome = vec4<f32>;
alias Chains = vec4<Real>;

fn eight(start: Chains, m: Chains, k: Chains) -> Chains {
    var v = start;
    v = fma(v, m, k);
    v = fma(v, m, k);
    v = fma(v, m, k);
    v = fma(v, m, k);
    v = fma(v, m, k);
    v = fma(v, m, k);
    v = fma(v, m, k);
    v = fma(v, m, k);
    return v;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // From memory, so that nothing can be computed beforehand; |m| < 1 keeps values ordinary.
    let m = Chains(Real(cases[0].x));
    let k = Chains(Real(cases[0].y));
    let first = Real(f32(id.x));
    var a = Chains(first);
    var b = Chains(first + Real(1.0));
    var c = Chains(first + Real(2.0));
    var d = Chains(first + Real(3.0));
    for (var n = 0u; n < params.steps; n += 1u) {
        a = eight(a, m, k);
        b = eight(b, m, k);
        c = eight(c, m, k);
        d = eight(d, m, k);
    }
    let all = (a + b) + (c + d);
    // Hardly ever true, and the compiler cannot know.
    if f32(all.x + all.y + all.z + all.w) == 12345.678 {
        results[0] = Outcome(f32(all.x));
    }
}
