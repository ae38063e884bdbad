//! Where in the plane a picture lies, and how its samples are laid out in it.

use dashu_int::ops::{BitTest, UnsignedAbs};
use dashu_int::{IBig, UBig};
use serde::{Deserialize, Serialize};

use crate::numbers::decimal::Decimal;
use crate::plane::axis::Axis;
use crate::plane::transform::middle;

/// The part of the plane that a picture shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum View {
    /// A rectangle by its bounds.
    Bounds {
        /// Smallest real part.
        xmin: Decimal,
        /// Largest real part.
        xmax: Decimal,
        /// Smallest imaginary part.
        ymin: Decimal,
        /// Largest imaginary part.
        ymax: Decimal,
    },
    /// A centre and a magnification: half the picture's height in the plane is 2/zoom (the convention
    /// of Kalles Fraktaler and Fraktaler-3), and pixels are square.
    Centre {
        /// Real part of the centre.
        re: Decimal,
        /// Imaginary part of the centre.
        im: Decimal,
        /// Magnification, greater than zero.
        zoom: Decimal,
    },
}

/// Digits of a zoom that is computed from bounds.
const ZOOM_DIGITS: u32 = 25;

/// Why a view has no extent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// `xmin >= xmax` or `ymin >= ymax`.
    #[error("bounds out of order: {low_name} {low} is not below {high_name} {high}")]
    Bounds {
        /// Name of the lower bound.
        low_name: &'static str,
        /// The lower bound as typed.
        low: String,
        /// Name of the upper bound.
        high_name: &'static str,
        /// The upper bound as typed.
        high: String,
    },
    /// The zoom is zero or less.
    #[error("zoom {0} is not greater than 0")]
    Zoom(String),
}

/// How samples are laid out inside a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grid {
    /// Samples at pixel centres, row 0 at the top (largest imaginary part).
    Pixels,
    /// `numpy.linspace`: both ends included, row 0 at the smallest imaginary part.
    Linspace,
    /// As [`Self::Pixels`], each column and each row displaced within its cell ([`crate::plane::axis::displacement`]): for
    /// pictures whose pixels are means of several samples, so that no pattern comes of their grid.
    Displaced,
}

/// Both ends of one side of a view as fractions over one denominator.
struct Side {
    low: IBig,
    high: IBig,
    denominator: UBig,
}

impl Side {
    fn by_bounds(low: &Decimal, high: &Decimal) -> Self {
        let ((a, b), (c, d)) = (low.to_fraction(), high.to_fraction());
        Self {
            low: a * &d,
            high: c * &b,
            denominator: b * d,
        }
    }

    /// `centre ± 2 / zoom * numerator / denominator`, the latter two in pixels.
    fn by_centre(centre: &Decimal, zoom: &Decimal, numerator: u32, denominator: u32) -> Self {
        let ((a, b), (zoom_n, zoom_d)) = (centre.to_fraction(), zoom.to_fraction());
        let scaled = IBig::from(denominator) * &zoom_n;
        let middle = a * &scaled;
        let reach = IBig::from(2) * IBig::from(zoom_d) * IBig::from(numerator) * &b;
        Self {
            low: &middle - &reach,
            high: middle + reach,
            // Zoom is positive in a checked frame; in an unchecked one a sign would be wrong, which is harmless.
            denominator: scaled.unsigned_abs() * b,
        }
    }

    /// Samples at the centres of `len` equal cells, from `low` up, or from `high` down.
    fn cells(self, len: u32, downwards: bool) -> Axis {
        let extent = &self.high - &self.low;
        let cells = IBig::from(2) * IBig::from(len);
        let (origin, step) = if downwards {
            (self.high * &cells - &extent, IBig::from(-2) * extent)
        } else {
            (self.low * &cells + &extent, IBig::from(2) * extent)
        };
        Axis {
            origin,
            step,
            denominator: self.denominator * UBig::from(2u8) * UBig::from(len),
            len,
            displaced: false,
        }
    }

    /// `numpy.linspace(low, high, len)`: both ends included; a single sample is at `low`.
    fn linspace(self, len: u32) -> Axis {
        let gaps = len.saturating_sub(1).max(1);
        let step = if len > 1 {
            &self.high - &self.low
        } else {
            IBig::ZERO
        };
        Axis {
            origin: self.low * IBig::from(gaps),
            step,
            denominator: self.denominator * UBig::from(gaps),
            len,
            displaced: false,
        }
    }
}

impl View {
    /// Checks that the view has an extent: bounds in order, zoom greater than zero.
    ///
    /// # Errors
    /// [`ViewError::Bounds`] or [`ViewError::Zoom`].
    pub fn check_order(&self) -> Result<(), ViewError> {
        match self {
            Self::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => {
                for (low_name, low, high_name, high) in
                    [("xmin", xmin, "xmax", xmax), ("ymin", ymin, "ymax", ymax)]
                {
                    if !high.minus(low).is_positive() {
                        let (low, high) = (low.to_string(), high.to_string());
                        return Err(ViewError::Bounds {
                            low_name,
                            low,
                            high_name,
                            high,
                        });
                    }
                }
                Ok(())
            }
            Self::Centre { zoom, .. } if !zoom.is_positive() => {
                Err(ViewError::Zoom(zoom.to_string()))
            }
            Self::Centre { .. } => Ok(()),
        }
    }

    /// The same place by its centre, to every digit, and its zoom, to [`ZOOM_DIGITS`] where bounds give it; of bounds
    /// that are in order.
    #[must_use]
    pub fn by_centre(&self) -> Self {
        let Self::Bounds {
            xmin,
            xmax,
            ymin,
            ymax,
        } = self
        else {
            return self.clone();
        };
        let (height, denominator) = ymax.minus(ymin).to_fraction();
        // 4/height, as a whole number of that many digits times a power of ten.
        let (dividend, divisor) = (IBig::from(4) * IBig::from(denominator), height);
        let digits = |number: &IBig| {
            number.clone().unsigned_abs().bit_len() as f64 * std::f64::consts::LOG10_2
        };
        let power = (f64::from(ZOOM_DIGITS) - digits(&dividend) + digits(&divisor)) as i64;
        let shift = UBig::from(10u8).pow(usize::try_from(power.unsigned_abs()).unwrap_or(0));
        let quotient = if power >= 0 {
            dividend * shift / divisor
        } else {
            dividend / (divisor * shift)
        };
        let zoom = format!("{quotient}e{}", -power).parse();
        Self::Centre {
            re: xmin.middle(xmax),
            im: ymin.middle(ymax),
            zoom: zoom.unwrap_or_else(|_| ymax.clone()),
        }
    }

    /// The centre as fractions, real and imaginary part, exact.
    #[must_use]
    pub fn middle(&self) -> [(IBig, UBig); 2] {
        match self {
            Self::Centre { re, im, .. } => [re.to_fraction(), im.to_fraction()],
            Self::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => [middle(xmin, xmax), middle(ymin, ymax)],
        }
    }

    /// The coordinates of the columns (real parts) and rows (imaginary parts) of a picture of
    /// `width` x `height` samples.
    ///
    /// With [`Grid::Pixels`]: re = re0 + ((col+1/2)/W - 1/2)(W/H) 4/zoom, im = im0 - ((row+1/2)/H - 1/2) 4/zoom,
    /// and likewise inside bounds.
    #[must_use]
    pub fn axes(&self, grid: Grid, width: u32, height: u32) -> (Axis, Axis) {
        let (x, y) = match self {
            Self::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => (Side::by_bounds(xmin, xmax), Side::by_bounds(ymin, ymax)),
            Self::Centre { re, im, zoom } => (
                Side::by_centre(re, zoom, width, height),
                Side::by_centre(im, zoom, height, height),
            ),
        };
        match grid {
            Grid::Pixels => (x.cells(width, false), y.cells(height, true)),
            Grid::Linspace => (x.linspace(width), y.linspace(height)),
            Grid::Displaced => (
                x.cells(width, false).displaced(),
                y.cells(height, true).displaced(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn notebook() -> View {
        View::Bounds {
            xmin: d("-2"),
            xmax: d("0.5"),
            ymin: d("-1.5"),
            ymax: d("1.5"),
        }
    }

    #[test]
    fn pixels_lie_at_cell_centres_with_row_0_at_the_top() {
        let (x, y) = notebook().axes(Grid::Pixels, 5, 6);
        assert_eq!(x.to_f64s(0..5), [-1.75, -1.25, -0.75, -0.25, 0.25]);
        assert_eq!(y.to_f64s(0..6), [1.25, 0.75, 0.25, -0.25, -0.75, -1.25]);
        assert_eq!(x.at(3), -0.25);
        assert_eq!(y.to_f64s(2..4), [0.25, -0.25]);
    }

    #[test]
    fn linspace_includes_both_ends_with_row_0_at_the_bottom() {
        let (x, y) = notebook().axes(Grid::Linspace, 6, 4);
        assert_eq!(x.to_f64s(0..6), [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5]);
        assert_eq!(y.to_f64s(0..4), [-1.5, -0.5, 0.5, 1.5]);
        let (x, _) = notebook().axes(Grid::Linspace, 1, 1);
        assert_eq!(x.to_f64s(0..1), [-2.0]);
    }

    #[test]
    fn a_centre_and_zoom_follow_the_formula() {
        let view = View::Centre {
            re: d("-0.75"),
            im: d("0.1"),
            zoom: d("8"),
        };
        let (w, h) = (7u32, 4u32);
        let (x, y) = view.axes(Grid::Pixels, w, h);
        for col in 0..w {
            let re = -0.75 + ((f64::from(col) + 0.5) / 7.0 - 0.5) * (7.0 / 4.0) * 4.0 / 8.0;
            assert!((x.at(col) - re).abs() < 1e-15);
        }
        for row in 0..h {
            let im = 0.1 - ((f64::from(row) + 0.5) / 4.0 - 0.5) * 4.0 / 8.0;
            assert!((y.at(row) - im).abs() < 1e-15);
        }
        assert_eq!(x.spacing_log2(), y.spacing_log2(), "pixels are square");
    }

    #[test]
    fn bounds_have_a_centre_and_a_zoom() {
        let centre = |view: &View| match view.by_centre() {
            View::Centre { re, im, zoom } => (re, im, zoom),
            View::Bounds { .. } => unreachable!(),
        };
        let (re, im, zoom) = centre(&notebook());
        assert_eq!((re, im), (d("-0.75"), d("0")));
        assert!((zoom.to_f64() - 4.0 / 3.0).abs() < 1e-15);
        // A deep one: 4e-1000 high.
        let (re, im, zoom) = centre(&View::Bounds {
            xmin: d("0.25"),
            xmax: d("0.25000000000001"),
            ymin: d("-3e-1000"),
            ymax: d("1e-1000"),
        });
        assert_eq!((re, im), (d("0.250000000000005"), d("-1e-1000")));
        assert_eq!(zoom, d("1e1000"));
        let own = View::Centre {
            re: d("1"),
            im: d("2"),
            zoom: d("3"),
        };
        assert_eq!(own.by_centre(), own);
    }

    #[test]
    fn deep_coordinates_differ_by_the_pixel_spacing_exactly() {
        let view = View::Centre {
            re: d("0.25"),
            im: d("0"),
            zoom: d("1e1000"),
        };
        let (x, _) = view.axes(Grid::Pixels, 4, 4);
        let bits = 4000;
        let spacing = x.fixed_point(2, bits) - x.fixed_point(1, bits);
        let expected = (IBig::from(1) << bits) / IBig::from(UBig::from(10u8).pow(1000));
        assert!((spacing - expected).unsigned_abs_le_one());
    }

    trait AtMostOne {
        fn unsigned_abs_le_one(self) -> bool;
    }
    impl AtMostOne for IBig {
        fn unsigned_abs_le_one(self) -> bool {
            (IBig::from(-1)..=IBig::from(1)).contains(&self)
        }
    }
}
