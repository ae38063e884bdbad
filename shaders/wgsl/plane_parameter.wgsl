// The points of the plane are c, and what is given to all pixels is z0.

const SLOPE_OF_START: f32 = 0.0;
const SLOPE_OF_C: f32 = 1.0;

fn start_of(point: Complex, given: Complex) -> Complex {
    return given;
}

fn c_of(point: Complex, given: Complex) -> Complex {
    return point;
}
