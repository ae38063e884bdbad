// What formulas are made of beside z² + c, in double precision.

fn square(z: Complex) -> Complex {
    return vec2<f64>(fma(z.x, z.x, -(z.y * z.y)), (z.x + z.x) * z.y);
}

fn multiply(a: Complex, b: Complex) -> Complex {
    return vec2<f64>(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x));
}

fn sum(a: Complex, b: Complex) -> Complex {
    return a + b;
}

fn abs_re(z: Complex) -> Complex {
    return vec2<f64>(abs(z.x), z.y);
}

fn abs_im(z: Complex) -> Complex {
    return vec2<f64>(z.x, abs(z.y));
}

fn neg_re(z: Complex) -> Complex {
    return vec2<f64>(-z.x, z.y);
}

fn neg_im(z: Complex) -> Complex {
    return vec2<f64>(z.x, -z.y);
}

// Nothing is hidden from compilers here.
fn take_zero(zero: Coordinate) {}
