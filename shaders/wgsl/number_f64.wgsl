// Double precision, where the adapter has it: a complex number is (re, im).

alias Complex = vec2<f64>;
alias Coordinate = f64;

// Share of R² by which |z|² may be off it where rounding could decide: 2^-40.
const TIED: f32 = 9.094947e-13;

fn parameter(re: Coordinate, im: Coordinate) -> Complex {
    return vec2<f64>(re, im);
}

fn start_value(parts: vec4<f32>) -> Complex {
    return vec2<f64>(f64(parts.x) + f64(parts.y), f64(parts.z) + f64(parts.w));
}

fn step(z: Complex, c: Complex) -> Complex {
    return vec2<f64>(fma(z.x, z.x, fma(-z.y, z.y, c.x)), fma(z.x + z.x, z.y, c.y));
}

fn leading(z: Complex) -> vec2<f32> {
    return vec2<f32>(f32(z.x), f32(z.y));
}

fn norm2(z: Complex) -> f32 {
    return f32(fma(z.x, z.x, z.y * z.y));
}

// Not `>`, so that NaN counts as far out. Where rounding could decide, the larger part a and the other one b do: a - R is
// exact there, and b² is not lost beside a² - R² = (a - R) (a + R).
fn is_out(z: Complex) -> bool {
    let square = fma(z.x, z.x, z.y * z.y);
    let limit = f64(params.radius2.x) + f64(params.radius2.y);
    let tied = limit * f64(TIED);
    if square - limit <= tied && limit - square <= tied {
        let a = max(abs(z.x), abs(z.y));
        let b = min(abs(z.x), abs(z.y));
        let over = (a - f64(params.radius.x)) - f64(params.radius.y);
        return fma(over, a + f64(params.radius.x), b * b) > f64(0.0);
    }
    return !(square <= limit);
}

// As integers, so that infinities and NaN, which compilers may assume away, count as far out; and a little
// early, for what rounding to single precision may take.
fn may_be_out(z: Complex) -> bool {
    return bitcast<u32>(norm2(z)) + 2u > bitcast<u32>(params.radius2.x);
}

fn norm2_pair(z: Complex) -> vec2<f32> {
    return split(fma(z.x, z.x, z.y * z.y));
}

fn split(x: f64) -> vec2<f32> {
    let high = f32(x);
    return vec2<f32>(high, f32(x - f64(high)));
}

fn parts(z: Complex) -> vec4<f32> {
    return vec4<f32>(split(z.x), split(z.y));
}
