// One step of a delta from a reference orbit, z' = (2 Z + z) z + c, at any size of z.
//
// A number is either itself, with exponent 0, or below 2^SMALL_LOG2 and has its larger part's exponent beside it.
// Sums are right whatever the sizes only if their operands are normalised: a part of 1 to 2, or 0 with NOTHING.

// Exponent of zero.
const NOTHING: i32 = -1048576;
// Exponents farther apart than this have no bit in common.
const APART: i32 = 64;

struct Scaled {
    value: Number,
    exponent: i32,
}

fn normalised(value: Number, exponent: i32) -> Scaled {
    let own = exponent_of(value);
    if own == NOTHING {
        return Scaled(nought(), NOTHING);
    }
    return Scaled(scaled(value, -own), exponent + own);
}

// As it is kept from step to step.
fn settled(sum: Scaled) -> Scaled {
    let result = normalised(sum.value, sum.exponent);
    if result.exponent >= SMALL_LOG2 {
        return Scaled(scaled(result.value, result.exponent), 0);
    }
    return result;
}

// a + b, both normalised.
fn add_scaled(a: Scaled, b: Scaled) -> Scaled {
    let apart = a.exponent - b.exponent;
    if apart > APART {
        return a;
    }
    if apart < -APART {
        return b;
    }
    if apart >= 0 {
        return Scaled(add(a.value, scaled(b.value, -apart)), a.exponent);
    }
    return Scaled(add(scaled(a.value, apart), b.value), b.exponent);
}

struct Step {
    delta: Scaled,
    // 2 (Z + z), by which a derivative is multiplied.
    factor: Scaled,
}

// `near_c` is c without an exponent of its own, 0 where it is far below the range.
fn delta_step(reference: Scaled, z: Scaled, c: Scaled, near_c: Number) -> Step {
    if z.exponent == 0 {
        let near = scaled(reference.value, reference.exponent);
        let sum = add(add(near, near), z.value);
        let result = add(multiply(sum, z.value), near_c);
        if !is_small(result) {
            return Step(Scaled(result, 0), Scaled(add(sum, z.value), 0));
        }
    }
    let large = normalised(add(reference.value, reference.value), reference.exponent);
    let small = normalised(z.value, z.exponent);
    let sum = add_scaled(large, small);
    let product = multiply(sum.value, small.value);
    let result = add_scaled(normalised(product, sum.exponent + small.exponent), c);
    let whole = normalised(sum.value, sum.exponent);
    return Step(settled(result), add_scaled(whole, small));
}
