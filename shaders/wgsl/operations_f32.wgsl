// What formulas are made of beside z² + c, in single precision.

fn square(z: Complex) -> Complex {
    return vec2<f32>(fma(z.x, z.x, -(z.y * z.y)), (z.x + z.x) * z.y);
}

fn multiply(a: Complex, b: Complex) -> Complex {
    return vec2<f32>(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x));
}

fn sum(a: Complex, b: Complex) -> Complex {
    return a + b;
}

fn abs_re(z: Complex) -> Complex {
    return vec2<f32>(abs(z.x), z.y);
}

fn abs_im(z: Complex) -> Complex {
    return vec2<f32>(z.x, abs(z.y));
}

fn neg_re(z: Complex) -> Complex {
    return vec2<f32>(-z.x, z.y);
}

fn neg_im(z: Complex) -> Complex {
    return vec2<f32>(z.x, -z.y);
}

// Nothing is hidden from compilers here.
fn take_zero(zero: Coordinate) {}
