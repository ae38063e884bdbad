// Blocks of steps as polynomials of the delta: many more steps at once than a linear block makes, from much farther out.

// z' = a (u + d uw + p_2 u² + ... + p_7 u^7 + e w²) + b w, where u = z 2^-k and w is the pixel's coordinate in its units.
// What is far smaller than u is in single precision. 128 bytes.
struct Jet {
    a: Number,
    b: Number,
    p2: Number,
    p3: Number,
    p4: Number,
    p5: vec2<f32>,
    p6: vec2<f32>,
    p7: vec2<f32>,
    d: vec2<f32>,
    e: vec2<f32>,
    // k in the lower half, the exponent of a in the upper one; the exponent of b.
    exponents: vec2<i32>,
}

@group(0) @binding(11) var<storage, read> jets: array<Jet>;

struct Moved {
    delta: Scaled,
    // dz'/dz, and dz'/dc.
    factor: Scaled,
    summand: Scaled,
}

fn single_times(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x));
}

// `w` is the pixel's coordinate; `derived`: with the derivatives.
fn jet_move(place: u32, z: Scaled, w: Number, derived: bool) -> Moved {
    let jet = jets[place];
    let k = (jet.exponents.x << 16u) >> 16u;
    let a_exponent = jet.exponents.x >> 16u;
    let small = normalised(z.value, z.exponent);
    let u = scaled(small.value, small.exponent - k);
    let v = leading(u);
    let o = leading(w);
    let high = jet.p5 + single_times(jet.p6 + single_times(jet.p7, v), v);
    let linear = add(one(), wide(single_times(jet.d, o)));
    var p = add(multiply(wide(high), u), jet.p4);
    p = add(multiply(p, u), jet.p3);
    p = add(multiply(p, u), jet.p2);
    p = add(multiply(p, u), linear);
    p = add(multiply(p, u), wide(single_times(single_times(jet.e, o), o)));
    let own = normalised(multiply(jet.a, p), a_exponent);
    let from_c = normalised(multiply(jet.b, w), jet.exponents.y);
    var moved = Moved(settled(add_scaled(own, from_c)), Scaled(nought(), 0), Scaled(nought(), 0));
    if derived {
        let cubic = 3.0 * leading(jet.p3) + single_times(4.0 * leading(jet.p4), v);
        let quintic = 5.0 * jet.p5 + single_times(6.0 * jet.p6 + 7.0 * single_times(jet.p7, v), v);
        let steep = cubic + single_times(quintic, single_times(v, v));
        let slope = leading(linear) + single_times(2.0 * leading(jet.p2) + single_times(steep, v), v);
        let cross = single_times(jet.d, v) + 2.0 * single_times(jet.e, o);
        let a = leading(jet.a);
        let along = normalised(wide(single_times(a, cross)), a_exponent);
        moved.factor = Scaled(wide(single_times(a, slope)), a_exponent - k);
        let both = add_scaled(along, normalised(jet.b, jet.exponents.y));
        moved.summand = Scaled(both.value, both.exponent - delta.c_exponent);
    }
    return moved;
}
