// Double precision for deltas, where the adapter has it: a complex number is (re, im).

alias Number = vec2<f64>;
alias Coordinate = f64;

// Numbers below 2^this have an exponent of their own: squares of those above it are well within the range.
const SMALL_LOG2: i32 = -450;

// Nothing needs hiding.
fn know_zero(zero: u32) {}

fn number(re: Coordinate, im: Coordinate) -> Number {
    return vec2<f64>(re, im);
}

fn nought() -> Number {
    return vec2<f64>(0.0lf, 0.0lf);
}

fn one() -> Number {
    return vec2<f64>(1.0lf, 0.0lf);
}

fn add(a: Number, b: Number) -> Number {
    return a + b;
}

fn multiply(a: Number, b: Number) -> Number {
    return vec2<f64>(fma(a.x, b.x, -(a.y * b.y)), fma(a.x, b.y, a.y * b.x));
}

// floor(log2) of the larger part, or one more; NOTHING for 0 and for what is nearly that. Not by a
// loop: software adapters bound the turns of all loops together.
fn exponent_of(a: Number) -> i32 {
    var large = max(abs(a.x), abs(a.y));
    var exponent = -127;
    if large < 3.054936363499605e-151lf {
        large = large * 3.273390607896142e150lf;
        exponent -= 500;
    }
    if large < 5.527147875260445e-76lf {
        large = large * 1.8092513943330656e75lf;
        exponent -= 250;
    }
    if large < 2.350988701644575e-38lf {
        large = large * 4.253529586511731e37lf;
        exponent -= 125;
    }
    if large < 7.888609052210118e-31lf {
        large = large * 1.2676506002282294e30lf;
        exponent -= 100;
    }
    if large > 1.2676506002282294e30lf {
        large = large * 7.888609052210118e-31lf;
        exponent += 100;
    }
    let biased = i32(bitcast<u32>(f32(large)) >> 23u);
    return select(biased + exponent, NOTHING, biased == 0);
}

// Whether it must have an exponent of its own.
fn is_small(a: Number) -> bool {
    return max(abs(a.x), abs(a.y)) < 3.4395525670743494e-136lf;
}

fn single_power_of_two(k: i32) -> f64 {
    return f64(bitcast<f32>(u32(k + 127) << 23u));
}

// a 2^k; 0 where that is below the range.
fn scaled(a: Number, k: i32) -> Number {
    if k < -1000 {
        return nought();
    }
    let eighth = min(k, 1000) / 8;
    let p1 = single_power_of_two(eighth);
    let p2 = p1 * p1;
    let p4 = p2 * p2;
    return (a * single_power_of_two(min(k, 1000) - 8 * eighth)) * p4 * p4;
}

// A number of single precision.
fn wide(a: vec2<f32>) -> Number {
    return vec2<f64>(f64(a.x), f64(a.y));
}

fn leading(a: Number) -> vec2<f32> {
    return vec2<f32>(f32(a.x), f32(a.y));
}

fn norm2_double(a: Number) -> f64 {
    return fma(a.x, a.x, a.y * a.y);
}

fn norm2(a: Number) -> f32 {
    return f32(norm2_double(a));
}

fn norm2_pair(a: Number) -> vec2<f32> {
    return split(norm2_double(a));
}

// |a| < |b|, of numbers that have no exponent of their own.
fn is_nearer(a: Number, b: Number) -> bool {
    return norm2_double(a) < norm2_double(b);
}

// Not `>`, so that NaN counts as far out.
fn is_out(a: Number) -> bool {
    return !(norm2_double(a) <= f64(params.radius2.x) + f64(params.radius2.y));
}

// Whether |a|² is R² but for what rounding could decide.
fn is_tied(a: Number) -> bool {
    let limit = f64(params.radius2.x) + f64(params.radius2.y);
    return abs(norm2_double(a) - limit) <= limit * f64(9.094947e-13);
}

// Whether |at + z 2^exponent| > R where `at` is tied: by |at|² - R², and what z adds to it, however little. Where z has an
// exponent of its own it is too small to count beside anything but 0. Of the larger part of `at`, R is taken exactly.
fn is_just_out(at: Number, z: Number, exponent: i32) -> bool {
    let a = max(abs(at.x), abs(at.y));
    let b = min(abs(at.x), abs(at.y));
    let over = (a - f64(params.radius.x)) - f64(params.radius.y);
    let own = fma(over, a + f64(params.radius.x), b * b);
    let along = f64(2.0) * fma(at.x, z.x, at.y * z.y);
    if exponent == 0 {
        return own + (along + norm2_double(z)) > f64(0.0);
    }
    return own > f64(0.0)
        || own == f64(0.0) && (along > f64(0.0) || along == f64(0.0) && norm2_double(z) > f64(0.0));
}

// log2(|a 2^k|²) in 1/256, roughly, but always in order: the mantissa's upper bits stand in for its logarithm.
fn magnitude(a: Number, k: i32) -> i32 {
    let exponent = exponent_of(a);
    if exponent == NOTHING {
        return 512 * NOTHING;
    }
    let near = leading(scaled(a, -exponent));
    let norm = fma(near.x, near.x, near.y * near.y);
    return i32(bitcast<u32>(norm) >> 15u) - (127 << 8u) + 512 * (k + exponent);
}

// The place among the small values that a value of the reference orbit stands for; negative for one that is itself.
fn place_of_small(a: Number) -> i32 {
    return select(-1, i32(a.y), a.x >= 1e30lf);
}

fn whole_part(a: Number) -> i32 {
    return i32(a.x);
}

fn split(x: f64) -> vec2<f32> {
    let high = f32(x);
    return vec2<f32>(high, f32(x - f64(high)));
}

fn parts(a: Number) -> vec4<f32> {
    return vec4<f32>(split(a.x), split(a.y));
}
