//! Where in the plane.

use fractal::{Decimal, Transform};
use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, PickFirst, serde_as};

use super::text::Size;

/// A view: by its bounds and a density, or by its centre, magnification and size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ViewRequest {
    /// Real part of the centre.
    pub re: Option<Decimal>,
    /// Imaginary part of the centre.
    pub im: Option<Decimal>,
    /// Magnification: half the picture's height in the plane is 2/zoom.
    pub zoom: Option<Decimal>,
    /// Smallest real part.
    pub xmin: Option<Decimal>,
    /// Largest real part.
    pub xmax: Option<Decimal>,
    /// Smallest imaginary part.
    pub ymin: Option<Decimal>,
    /// Largest imaginary part.
    pub ymax: Option<Decimal>,
    /// Samples per unit of the plane.
    pub density: Option<Decimal>,
    /// Columns and rows, in pixels.
    pub size: Option<Size>,
    /// How it is turned and stretched.
    #[serde(flatten)]
    pub turn: TurnRequest,
}

/// How a view is turned and stretched.
#[serde_as]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct TurnRequest {
    /// Degrees by which the view turns anticlockwise about its centre.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub rotate: Option<f64>,
    /// Stretches the view by 2^(N/100) along `stretch_angle`, and by the inverse across it, before it turns.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub stretch: Option<f64>,
    /// Direction of `stretch` in degrees anticlockwise from the right.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub stretch_angle: Option<f64>,
}

impl TurnRequest {
    /// The whole transform; what is not requested is as `base` has it.
    #[must_use]
    pub fn over(&self, base: Transform) -> Transform {
        Transform {
            rotate: self.rotate.unwrap_or(base.rotate),
            stretch: self.stretch.unwrap_or(base.stretch),
            stretch_angle: self.stretch_angle.unwrap_or(base.stretch_angle),
        }
    }
}
