// A pixel on its way as a delta, with the derivative of its orbit with respect to c, in single precision and in units
// that make a pixel 1 wide.

struct State {
    z: Number,
    exponent: i32,
    // Index of the reference's value that z is the delta from.
    m: u32,
    // Steps made.
    n: u32,
    // Index within the part of the strip that is computed.
    pixel: u32,
    dz: vec2<f32>,
    dz_exponent: i32,
}

const DERIVES: bool = true;

fn fresh(pixel: u32) -> State {
    return State(nought(), NOTHING, 0u, 0u, pixel, vec2<f32>(0.0, 0.0), NOTHING);
}

fn power_of_two(k: i32) -> f32 {
    return bitcast<f32>(u32(clamp(k, -127, 127) + 127) << 23u);
}

struct Single {
    value: vec2<f32>,
    exponent: i32,
}

fn single_normalised(value: vec2<f32>, exponent: i32) -> Single {
    let bits = bitcast<vec2<u32>>(value) & vec2<u32>(0x7fffffffu, 0x7fffffffu);
    let biased = i32(max(bits.x, bits.y) >> 23u);
    if biased == 0 {
        return Single(vec2<f32>(0.0, 0.0), NOTHING);
    }
    return Single(value * power_of_two(127 - biased), exponent + biased - 127);
}

fn single_product(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x));
}

// dz' = factor dz + summand.
fn derive(state: ptr<function, State>, factor: Scaled, summand: Scaled) {
    let f = normalised(factor.value, factor.exponent);
    let s = normalised(summand.value, summand.exponent);
    let p = single_normalised(
        single_product(leading(f.value), (*state).dz),
        f.exponent + (*state).dz_exponent,
    );
    let q = single_normalised(leading(s.value) * delta.spacing, s.exponent + delta.spacing_exponent);
    let exponent = max(p.exponent, q.exponent);
    let sum = p.value * power_of_two(p.exponent - exponent) + q.value * power_of_two(q.exponent - exponent);
    let result = single_normalised(sum, exponent);
    (*state).dz = result.value;
    (*state).dz_exponent = max(result.exponent, NOTHING);
}

// |dz|; infinite past all bounds, which is as near as can be.
fn write_derivative(state: State) {
    let length = sqrt(fma(state.dz.x, state.dz.x, state.dz.y * state.dz.y));
    output[2u * params.plane + state.pixel] = bitcast<u32>(length * power_of_two(min(state.dz_exponent, 100)));
}
