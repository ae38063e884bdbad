//! Reads locations. What a file is, is decided by what is in it.

use std::path::{Path, PathBuf};

use disk::limited::{ReadError, take_limited};
use pictures::open::OpenedFile;

use crate::formats::mandelfarm::KEYWORD;
use crate::formats::toml_error::toml_error;
use crate::formats::{encoding, fraktaler3, kfr, mandelfarm, numbers_as_written, rust_fractal};
use crate::location::{Format, Location, MAX_BYTES};

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
        let opened = OpenedFile::open(path).map_err(unreadable)?;
        if opened.picture().is_some() {
            let texts = opened
                .texts()
                .map_err(|error| malformed(error.to_string()))?;
            return Self::among(&texts)
                .ok_or_else(|| LocationError::Silent(path.to_owned()))?
                .map_err(malformed);
        }
        let bytes = take_limited(opened, MAX_BYTES).map_err(|error| match error {
            ReadError::TooLong(_) => LocationError::TooLong(path.to_owned()),
            other => unreadable(other.into()),
        })?;
        let is_kfr = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("kfr"));
        let text = encoding::text(bytes, |text| is_kfr || kfr::is_kfr(text)).map_err(malformed)?;
        Self::parse(&text, is_kfr).map_err(malformed)
    }

    /// The location among the texts of a picture, name and text, or what is wrong with it; `None` where none is one.
    #[must_use]
    pub fn among(texts: &[(String, String)]) -> Option<Result<Self, String>> {
        if let Some((_, text)) = own_text(texts) {
            return Some(mandelfarm::parse(text));
        }
        if let Some((_, text)) = named(texts, fraktaler3::ATTRIBUTE) {
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
    pub(crate) fn parse(text: &str, is_kfr: bool) -> Result<Self, String> {
        if is_kfr || kfr::is_kfr(text) {
            return kfr::parse(text);
        }
        let text = &numbers_as_written::kept(text)?;
        match dialect(text)? {
            Format::Fraktaler3 => fraktaler3::parse(text),
            Format::RustFractal => rust_fractal::parse(text),
            _ => mandelfarm::parse(text),
        }
    }
}

/// The text with our location among those of a picture, its name and itself.
#[must_use]
pub fn own_text(texts: &[(String, String)]) -> Option<(&str, &str)> {
    named(texts, KEYWORD).or_else(|| {
        // Where a picture's texts have no names to choose, it is the description.
        named(texts, "Software").filter(|(_, by)| by.starts_with("Mandelfarm"))?;
        named(texts, "ImageDescription")
    })
}

fn named<'a>(texts: &'a [(String, String)], name: &str) -> Option<(&'a str, &'a str)> {
    let mut texts = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    texts.find(|(keyword, _)| *keyword == name)
}

/// Whose TOML a text is.
///
/// # Errors
/// Where it is no TOML.
fn dialect(text: &str) -> Result<Format, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
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
mod tests {
    use super::*;

    #[test]
    fn the_location_among_the_texts_of_a_picture() {
        let texts = |texts: &[(&str, &str)]| -> Vec<(String, String)> {
            let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
            texts.iter().map(owned).collect()
        };
        let ours = "re = \"-0.75\"\nim = \"0\"\nzoom = \"2\"";
        let theirs = "Re: -0.75\r\nIm: 0.5\r\nZoom: 2\r\n";
        let made = ("Software", "Mandelfarm 0.1.0");
        for (list, format, own) in [
            (
                vec![("Mandelfarm", ours)],
                Some(Format::Own),
                Some("Mandelfarm"),
            ),
            (
                vec![("ImageDescription", ours), made],
                Some(Format::Own),
                Some("ImageDescription"),
            ),
            (
                vec![("Comment", "made by hand"), ("Comment", theirs)],
                Some(Format::Kfr),
                None,
            ),
            (vec![made, ("Comment", "made by hand")], None, None),
            // Descriptions of others are none of ours.
            (
                vec![("ImageDescription", ours), ("Software", "a camera")],
                None,
                None,
            ),
        ] {
            let texts = texts(&list);
            let location = Location::among(&texts).transpose().unwrap();
            assert_eq!(location.map(|location| location.format), format, "{list:?}");
            assert_eq!(own_text(&texts).map(|(name, _)| name), own, "{list:?}");
        }
        let broken = Location::among(&texts(&[("Mandelfarm", "re = ")]));
        assert!(broken.is_some_and(|location| location.is_err()));
    }
}
