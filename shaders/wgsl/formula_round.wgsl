// A pixel of any formula on its way, and how one begins.

struct State {
    orbit: Orbit,
    // Index within the part of the strip that is computed.
    pixel: u32,
}

// The point of the plane of a pixel.
fn point_of(pixel: u32) -> Complex {
    let listed = has(FLAG_LISTED);
    let column = select(pixel % params.width, pixel, listed);
    let row = select(pixel / params.width, pixel, listed);
    return parameter(columns[column], rows[row]);
}

// What is given to all pixels lies behind the columns and the rows of the part; and behind the columns' own a 0 that no
// compiler can know, which is taken before all else.
fn given_value() -> Complex {
    let listed = has(FLAG_LISTED);
    let column = select(params.width, params.plane, listed);
    let row = select(params.plane / params.width, params.plane, listed);
    take_zero(columns[column + 1u]);
    return parameter(columns[column], rows[row]);
}

// Scaled so that its square need not be representable.
fn length_of(v: vec2<f32>) -> f32 {
    let parts = abs(v);
    let large = max(parts.x, parts.y);
    if large == 0.0 {
        return 0.0;
    }
    let ratio = min(parts.x, parts.y) / large;
    return large * sqrt(1.0 + ratio * ratio);
}
