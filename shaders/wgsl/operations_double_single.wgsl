// What formulas are made of beside z² + c, in double-single. Needs exact.wgsl and hide_memory.wgsl.

fn square(z: Complex) -> Complex {
    return multiply(z, z);
}

// As z² + c is computed in number_double_single.wgsl: the low parts in single precision.
fn multiply(a: Complex, b: Complex) -> Complex {
    let xx = two_prod(a.x, b.x);
    let yy = two_prod(a.z, b.z);
    let xy = two_prod(a.x, b.z);
    let yx = two_prod(a.z, b.x);
    let re = two_sum(xx.x, -yy.x);
    let im = two_sum(xy.x, yx.x);
    let re_low = (xx.y - yy.y) + ((a.x * b.y + a.y * b.x) - (a.z * b.w + a.w * b.z));
    let im_low = (xy.y + yx.y) + ((a.x * b.w + a.y * b.z) + (a.z * b.y + a.w * b.x));
    return vec4<f32>(quick_two_sum(re.x, re.y + re_low), quick_two_sum(im.x, im.y + im_low));
}

fn sum(a: Complex, b: Complex) -> Complex {
    let re = two_sum(a.x, b.x);
    let im = two_sum(a.z, b.z);
    return vec4<f32>(
        quick_two_sum(re.x, re.y + (a.y + b.y)),
        quick_two_sum(im.x, im.y + (a.w + b.w)),
    );
}

// The high part has the sign of both.
fn abs_re(z: Complex) -> Complex {
    return select(z, vec4<f32>(-z.xy, z.zw), z.x < 0.0);
}

fn abs_im(z: Complex) -> Complex {
    return select(z, vec4<f32>(z.xy, -z.zw), z.z < 0.0);
}

fn neg_re(z: Complex) -> Complex {
    return vec4<f32>(-z.xy, z.zw);
}

fn neg_im(z: Complex) -> Complex {
    return vec4<f32>(z.xy, -z.zw);
}

fn take_zero(zero: Coordinate) {
    know_zero(bitcast<u32>(zero.x));
}
