// Single precision: a complex number is (re, im).

alias Complex = vec2<f32>;
// High and low part of a coordinate; single precision uses the high one.
alias Coordinate = vec2<f32>;

fn parameter(re: Coordinate, im: Coordinate) -> Complex {
    return vec2<f32>(re.x, im.x);
}

fn start_value(parts: vec4<f32>) -> Complex {
    return parts.xz;
}

fn step(z: Complex, c: Complex) -> Complex {
    return vec2<f32>(fma(z.x, z.x, fma(-z.y, z.y, c.x)), fma(z.x + z.x, z.y, c.y));
}

fn leading(z: Complex) -> vec2<f32> {
    return z;
}

fn norm2(z: Complex) -> f32 {
    return fma(z.x, z.x, z.y * z.y);
}

// As integers, so that infinities and NaN, which compilers may assume away, count as far out.
fn is_out(z: Complex) -> bool {
    return bitcast<u32>(norm2(z)) > bitcast<u32>(params.radius2.x);
}

fn may_be_out(z: Complex) -> bool {
    return is_out(z);
}

fn parts(z: Complex) -> vec4<f32> {
    return vec4<f32>(z.x, 0.0, z.y, 0.0);
}
