//! Whether |z| > R, decided as written and not in rounded squares.
//!
//! An orbit may meet R exactly: c = -2 stays on |z| = 2 for ever, and its neighbours up and down are outside at once, by
//! less than a double shows of |z|². So where |z|² and R² are as good as equal, their difference is summed without
//! rounding; everywhere else the usual comparison decides.

/// Share of R² by which |z|² may be off it where rounding could decide.
const TIE: f64 = 1.0 / (1u64 << 46) as f64;

/// An escape radius.
#[derive(Clone, Copy, Debug)]
pub(super) struct Radius {
    pub(super) radius: f64,
    /// Up to this |z|² is within.
    pub(super) below2: f64,
    /// Beyond this it is outside.
    pub(super) above2: f64,
}

impl Radius {
    pub(super) fn new(radius: f64) -> Self {
        let square = radius * radius;
        Self {
            radius,
            below2: square * (1.0 - TIE),
            above2: square * (1.0 + TIE),
        }
    }

    /// Whether rounding could decide on which side a point is.
    #[inline(always)]
    pub(super) fn is_tied(&self, x: f64, y: f64) -> bool {
        let norm2 = x.mul_add(x, y * y);
        norm2 > self.below2 && norm2 <= self.above2
    }

    /// A tied point, moved by as few last bits as it takes to be outside (`beyond`) or not.
    pub(super) fn settled(&self, [mut x, mut y]: [f64; 2], beyond: bool) -> [f64; 2] {
        /// More last bits than the rounding of both parts amounts to.
        const MOST: usize = 4;
        for _ in 0..MOST {
            if exceeds(x, y, self.radius) == beyond {
                break;
            }
            let larger = if x.abs() >= y.abs() { &mut x } else { &mut y };
            let size = larger.abs();
            let moved = if beyond {
                size.next_up()
            } else {
                size.next_down()
            };
            *larger = moved.copysign(*larger);
        }
        [x, y]
    }

    /// Whether x + iy is not outside; NaN is outside.
    pub(super) fn holds(&self, x: f64, y: f64) -> bool {
        let norm2 = x.mul_add(x, y * y);
        norm2 <= self.below2 || norm2 <= self.above2 && !exceeds(x, y, self.radius)
    }
}

/// Whether x² + y² > R², without rounding; for |z| about as large as R.
pub(super) fn exceeds(x: f64, y: f64, radius: f64) -> bool {
    /// 2^480: no square of a number up to 1e9 is too large then, and the errors of none that matters too small.
    const SCALE: f64 = f64::from_bits((1023 + 480) << 52);
    let mut parts = [0.0; 6];
    for (at, value) in [x, y, radius].into_iter().enumerate() {
        let (value, sign) = (value * SCALE, if at == 2 { -1.0 } else { 1.0 });
        let square = value * value;
        parts[2 * at] = sign * square;
        parts[2 * at + 1] = sign * value.mul_add(value, -square);
    }
    // Jonathan Shewchuk's expansion: parts that do not overlap, their sum exact, the last one that is not 0 its sign.
    for end in 1..parts.len() {
        let mut next = parts[end];
        for part in &mut parts[..end] {
            let sum = next + *part;
            let back = sum - next;
            *part = (next - (sum - back)) + (*part - back);
            next = sum;
        }
        parts[end] = next;
    }
    let leading = parts.iter().rev().find(|part| **part != 0.0);
    leading.is_some_and(|part| *part > 0.0)
}

#[cfg(test)]
mod tests;
