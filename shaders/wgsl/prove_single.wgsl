// Entry point: what single precision does on this adapter, and whether error-free transformations hold.

alias Case = vec2<f32>;

struct Outcome {
    sum: vec2<f32>,
    quick_sum: vec2<f32>,
    product: vec2<f32>,
    // a b rounded once by a plain multiplication.
    plain_product: f32,
    // fma(a, b, -a b): the product's error where fma is fused, 0 where it is not.
    fused: f32,
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.count {
        return;
    }
    let a = cases[id.x].x;
    let b = cases[id.x].y;
    var outcome: Outcome;
    outcome.sum = two_sum(a, b);
    // The larger first, as the transformation demands.
    let ordered = abs(a) >= abs(b);
    outcome.quick_sum = quick_two_sum(select(b, a, ordered), select(a, b, ordered));
    outcome.product = two_prod(a, b);
    outcome.plain_product = a * b;
    let rounded = bitcast<f32>(bitcast<u32>(a * b) ^ params.zero);
    outcome.fused = fma(a, b, -rounded);
    results[id.x] = outcome;
}
