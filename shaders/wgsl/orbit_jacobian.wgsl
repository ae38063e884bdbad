// Where an orbit of any formula is, and the Jacobian matrix of z by the point of the plane, in single precision whatever z is
// in: the distance estimate needs no more.

const HAS_SLOPE: bool = true;

struct Orbit {
    // Rows of the matrix: of the real part (x, y), of the imaginary part (z, w).
    slope: vec4<f32>,
    z: Complex,
}

fn orbit_of(z: Complex) -> Orbit {
    return Orbit(vec4<f32>(1.0, 0.0, 0.0, 1.0) * SLOPE_OF_START, z);
}

// The matrix of a product by `by`, applied.
fn turned(slope: vec4<f32>, by: vec2<f32>) -> vec4<f32> {
    return vec4<f32>(by.x * slope.xy - by.y * slope.zw, by.y * slope.xy + by.x * slope.zw);
}

fn squared(o: Orbit) -> Orbit {
    return Orbit(turned(o.slope, 2.0 * leading(o.z)), square(o.z));
}

fn squared_plus(o: Orbit, c: Complex) -> Orbit {
    return Orbit(
        turned(o.slope, 2.0 * leading(o.z)) + vec4<f32>(1.0, 0.0, 0.0, 1.0) * SLOPE_OF_C,
        step(o.z, c),
    );
}

fn multiplied(o: Orbit, kept: Orbit) -> Orbit {
    return Orbit(
        turned(o.slope, leading(kept.z)) + turned(kept.slope, leading(o.z)),
        multiply(o.z, kept.z),
    );
}

fn rotated(o: Orbit, turn: Complex) -> Orbit {
    return Orbit(turned(o.slope, leading(turn)), multiply(o.z, turn));
}

fn added(o: Orbit, c: Complex) -> Orbit {
    return Orbit(o.slope + vec4<f32>(1.0, 0.0, 0.0, 1.0) * SLOPE_OF_C, sum(o.z, c));
}

fn abs_x(o: Orbit) -> Orbit {
    return Orbit(
        select(o.slope, vec4<f32>(-o.slope.xy, o.slope.zw), leading(o.z).x < 0.0),
        abs_re(o.z),
    );
}

fn abs_y(o: Orbit) -> Orbit {
    return Orbit(
        select(o.slope, vec4<f32>(o.slope.xy, -o.slope.zw), leading(o.z).y < 0.0),
        abs_im(o.z),
    );
}

fn neg_x(o: Orbit) -> Orbit {
    return Orbit(vec4<f32>(-o.slope.xy, o.slope.zw), neg_re(o.z));
}

fn neg_y(o: Orbit) -> Orbit {
    return Orbit(vec4<f32>(o.slope.xy, -o.slope.zw), neg_im(o.z));
}

// How steeply |z| rises at most: the length of the transposed matrix times z / |z|.
fn steepness(o: Orbit) -> f32 {
    let z = leading(o.z);
    let unit = z / max(length_of(z), 1e-30);
    let slope = o.slope;
    return length_of(vec2<f32>(
        slope.x * unit.x + slope.z * unit.y,
        slope.y * unit.x + slope.w * unit.y,
    ));
}
