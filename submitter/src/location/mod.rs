//! Locations: places in the plane as files, ours and those of other programs, and inside pictures.
//!
//! A module a format; what a file is, is decided by what is in it. Every number keeps all its digits.

mod encoding;
mod fraktaler3;
mod kfr;
mod kfr_colours;
mod own;
mod partial;
mod rust_fractal;
mod written;

use std::path::{Path, PathBuf};

use farm_worker::limited::{ReadError, take_limited};
use fractal::{Decimal, Grid, Transform, View};
use serde::{Deserialize, Serialize};

use crate::colour::Scheme;
use crate::output::texts::Begun;

pub use own::{KEYWORD, said};

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
    /// Layout of the samples.
    pub grid: Option<Grid>,
    /// Columns and rows.
    pub size: Option<(u32, u32)>,
    /// log2 of the relative error that one skipped step may have, where it is another than usual.
    pub skip_error_log2: Option<i32>,
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
    /// `cardioid` or `disc`.
    pub shape: String,
    /// The factor that shrinks the whole set to it.
    pub size: String,
    /// By how many degrees it is turned.
    pub turned: f64,
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

/// Why a file is no location, in one line.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// It cannot be read.
    #[error("cannot read {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It is over [`MAX_BYTES`].
    #[error("{}: a location of more than {MAX_BYTES} bytes", .0.display())]
    TooLong(PathBuf),
    /// It is a picture that says nothing of where it was made.
    #[error("{}: a picture without a location in it", .0.display())]
    Silent(PathBuf),
    /// It is something else.
    #[error("{} is not a location: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
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
            grid: None,
            size: None,
            skip_error_log2: None,
            period: None,
            minibrot: None,
            colours: None,
            format,
            warnings: Vec::new(),
        }
    }

    /// Reads a file: a location of any format, or a picture that holds one.
    ///
    /// # Errors
    /// See [`LocationError`].
    pub fn read(path: &Path) -> Result<Self, LocationError> {
        let malformed = |reason| LocationError::Malformed {
            path: path.to_owned(),
            reason,
        };
        let unreadable = |reason| LocationError::Unreadable {
            path: path.to_owned(),
            reason,
        };
        // Read once, as a pipe can be.
        let begun = Begun::open(path).map_err(unreadable)?;
        if begun.picture().is_some() {
            let texts = begun
                .texts()
                .map_err(|error| malformed(error.to_string()))?;
            return Self::among(&texts)
                .ok_or_else(|| LocationError::Silent(path.to_owned()))?
                .map_err(malformed);
        }
        let bytes = take_limited(begun.bytes(), MAX_BYTES).map_err(|error| match error {
            ReadError::TooLong(_) => LocationError::TooLong(path.to_owned()),
            other => unreadable(other.into()),
        })?;
        let is_kfr = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("kfr"));
        let text = encoding::text(bytes, |text| is_kfr || kfr::is_kfr(text)).map_err(malformed)?;
        Self::parse(&text, is_kfr).map_err(malformed)
    }

    /// The location among the texts of a picture.
    fn among(texts: &[(String, String)]) -> Option<Result<Self, String>> {
        let named = |name: &str| texts.iter().find(|(keyword, _)| keyword == name);
        if let Some((_, text)) = named(KEYWORD) {
            return Some(own::parse(text));
        }
        if let Some((_, text)) = named(fraktaler3::ATTRIBUTE) {
            return Some(fraktaler3::parse(text));
        }
        // Its PNG has a comment as others have, which says whose it is.
        let is_its = |text: &str| {
            toml::from_str::<toml::Table>(text).is_ok_and(|table| fraktaler3::is_its(&table))
        };
        if let Some((_, text)) = texts.iter().find(|(_, text)| is_its(text)) {
            return Some(fraktaler3::parse(text));
        }
        // Kalles Fraktaler has names of its own for the text in each kind of picture.
        let (_, text) = texts.iter().find(|(_, text)| kfr::is_kfr(text))?;
        Some(kfr::parse(text))
    }

    /// Reads a text of any format.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    fn parse(text: &str, is_kfr: bool) -> Result<Self, String> {
        if is_kfr || kfr::is_kfr(text) {
            return kfr::parse(text);
        }
        let text = &written::kept(text)?;
        match dialect(text)? {
            Format::Fraktaler3 => fraktaler3::parse(text),
            Format::RustFractal => rust_fractal::parse(text),
            _ => own::parse(text),
        }
    }

    /// As a file of our own holds it.
    #[must_use]
    pub fn text(&self) -> String {
        own::text(self)
    }

    /// For programs.
    #[must_use]
    pub fn value(&self) -> impl Serialize + use<> {
        own::Toml::from(self)
    }

    /// As a file of Kalles Fraktaler holds it.
    #[must_use]
    pub fn kfr(&self) -> String {
        kfr::text(self)
    }
}

/// A number that a file of another program holds under `key`; programs break long ones into lines.
fn number(key: &str, text: &str) -> Result<Decimal, String> {
    let text: String = text.split_ascii_whitespace().collect();
    text.parse().map_err(|error| format!("{key}: {error}"))
}

/// The number with its sign changed: the same point where the imaginary axis points the other way.
fn mirrored(im: Decimal) -> Decimal {
    let text = im.as_str();
    let text = match text.strip_prefix('-') {
        Some(positive) => positive.to_owned(),
        None if !im.is_positive() => return im,
        None => format!("-{}", text.strip_prefix('+').unwrap_or(text)),
    };
    // It was a number, and is one.
    text.parse().unwrap_or(im)
}

/// The line that says what of a file has no counterpart here.
fn left_out(mut what: Vec<String>) -> Option<String> {
    what.dedup();
    (!what.is_empty()).then(|| format!("left out of the location: {}", what.join(", ")))
}

/// The keys of a table with those of tables in it, as `table.key`.
fn keys(table: &toml::Table) -> Vec<String> {
    let each = table.iter().map(|(key, value)| match value {
        toml::Value::Table(inner) => (inner.keys().map(|name| format!("{key}.{name}"))).collect(),
        _ => vec![key.clone()],
    });
    each.collect::<Vec<_>>().concat()
}

/// A place by the centre, if it has an extent.
fn centre(re: Decimal, im: Decimal, zoom: Decimal) -> Result<View, String> {
    let view = View::Centre { re, im, zoom };
    view.check_order().map_err(|error| error.to_string())?;
    Ok(view)
}

/// Whose TOML a text is.
///
/// # Errors
/// Where it is no TOML.
fn dialect(text: &str) -> Result<Format, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| said(text, &error))?;
    let has_table = |name: &&str| table.get(*name).is_some_and(toml::Value::is_table);
    let is_fraktaler3 =
        fraktaler3::is_its(&table) || ["location", "bailout", "reference"].iter().any(has_table);
    Ok(if is_fraktaler3 {
        Format::Fraktaler3
    } else if table.contains_key("real") || table.contains_key("imag") {
        Format::RustFractal
    } else {
        Format::Own
    })
}

#[cfg(test)]
mod tests;
