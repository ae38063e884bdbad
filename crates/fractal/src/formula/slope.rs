//! Derivatives of maps that are not analytic.

use crate::numbers::floatexp::{ComplexExp, FloatExp};

/// The derivative of z by the point of the plane: rows of the Jacobian matrix, real part and imaginary part of z by real part
/// and imaginary part of the point.
pub type Jacobian = [[FloatExp; 2]; 2];

/// The complex number d that says of a map with this Jacobian what its derivative says of an analytic one: z's modulus rises
/// along d's conjugate times z, by |d|. For an analytic map it is the derivative.
///
/// The rise of |z| is the vector `J^T z / |z|`, of which d is the conjugate times z / |z|.
#[must_use]
pub fn slope([x, y]: [f64; 2], jacobian: &Jacobian) -> ComplexExp {
    // |z| may be so large that its square is not in range.
    let size = x.abs().max(y.abs());
    if size == 0.0 || !size.is_finite() {
        return ComplexExp::ZERO;
    }
    let (x, y) = (x / size, y / size);
    let norm = (x * x + y * y).sqrt();
    let [x, y] = [x / norm, y / norm].map(FloatExp::from_f64);
    let [[a, b], [c, d]] = *jacobian;
    let (right, up) = (a * x + c * y, b * x + d * y);
    ComplexExp::new(right * x + up * y, right * y - up * x)
}
