// Entry point: what double precision does on this adapter.

alias Case = vec2<f64>;

struct Outcome {
    sum: f64,
    product: f64,
    // fma(a, b, -a b): the product's error where fma is fused, 0 where it is not.
    fused: f64,
    padding: f64,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.count {
        return;
    }
    let a = cases[id.x].x;
    let b = cases[id.x].y;
    let product = a * b;
    results[id.x] = Outcome(a + b, product, fma(a, b, -product), 0.0lf);
}
