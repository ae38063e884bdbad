//! Pictures, what is painted anew, and minibrots.

use fractal::decimal::DecimalError;
use fractal::{Arithmetic, Counts, Decimal, Grid};
use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, PickFirst, serde_as};

use super::colours::ColourRequest;
use super::formula::FormulaRequest;
use super::text::{AsCount, OrAuto, Size};
use super::view::{TurnRequest, ViewRequest};

/// A picture.
#[serde_as]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct PictureRequest {
    /// Where in the plane.
    #[serde(flatten)]
    pub view: ViewRequest,
    /// What is iterated.
    #[serde(flatten)]
    pub iterated: FormulaRequest,
    /// How many iterations before a pixel counts as inside.
    #[serde_as(as = "Option<PickFirst<(_, AsCount)>>")]
    pub iterations: Option<u64>,
    /// Radius beyond which a pixel has escaped.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub escape_radius: Option<f64>,
    /// Start value of the iteration: real and imaginary part.
    #[serde_as(as = "Option<(PickFirst<(_, DisplayFromStr)>, PickFirst<(_, DisplayFromStr)>)>")]
    pub z0: Option<(f64, f64)>,
    /// log2 of the relative error that one skipped step of a deep view may have.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub skip_error_log2: Option<i32>,
    /// Layout of the samples.
    pub grid: Option<Grid>,
    /// Number type of the kernels; whichever is exact enough where none is requested, or `auto`.
    #[serde_as(as = "OrAuto")]
    pub arithmetic: Option<Arithmetic>,
    /// How counts are made.
    pub counts: Option<Counts>,
    /// Its colours.
    #[serde(flatten)]
    pub colours: ColourRequest,
}

impl PictureRequest {
    /// A view by its centre and its magnification: half the picture's height in the plane is 2/zoom. Numbers may have any
    /// number of digits.
    ///
    /// # Errors
    /// A text that is no number.
    pub fn at(re: &str, im: &str, zoom: &str) -> Result<Self, DecimalError> {
        Ok(Self {
            view: ViewRequest {
                re: Some(re.parse()?),
                im: Some(im.parse()?),
                zoom: Some(zoom.parse()?),
                ..ViewRequest::default()
            },
            ..Self::default()
        })
    }

    /// The whole set, with so many samples per unit of the plane: 2.5 times as many columns, and 3 times as many rows.
    #[must_use]
    pub fn whole_set(density: u32) -> Self {
        Self {
            view: ViewRequest {
                density: density.to_string().parse().ok(),
                ..ViewRequest::default()
            },
            ..Self::default()
        }
    }

    /// The same in so many columns and rows of pixels.
    #[must_use]
    pub fn sized(mut self, width: u32, height: u32) -> Self {
        self.view.size = Some(Size { width, height });
        self
    }
}

/// Data that were computed before, in other colours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct PaintRequest {
    /// The colours.
    #[serde(flatten)]
    pub colours: ColourRequest,
    /// Begin with the usual colours, and not with those that the data carry.
    pub plain: bool,
}

/// The minibrot in or near a view.
#[serde_as]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct MinibrotRequest {
    /// Real part of the centre of the view that is searched.
    pub re: Option<Decimal>,
    /// Imaginary part of it.
    pub im: Option<Decimal>,
    /// Magnification of the view.
    pub zoom: Option<Decimal>,
    /// What is iterated.
    #[serde(flatten)]
    pub iterated: FormulaRequest,
    /// How the view is turned and stretched, and so the minibrot's.
    #[serde(flatten)]
    pub turn: TurnRequest,
    /// Turn the minibrot's view so that it stands as the whole set does.
    pub upright: bool,
    /// Longest period that is looked for.
    #[serde_as(as = "Option<PickFirst<(_, AsCount)>>")]
    pub iterations: Option<u64>,
}
