//! Location files: a place in the plane as TOML, every number with all its digits as text.
//!
//! ```toml
//! re = "-1.7548776662466927600495088963585286918946"
//! im = "0"
//! zoom = "52.5"
//! iterations = 10000
//! ```

use std::path::{Path, PathBuf};

use fractal::Decimal;
use serde::{Deserialize, Serialize};

/// Most bytes of a location file: two coordinates of the largest length and change.
const MAX_BYTES: u64 = 1 << 20;

/// A place in the plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Real part of the centre.
    pub re: Decimal,
    /// Imaginary part of the centre.
    pub im: Decimal,
    /// Magnification.
    pub zoom: Decimal,
    /// Iteration limit that suits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
    /// What is known of the minibrot there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minibrot: Option<Minibrot>,
}

/// What is known of a minibrot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minibrot {
    /// Period of its nucleus.
    pub period: u64,
    /// `cardioid` or `disc`.
    pub shape: String,
    /// The factor that shrinks the whole set to it.
    pub size: String,
    /// By how many degrees it is turned.
    pub turned: f64,
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
    #[error("{}: a location of {bytes} bytes is over the limit of {MAX_BYTES}", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// How long it is.
        bytes: u64,
    },
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
    /// Reads a file.
    ///
    /// # Errors
    /// See [`LocationError`].
    pub fn read(path: &Path) -> Result<Self, LocationError> {
        let unreadable = |reason| LocationError::Unreadable {
            path: path.to_owned(),
            reason,
        };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > MAX_BYTES {
            let path = path.to_owned();
            return Err(LocationError::TooLong { path, bytes });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        toml::from_str(&text).map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .map(|span| text[..span.start].matches('\n').count() + 1);
            let place = line.map_or_else(String::new, |line| format!("line {line}: "));
            LocationError::Malformed {
                path: path.to_owned(),
                reason: place + error.message(),
            }
        })
    }

    /// As a file holds it.
    #[must_use]
    pub fn text(&self) -> String {
        // Plain data with text keys: it can always be written.
        toml::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_back_with_every_digit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        let location = Location {
            re: "-1.75487766624669276004950889635852869189460661777279314398928397064"
                .parse()
                .unwrap(),
            im: "0".parse().unwrap(),
            zoom: "5.25e1000".parse().unwrap(),
            iterations: Some(10_000),
            minibrot: Some(Minibrot {
                period: 3,
                shape: "cardioid".to_owned(),
                size: "1.9e-2".to_owned(),
                turned: 0.0,
            }),
        };
        std::fs::write(&path, location.text()).unwrap();
        let back = Location::read(&path).unwrap();
        assert_eq!(back, location);
        assert_eq!(back.re.as_str(), location.re.as_str());
    }

    #[test]
    fn what_is_no_location_is_one_line_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        let says = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let error = Location::read(&path).unwrap_err().to_string();
            assert!(error.contains("x.toml") && !error.contains('\n'), "{error}");
            error
        };
        assert!(says("re = \"0\"\nim = \"0\"\n").contains("zoom"));
        assert!(says("re = \"0\"\nim = \"zero\"\nzoom = \"1\"\n").contains("line 2"));
        assert!(says("re = \"0\"\nim = \"0\"\nzoom = \"1\"\nzom = 1\n").contains("line 4"));
        says(&"#".repeat(MAX_BYTES as usize + 1));
        let nowhere = Location::read(&folder.path().join("none.toml")).unwrap_err();
        assert!(nowhere.to_string().contains("none.toml"), "{nowhere}");
    }
}
