// A pixel on its way: its orbit and its derivative with respect to c, in single precision whatever the
// orbit is in: the distance estimate needs no more.

struct State {
    z: Complex,
    dz: vec2<f32>,
    // Index within the part of the strip that is computed.
    pixel: u32,
}

fn fresh(pixel: u32) -> State {
    return State(start_value(params.z0), vec2<f32>(0.0, 0.0), pixel);
}

// dz' = 2 z dz + 1, with the z of before the step.
fn advance(s: State, c: Complex) -> State {
    let z = 2.0 * leading(s.z);
    let dz = vec2<f32>(
        fma(z.x, s.dz.x, fma(-z.y, s.dz.y, 1.0)),
        fma(z.x, s.dz.y, z.y * s.dz.x),
    );
    return State(step(s.z, c), dz, s.pixel);
}

// |dz|, scaled so that its square need not be representable.
fn write_derivative(s: State) {
    let parts = abs(s.dz);
    let large = max(parts.x, parts.y);
    var length = large;
    if large > 0.0 {
        let ratio = min(parts.x, parts.y) / large;
        length = large * sqrt(1.0 + ratio * ratio);
    }
    output[2u * params.plane + s.pixel] = bitcast<u32>(length);
}
