//! Complex numbers as pairs of doubles.

/// p q + r
#[inline(always)]
pub(crate) fn times_plus(p: [f64; 2], q: [f64; 2], r: [f64; 2]) -> [f64; 2] {
    [
        p[0].mul_add(q[0], (-p[1]).mul_add(q[1], r[0])),
        p[0].mul_add(q[1], p[1].mul_add(q[0], r[1])),
    ]
}

/// p q, each product rounded
#[inline]
pub(crate) fn mul(p: [f64; 2], q: [f64; 2]) -> [f64; 2] {
    [p[0] * q[0] - p[1] * q[1], p[0] * q[1] + p[1] * q[0]]
}

/// p + q
#[inline]
pub(crate) fn add(p: [f64; 2], q: [f64; 2]) -> [f64; 2] {
    [p[0] + q[0], p[1] + q[1]]
}

/// p - q
#[inline]
pub(crate) fn sub(p: [f64; 2], q: [f64; 2]) -> [f64; 2] {
    [p[0] - q[0], p[1] - q[1]]
}

/// p times the real number `by`
#[inline]
pub(crate) fn scale(p: [f64; 2], by: f64) -> [f64; 2] {
    [p[0] * by, p[1] * by]
}
