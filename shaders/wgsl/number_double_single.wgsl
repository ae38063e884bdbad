// Double-single: each part of a complex number is an unevaluated sum of two singles, about 48 bits; (re high,
// re low, im high, im low). Needs exact.wgsl.

alias Complex = vec4<f32>;
// High and low part of a coordinate.
alias Coordinate = vec2<f32>;

// Places of |z|² in single precision that rounding may have moved.
const TIED: i32 = 8;

fn parameter(re: Coordinate, im: Coordinate) -> Complex {
    return vec4<f32>(re, im);
}

fn start_value(parts: vec4<f32>) -> Complex {
    return parts;
}

// z² + c. The low parts are summed in single precision: their own rounding is 2^-48 of the result's terms.
fn step(z: Complex, c: Complex) -> Complex {
    let x = z.x;
    let y = z.z;
    let x_high = upper(x);
    let x_low = x - x_high;
    let y_high = upper(y);
    let y_low = y - y_high;

    let xx = hide(x * x);
    let yy = hide(y * y);
    let xy = hide(x * y);
    let xx_error = product_error(xx, x_high, x_low, x_high, x_low) + 2.0 * x * z.y;
    let yy_error = product_error(yy, y_high, y_low, y_high, y_low) + 2.0 * y * z.w;
    let xy_error = product_error(xy, x_high, x_low, y_high, y_low) + (x * z.w + y * z.y);

    let difference = two_sum(xx, -yy);
    let re = two_sum(difference.x, c.x);
    let im = two_sum(2.0 * xy, c.z);
    return vec4<f32>(
        quick_two_sum(re.x, (difference.y + re.y) + ((xx_error - yy_error) + c.y)),
        quick_two_sum(im.x, im.y + (2.0 * xy_error + c.w)),
    );
}

fn leading(z: Complex) -> vec2<f32> {
    return z.xz;
}

fn norm2(z: Complex) -> f32 {
    return fma(z.x, z.x, z.z * z.z);
}

// How far |z|² is from R² in single precision, in units of its last place; as integers, so that infinities and NaN, which
// compilers may assume away, count as far out.
fn places_out(z: Complex) -> i32 {
    return bitcast<i32>(bitcast<u32>(norm2(z)) & 0x7fffffffu) - bitcast<i32>(params.radius2.x);
}

// Where single precision could not tell, both parts of |z|² do.
fn is_out(z: Complex) -> bool {
    let places = places_out(z);
    if abs(places) > TIED {
        return places > 0;
    }
    let square = norm2_pair(z);
    return hide(square.x - params.radius2.x) + (square.y - params.radius2.y) > 0.0;
}

fn may_be_out(z: Complex) -> bool {
    return places_out(z) >= -TIED;
}

fn norm2_pair(z: Complex) -> vec2<f32> {
    let xx = two_prod(z.x, z.x);
    let yy = two_prod(z.z, z.z);
    let sum = two_sum(xx.x, yy.x);
    return quick_two_sum(sum.x, sum.y + ((xx.y + 2.0 * z.x * z.y) + (yy.y + 2.0 * z.z * z.w)));
}

fn parts(z: Complex) -> vec4<f32> {
    return z;
}
