// Error-free transformations of single precision: sums and products as unevaluated pairs (high, low) that
// are exactly right.
//
// Compilers of shaders may reassociate, fuse and simplify: to them (a + b) - a is b, which makes the textbook
// versions worthless (Mesa does so). Every rounding that matters is therefore hidden behind an integer
// operation with an operand that no compiler can know: hide(), of which there are two. fma is no help: it need not be fused.

// a + b (Knuth).
fn two_sum(a: f32, b: f32) -> vec2<f32> {
    let s = hide(a + b);
    let v = hide(s - a);
    return vec2<f32>(s, (a - hide(s - v)) + (b - v));
}

// a + b where |a| >= |b| or a = 0 (Dekker).
fn quick_two_sum(a: f32, b: f32) -> vec2<f32> {
    let s = hide(a + b);
    return vec2<f32>(s, b - hide(s - a));
}

// The upper 12 bits of the significand: products of such halves, and of the rests, are exact.
fn upper(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

// What rounding took from the product a b = p, from the halves of a and b (Dekker).
fn product_error(p: f32, a_high: f32, a_low: f32, b_high: f32, b_low: f32) -> f32 {
    let e = hide(fma(a_high, b_high, -p));
    return hide(fma(a_low, b_high, hide(fma(a_high, b_low, e)))) + a_low * b_low;
}

// a b.
fn two_prod(a: f32, b: f32) -> vec2<f32> {
    let p = hide(a * b);
    let a_high = upper(a);
    let b_high = upper(b);
    return vec2<f32>(p, product_error(p, a_high, a - a_high, b_high, b - b_high));
}
