// The points of the plane are z0, and what is given to all pixels is c.

const SLOPE_OF_START: f32 = 1.0;
const SLOPE_OF_C: f32 = 0.0;

fn start_of(point: Complex, given: Complex) -> Complex {
    return point;
}

fn c_of(point: Complex, given: Complex) -> Complex {
    return given;
}
