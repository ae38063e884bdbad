// Single precision: a complex number is (re, im).

alias Complex = vec2<f32>;
// High and low part of a coordinate; single precision uses the high one.
alias Coordinate = vec2<f32>;

// Places of |z|² that rounding may have moved.
const TIED: i32 = 8;

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

// How far |z|² is from R², in units of its last place; as integers, so that infinities and NaN, which compilers may
// assume away, count as far out.
fn places_out(z: Complex) -> i32 {
    return bitcast<i32>(bitcast<u32>(norm2(z)) & 0x7fffffffu) - bitcast<i32>(params.radius2.x);
}

// Where rounding could decide, the larger part a and the other one b do: a - R is exact there, and b² is not lost beside
// a² - R² = (a - R) (a + R).
fn is_out(z: Complex) -> bool {
    let places = places_out(z);
    if abs(places) > TIED {
        return places > 0;
    }
    let a = max(abs(z.x), abs(z.y));
    let b = min(abs(z.x), abs(z.y));
    let over = (a - params.radius.x) - params.radius.y;
    return fma(over, a + params.radius.x, b * b) > 0.0;
}

fn may_be_out(z: Complex) -> bool {
    return places_out(z) >= -TIED;
}

fn parts(z: Complex) -> vec4<f32> {
    return vec4<f32>(z.x, 0.0, z.y, 0.0);
}
