//! Sequences of frames into a place.

use fractal::Decimal;
use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, PickFirst, serde_as};
use zoom::plan::rate::Rate;

use super::colours::ColourRequest;
use super::formula::FormulaRequest;
use super::text::{AsCount, Size};

/// A sequence.
#[serde_as]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct SequenceRequest {
    /// Real part of the centre.
    pub re: Option<Decimal>,
    /// Imaginary part of the centre.
    pub im: Option<Decimal>,
    /// Magnification of the first frame.
    pub from: Option<Decimal>,
    /// Magnification of the last frame.
    pub to: Option<Decimal>,
    /// What is iterated.
    #[serde(flatten)]
    pub iterated: FormulaRequest,
    /// Degrees by which the view is turned anticlockwise in every frame.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub view_rotate: Option<f64>,
    /// Stretches the view by 2^(N/100) along `stretch_angle`, and by the inverse across it.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub stretch: Option<f64>,
    /// Direction of `stretch` in degrees anticlockwise from the right.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub stretch_angle: Option<f64>,
    /// How many iterations before a pixel counts as inside.
    #[serde_as(as = "Option<PickFirst<(_, AsCount)>>")]
    pub iterations: Option<u64>,
    /// The same at zoom 1, from where it grows evenly with the octaves.
    #[serde_as(as = "Option<PickFirst<(_, AsCount)>>")]
    pub shallow_iterations: Option<u64>,
    /// Columns and rows of a frame.
    pub size: Option<Size>,
    /// Frames a second: a number, or a fraction like 30000/1001.
    #[serde_as(as = "Option<DisplayFromStr>")]
    pub fps: Option<Rate>,
    /// Seconds for each doubling of the zoom.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub seconds_per_octave: Option<f64>,
    /// Seconds from the first frame to the last.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub duration: Option<f64>,
    /// Seconds to gather speed in at the start, and to come to rest in at the end.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub ease: Option<f64>,
    /// Degrees by which the picture turns anticlockwise on the way.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub rotate: Option<f64>,
    /// From the last frame to the first.
    pub reverse: bool,
    /// A quick small version: a quarter of each side, half the frames a second.
    pub preview: bool,
    /// Samples of a key frame to a pixel of a frame at its own zoom, along each side.
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    pub key_samples: Option<f64>,
    /// Its colours.
    #[serde(flatten)]
    pub colours: ColourRequest,
}
