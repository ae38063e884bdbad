// Hides a rounding from the compiler by a 0 from storage. Some drivers compile a kernel again with the values of
// uniforms that its branches depend on, among them the 0 that was to be unknown, where a branch depends on hidden values
// as those of deltas do.

var<private> hidden_zero: u32;

fn know_zero(zero: u32) {
    hidden_zero = zero;
}

fn hide(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ hidden_zero);
}
