//! Our own format: TOML, numbers with all their digits as text. Pictures hold the same as a text of theirs.
//!
//! ```toml
//! re = "-1.7548776662466927600495088963585286918946"
//! im = "0"
//! zoom = "52.5"
//! iterations = 10000
//! ```

use fractal::{Counts, Decimal, Formula, Grid, Settling, Transform, View};
use serde::{Deserialize, Serialize};

use super::partial_colours::Colours;
use super::toml_error::toml_error;
use crate::location::{Format, Location, Minibrot};

/// The name of a picture's text that holds a location.
pub const KEYWORD: &str = "Mandelfarm";

/// A location as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Toml {
    #[serde(skip_serializing_if = "Option::is_none")]
    re: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    im: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zoom: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xmin: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    xmax: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ymin: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ymax: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stretch: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stretch_angle: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escape_radius: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    z0: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<Formula>,
    #[serde(skip_serializing_if = "Option::is_none")]
    julia: Option<[Decimal; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grid: Option<Grid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_error_log2: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minibrot: Option<Minibrot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    colours: Option<Colours>,
    /// Last: pictures that are written row by row add it behind all else.
    #[serde(skip_serializing_if = "Option::is_none")]
    settling: Option<Settling>,
}

impl Toml {
    fn view(&mut self) -> Result<View, String> {
        let centre = [&mut self.re, &mut self.im, &mut self.zoom].map(Option::take);
        let bounds = [
            &mut self.xmin,
            &mut self.xmax,
            &mut self.ymin,
            &mut self.ymax,
        ]
        .map(Option::take);
        let has_centre = centre.iter().any(Option::is_some);
        let has_bounds = bounds.iter().any(Option::is_some);
        let view = match (centre, bounds) {
            ([Some(re), Some(im), Some(zoom)], _) if !has_bounds => View::Centre { re, im, zoom },
            (_, [Some(xmin), Some(xmax), Some(ymin), Some(ymax)]) if !has_centre => View::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            },
            _ => {
                return Err(
                    "give either re, im and zoom, or xmin, xmax, ymin and ymax, and not both"
                        .to_owned(),
                );
            }
        };
        view.check_order().map_err(|error| error.to_string())?;
        Ok(view)
    }
}

impl From<&Location> for Toml {
    fn from(location: &Location) -> Self {
        let place = match location.view.clone() {
            View::Centre { re, im, zoom } => Self {
                re: Some(re),
                im: Some(im),
                zoom: Some(zoom),
                ..Self::default()
            },
            View::Bounds {
                xmin,
                xmax,
                ymin,
                ymax,
            } => Self {
                xmin: Some(xmin),
                xmax: Some(xmax),
                ymin: Some(ymin),
                ymax: Some(ymax),
                ..Self::default()
            },
        };
        // What is 0 is not said.
        let said = |value: f64| Some(value).filter(|value| *value != 0.0);
        Self {
            rotate: said(location.transform.rotate),
            stretch: said(location.transform.stretch),
            stretch_angle: said(location.transform.stretch_angle),
            iterations: location.iterations,
            escape_radius: location.escape_radius,
            z0: location.z0,
            formula: location.formula.clone(),
            julia: location.julia.clone(),
            grid: location.grid,
            width: location.size.map(|size| size.0),
            height: location.size.map(|size| size.1),
            skip_error_log2: location.skip_error_log2,
            counts: location.counts,
            period: location.period,
            minibrot: location.minibrot.clone(),
            colours: location.colours.clone().map(Colours),
            settling: location.settling,
            ..place
        }
    }
}

pub(crate) fn parse(text: &str) -> Result<Location, String> {
    let mut toml: Toml = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
    let size = match (toml.width, toml.height) {
        (Some(width), Some(height)) => Some((width, height)),
        (None, None) => None,
        _ => return Err("give both width and height, or neither".to_owned()),
    };
    if let Some(Colours(colours)) = &toml.colours {
        colours.check().map_err(|error| error.to_string())?;
    }
    let transform = Transform {
        rotate: toml.rotate.unwrap_or_default(),
        stretch: toml.stretch.unwrap_or_default(),
        stretch_angle: toml.stretch_angle.unwrap_or_default(),
    };
    transform.check().map_err(|error| error.to_string())?;
    Ok(Location {
        transform,
        iterations: toml.iterations,
        escape_radius: toml.escape_radius,
        z0: toml.z0,
        formula: toml.formula.take(),
        julia: toml.julia.take(),
        grid: toml.grid,
        size,
        skip_error_log2: toml.skip_error_log2,
        counts: toml.counts,
        settling: toml.settling,
        period: toml.period,
        minibrot: toml.minibrot.take(),
        colours: toml.colours.take().map(|colours| colours.0),
        ..Location::at(toml.view()?, Format::Own)
    })
}

pub(crate) fn text(location: &Location) -> String {
    // Plain data with text keys: it can always be written.
    toml::to_string(&Toml::from(location)).unwrap_or_default()
}
