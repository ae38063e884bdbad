//! Hard cases of single precision, and points whose orbits tell of rounding alone.

/// Steps of the proof's orbits.
pub(super) const ORBIT_STEPS: u32 = 40;

/// Pairs of singles: ones that lose much to rounding, ones that cancel, and the ends of the exponent range.
pub(super) fn single_cases() -> Vec<[f32; 2]> {
    let tiny = 2f32.powi(-24);
    let mut cases = vec![
        [1.0, tiny],
        [1.0, 1.5 * tiny],
        [1.0 + 2.0 * tiny, -1.0],
        [1.0, -tiny / 2.0],
        [3.0, 1.0 / 3.0],
        [16_777_215.0, 16_777_213.0],
        [-0.743_643_9, 0.131_825_9],
        [1.999_999_9, 1.999_999_9],
        [4097.0, 4095.0],
    ];
    // Significands and signs by a multiplicative congruential sequence, exponents of -20 to 20.
    let mut state = 0x9e37_79b9u32;
    let mut next = || {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let significand = 1.0 + (state >> 9) as f32 * 2f32.powi(-23);
        let sign = if state & 1 == 0 { 1.0 } else { -1.0 };
        sign * significand * 2f32.powi((state >> 1 & 0xff) as i32 % 41 - 20)
    };
    for _ in 0..200 {
        let (a, b) = (next(), next());
        cases.push([a, b]);
        // Neighbours of opposite sign: nothing but error terms is left.
        cases.push([a, -a * (1.0 + 3.0 * tiny)]);
    }
    // Last, in this order: the exponent range, and a subnormal product.
    cases.push([2f32.powi(100), 2f32.powi(20)]);
    cases.push([2f32.powi(-100), 2f32.powi(-40)]);
    cases
}

/// How many of [`single_cases`], at their end, are about the exponent range.
pub(super) const RANGE_CASES: usize = 2;

/// Points with attracting orbits, along which errors do not grow: what is left of them is rounding.
pub(super) fn orbit_cases() -> Vec<[f64; 2]> {
    // 40 bits of each survive the trip through a pair of singles.
    let rounded = |x: f64| (x * 2f64.powi(40)).round() * 2f64.powi(-40);
    [
        (-0.1, 0.65),
        (0.2, 0.3),
        (-0.5, 0.5),
        (-1.1, 0.1),
        (-0.122_561, 0.744_862),
        (-0.743, 0.01),
        (-1.31, 0.0),
    ]
    .into_iter()
    .map(|(re, im)| [rounded(re + 1e-9 / 3.0), rounded(im + 1e-9 / 7.0)])
    .collect()
}
