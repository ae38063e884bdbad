//! A place in the plane, and what is said of the picture there.

use colour::Scheme;
use fractal::{Counts, Decimal, Formula, Grid, Settling, Transform, View};
use serde::{Deserialize, Serialize};

/// Most bytes of a location: two coordinates of the largest length and change.
pub const MAX_BYTES: u64 = 1 << 20;

/// A place in the plane, and what is said of the picture there.
#[derive(Clone, Debug, PartialEq)]
pub struct Location {
    /// Where.
    pub view: View,
    /// How that is turned and stretched.
    pub transform: Transform,
    /// Iteration limit that suits it.
    pub iterations: Option<u64>,
    /// Radius beyond which a pixel has escaped.
    pub escape_radius: Option<f64>,
    /// Start value of the iteration.
    pub z0: Option<(f64, f64)>,
    /// What is iterated, where that is another formula than z² + c.
    pub formula: Option<Formula>,
    /// The c of a Julia set, real and imaginary part.
    pub julia: Option<[Decimal; 2]>,
    /// Layout of the samples.
    pub grid: Option<Grid>,
    /// Columns and rows.
    pub size: Option<(u32, u32)>,
    /// log2 of the relative error that one skipped step may have, where it is another than usual.
    pub skip_error_log2: Option<i32>,
    /// How counts are made, where that is another than usual.
    pub counts: Option<Counts>,
    /// What it took to settle the counts of the picture that says this.
    pub settling: Option<Settling>,
    /// Period of the nucleus in the view, where another program knew it.
    pub period: Option<u64>,
    /// What is known of the minibrot there.
    pub minibrot: Option<Minibrot>,
    /// How it is coloured.
    pub colours: Option<Scheme>,
    /// How the file says it.
    pub format: Format,
    /// What the file says and this program does not do.
    pub warnings: Vec<String>,
}

/// What is known of a minibrot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minibrot {
    /// Real part of its nucleus, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<Decimal>,
    /// Imaginary part of its nucleus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub im: Option<Decimal>,
    /// Period of its nucleus.
    pub period: u64,
    /// `cardioid` or `disc`; `minibrot` of other formulas than z² + c, where nothing more is known.
    pub shape: String,
    /// The factor that shrinks the whole set to it.
    pub size: String,
    /// By how many degrees it is turned, where it is a turned copy of the whole set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned: Option<f64>,
}

/// A way to write down a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Our own, TOML.
    Own,
    /// `.kfr`, of Kalles Fraktaler.
    Kfr,
    /// `.f3.toml`, of Fraktaler-3.
    Fraktaler3,
    /// `.toml`, of rust-fractal.
    RustFractal,
}

impl Format {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "Mandelfarm",
            Self::Kfr => "Kalles Fraktaler",
            Self::Fraktaler3 => "Fraktaler-3",
            Self::RustFractal => "rust-fractal",
        }
    }
}

impl Location {
    /// A bare place.
    #[must_use]
    pub fn at(view: View, format: Format) -> Self {
        Self {
            view,
            transform: Transform::default(),
            iterations: None,
            escape_radius: None,
            z0: None,
            formula: None,
            julia: None,
            grid: None,
            size: None,
            skip_error_log2: None,
            counts: None,
            settling: None,
            period: None,
            minibrot: None,
            colours: None,
            format,
            warnings: Vec::new(),
        }
    }
}
