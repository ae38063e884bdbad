//! `.f3.toml`, of Fraktaler-3: TOML in tables; what is not said has a default. Its pictures hold the same text.
//!
//! Its zoom is ours: half the picture's height is 2/zoom. See <https://fraktaler.mathr.co.uk>, "Parameters".

use serde::Deserialize;

use super::shared::{centre, keys, left_out_warning, number};
use super::toml_error::toml_error;
use crate::location::{Format, Location};

/// The attribute of its OpenEXR files that holds the text.
pub(crate) const ATTRIBUTE: &str = "Fraktaler3";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    location: Place,
    reference: Reference,
    bailout: Bailout,
    transform: Transform,
    formula: Vec<Formula>,
    image: Image,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Image {
    width: Option<u32>,
    height: Option<u32>,
    vertical_flip: bool,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Place {
    real: String,
    imag: String,
    zoom: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    period: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bailout {
    iterations: Option<u64>,
    escape_radius: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Transform {
    reflect: bool,
    rotate: f64,
    stretch_angle: f64,
    stretch_amount: f64,
    /// As version 3.1 says it; images say it elsewhere.
    vertical_flip: bool,
    exponential_map: bool,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Formula {
    abs_x: bool,
    abs_y: bool,
    neg_x: bool,
    neg_y: bool,
    power: i64,
    opcodes: Option<String>,
    /// Keys that are not known.
    #[serde(flatten)]
    others: toml::Table,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            real: "0".to_owned(),
            imag: "0".to_owned(),
            zoom: "1".to_owned(),
        }
    }
}

impl Default for Formula {
    fn default() -> Self {
        Self {
            abs_x: false,
            abs_y: false,
            neg_x: false,
            neg_y: false,
            power: 2,
            opcodes: None,
            others: toml::Table::new(),
        }
    }
}

impl Formula {
    /// Its operations. Where it lists them these count; `add` is always the last of them.
    fn operations(&self) -> String {
        if let Some(opcodes) = self
            .opcodes
            .as_deref()
            .filter(|list| !list.trim().is_empty())
        {
            let is_closed = opcodes.split_whitespace().last() == Some("add");
            return format!("{opcodes}{}", if is_closed { "" } else { " add" });
        }
        let folds = [
            (self.abs_x, "absx"),
            (self.abs_y, "absy"),
            (self.neg_x, "negx"),
            (self.neg_y, "negy"),
        ];
        let power = match self.power {
            2 => "sqr".to_owned(),
            power => format!("pow{power}"),
        };
        let folds = folds.iter().filter(|(is_on, _)| *is_on);
        let words = folds.map(|(_, word)| (*word).to_owned());
        words
            .chain([power, "add".to_owned()])
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// What is iterated: a phase a formula.
fn formula(list: &[Formula]) -> Result<fractal::Formula, String> {
    if list.is_empty() {
        return Ok(fractal::Formula::default());
    }
    let phases: Vec<String> = list.iter().map(Formula::operations).collect();
    let formula = phases.join(" / ").parse();
    formula.map_err(|error| format!("[[formula]]: {error}"))
}

pub(crate) fn parse(text: &str) -> Result<Location, String> {
    let file: File = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
    let mut formula = formula(&file.formula)?;
    let (place, transform) = (&file.location, &file.transform);
    let mut im = number("location.imag", &place.imag)?;
    let mut view_transform = fractal::Transform {
        rotate: transform.rotate,
        stretch: transform.stretch_amount,
        stretch_angle: transform.stretch_angle,
    };
    // A reflected picture is that of the conjugate place: its stretch lies on the other side, its turn is the same. A
    // flip of the finished picture turns the other way as well.
    if transform.reflect {
        (im, formula) = (im.negated(), formula.mirrored());
        view_transform.stretch_angle = 0.0 - view_transform.stretch_angle;
    }
    if file.image.vertical_flip || transform.vertical_flip {
        (im, formula) = (im.negated(), formula.mirrored());
        view_transform.rotate = 0.0 - view_transform.rotate;
        view_transform.stretch_angle = 0.0 - view_transform.stretch_angle;
    }
    view_transform.check().map_err(|error| error.to_string())?;
    let view = centre(
        number("location.real", &place.real)?,
        im,
        number("location.zoom", &place.zoom)?,
    )?;
    let table: toml::Table = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
    let mut unknown = keys(&table);
    unknown.retain(|key| !TAKEN.contains(&key.as_str()) && key != "transform.exponential_map");
    if transform.exponential_map {
        unknown.push("transform.exponential_map".to_owned());
    }
    let formulas = file
        .formula
        .iter()
        .flat_map(|formula| formula.others.keys());
    unknown.extend(formulas.map(|key| format!("formula.{key:.40}")));
    let (width, height) = (file.image.width, file.image.height);
    Ok(Location {
        iterations: Some(file.bailout.iterations.unwrap_or(ITERATIONS)),
        escape_radius: Some(file.bailout.escape_radius.unwrap_or(ESCAPE_RADIUS)),
        period: Some(file.reference.period).filter(|period| *period > 0),
        transform: view_transform,
        formula: Some(formula).filter(|formula| !formula.is_mandelbrot()),
        size: Some((width.unwrap_or(WIDTH), height.unwrap_or(HEIGHT))),
        warnings: left_out_warning(unknown).into_iter().collect(),
        ..Location::at(view, Format::Fraktaler3)
    })
}

/// What that program takes where a file is silent.
const ITERATIONS: u64 = 1024;
const ESCAPE_RADIUS: f64 = 625.0;
const WIDTH: u32 = 1024;
const HEIGHT: u32 = 576;

/// Keys that are read, or that say nothing of the picture.
const TAKEN: [&str; 19] = [
    "program",
    "version",
    "formula",
    "location.real",
    "location.imag",
    "location.zoom",
    "reference.period",
    "reference.real",
    "reference.imag",
    "bailout.iterations",
    "bailout.escape_radius",
    "image.width",
    "image.height",
    "image.vertical_flip",
    "transform.reflect",
    "transform.vertical_flip",
    "transform.rotate",
    "transform.stretch_angle",
    "transform.stretch_amount",
];

/// Whether a file says that it is one.
pub(crate) fn is_its(table: &toml::Table) -> bool {
    table.get("program").and_then(toml::Value::as_str) == Some("fraktaler-3")
}
