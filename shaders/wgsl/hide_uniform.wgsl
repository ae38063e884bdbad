// Hides a rounding from the compiler by a uniform that is 0.

fn hide(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}
