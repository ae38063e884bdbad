// Double-single for deltas: each part of a complex number is an unevaluated sum of two singles, about 48 bits; (re
// high, re low, im high, im low). Needs exact.wgsl.

alias Number = vec4<f32>;
// High and low part of a coordinate.
alias Coordinate = vec2<f32>;

// Numbers below 2^this have an exponent of their own: whatever is lost of a number above it to the end of the range
// of f32, 2^-126, lies below its 48 bits.
const SMALL_LOG2: i32 = -60;

fn number(re: Coordinate, im: Coordinate) -> Number {
    return vec4<f32>(re, im);
}

fn nought() -> Number {
    return vec4<f32>(0.0, 0.0, 0.0, 0.0);
}

fn one() -> Number {
    return vec4<f32>(1.0, 0.0, 0.0, 0.0);
}

fn add(a: Number, b: Number) -> Number {
    let re = two_sum(a.x, b.x);
    let im = two_sum(a.z, b.z);
    let re_low = two_sum(a.y, b.y);
    let im_low = two_sum(a.w, b.w);
    let re_near = quick_two_sum(re.x, re.y + re_low.x);
    let im_near = quick_two_sum(im.x, im.y + im_low.x);
    return vec4<f32>(
        quick_two_sum(re_near.x, re_near.y + re_low.y),
        quick_two_sum(im_near.x, im_near.y + im_low.y),
    );
}

fn multiply(a: Number, b: Number) -> Number {
    let re_high = upper(a.x);
    let re_low = a.x - re_high;
    let im_high = upper(a.z);
    let im_low = a.z - im_high;
    let other_re_high = upper(b.x);
    let other_re_low = b.x - other_re_high;
    let other_im_high = upper(b.z);
    let other_im_low = b.z - other_im_high;

    let rr = hide(a.x * b.x);
    let ii = hide(a.z * b.z);
    let ri = hide(a.x * b.z);
    let ir = hide(a.z * b.x);
    let rr_error = product_error(rr, re_high, re_low, other_re_high, other_re_low) + (a.x * b.y + a.y * b.x);
    let ii_error = product_error(ii, im_high, im_low, other_im_high, other_im_low) + (a.z * b.w + a.w * b.z);
    let ri_error = product_error(ri, re_high, re_low, other_im_high, other_im_low) + (a.x * b.w + a.y * b.z);
    let ir_error = product_error(ir, im_high, im_low, other_re_high, other_re_low) + (a.z * b.y + a.w * b.x);

    let re = two_sum(rr, -ii);
    let im = two_sum(ri, ir);
    return vec4<f32>(
        quick_two_sum(re.x, re.y + (rr_error - ii_error)),
        quick_two_sum(im.x, im.y + (ri_error + ir_error)),
    );
}

// floor(log2) of the larger part; NOTHING for 0 and for what is nearly that.
fn exponent_of(a: Number) -> i32 {
    let biased = i32(max(bitcast<u32>(a.x) & 0x7fffffffu, bitcast<u32>(a.z) & 0x7fffffffu) >> 23u);
    return select(biased - 127, NOTHING, biased == 0);
}

// Whether it must have an exponent of its own.
fn is_small(a: Number) -> bool {
    return exponent_of(a) < SMALL_LOG2;
}

// a 2^k; 0 where that is below the range.
fn scaled(a: Number, k: i32) -> Number {
    if k < -125 {
        return nought();
    }
    return a * bitcast<f32>(u32(min(k, 127) + 127) << 23u);
}

// A number of single precision.
fn wide(a: vec2<f32>) -> Number {
    return vec4<f32>(a.x, 0.0, a.y, 0.0);
}

fn leading(a: Number) -> vec2<f32> {
    return a.xz;
}

fn norm2(a: Number) -> f32 {
    return fma(a.x, a.x, a.z * a.z);
}

fn norm2_pair(a: Number) -> vec2<f32> {
    let rr = two_prod(a.x, a.x);
    let ii = two_prod(a.z, a.z);
    let sum = two_sum(rr.x, ii.x);
    return quick_two_sum(sum.x, sum.y + ((rr.y + 2.0 * a.x * a.y) + (ii.y + 2.0 * a.z * a.w)));
}

// |a| < |b|, of numbers that have no exponent of their own.
fn is_nearer(a: Number, b: Number) -> bool {
    return norm2(a) < norm2(b);
}

// As integers, so that infinities and NaN, which compilers may assume away, count as far out.
fn is_out(a: Number) -> bool {
    return bitcast<u32>(norm2(a)) > bitcast<u32>(params.radius2.x);
}

// Whether |a|² is R² as far as single precision tells.
fn is_tied(a: Number) -> bool {
    return abs(bitcast<i32>(norm2(a)) - bitcast<i32>(params.radius2.x)) <= 8;
}

// Whether |at + z 2^exponent| > R where `at` is tied: by |at|² - R², and what z adds to it, however little. Where z has an
// exponent of its own it is too small to count beside anything but 0.
fn is_just_out(at: Number, z: Number, exponent: i32) -> bool {
    let square = norm2_pair(at);
    let own = hide(square.x - params.radius2.x) + (square.y - params.radius2.y);
    let along = 2.0 * fma(at.x, z.x, at.z * z.z);
    if exponent == 0 {
        return own + (along + norm2(z)) > 0.0;
    }
    return own > 0.0 || own == 0.0 && (along > 0.0 || along == 0.0 && norm2(z) > 0.0);
}

// log2(|a 2^k|²) in 1/256, roughly, but always in order: the mantissa's upper bits stand in for its logarithm.
fn magnitude(a: Number, k: i32) -> i32 {
    return i32(bitcast<u32>(norm2(a)) >> 15u) - (127 << 8u) + 512 * k;
}

// The place among the small values that a value of the reference orbit stands for; negative for one that is itself.
fn place_of_small(a: Number) -> i32 {
    return select(-1, i32(a.y), a.x >= 1e30);
}

fn whole_part(a: Number) -> i32 {
    return i32(a.x);
}

fn parts(a: Number) -> vec4<f32> {
    return a;
}
