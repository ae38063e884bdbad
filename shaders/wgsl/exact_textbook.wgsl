// The textbook versions of exact.wgsl: a negative control for tests, never offered. Drivers that simplify
// (a + b) - a to b turn them back into single precision.

fn two_sum(a: f32, b: f32) -> vec2<f32> {
    let s = a + b;
    let v = s - a;
    return vec2<f32>(s, (a - (s - v)) + (b - v));
}

fn quick_two_sum(a: f32, b: f32) -> vec2<f32> {
    let s = a + b;
    return vec2<f32>(s, b - (s - a));
}

fn upper(x: f32) -> f32 {
    let t = 4097.0 * x;
    return t - (t - x);
}

fn product_error(p: f32, a_high: f32, a_low: f32, b_high: f32, b_low: f32) -> f32 {
    return ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

fn two_prod(a: f32, b: f32) -> vec2<f32> {
    let p = a * b;
    let a_high = upper(a);
    let b_high = upper(b);
    return vec2<f32>(p, product_error(p, a_high, a - a_high, b_high, b - b_high));
}

fn hide(x: f32) -> f32 {
    return x;
}
