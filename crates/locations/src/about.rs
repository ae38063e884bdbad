//! Locations as they are written.

use pictures::Texts;
use serde::Serialize;

use crate::formats::{kfr, mandelfarm};
use crate::location::{Format, Location};

/// The names of the texts that pictures carry: our own, and that of Kalles Fraktaler, which looks for it in OpenEXR files.
pub const TEXT_NAMES: [&str; 2] = [mandelfarm::KEYWORD, "KallesFraktaler2+"];

/// A formula that a format of files does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no .kfr says {0}")]
pub struct NoSuchFormula(String);

impl NoSuchFormula {
    fn of(location: &Location) -> Self {
        Self(match (&location.julia, &location.formula) {
            (Some(_), _) => "a Julia set".to_owned(),
            (None, formula) => formula.clone().unwrap_or_default().to_string(),
        })
    }
}

impl Location {
    /// As a file of our own holds it.
    #[must_use]
    pub fn text(&self) -> String {
        mandelfarm::text(self)
    }

    /// For programs.
    #[must_use]
    pub fn value(&self) -> impl Serialize + use<> {
        mandelfarm::Toml::from(self)
    }

    /// As a file of Kalles Fraktaler holds it; `None` where that program has no such formula.
    #[must_use]
    pub fn kfr(&self) -> Option<String> {
        kfr::text(self)
    }

    /// As a file of `format` holds it; formats that are only read become our own.
    ///
    /// # Errors
    /// Where the format has no such formula.
    pub fn text_as(&self, format: Format) -> Result<String, NoSuchFormula> {
        match format {
            Format::Kfr => self.kfr().ok_or_else(|| NoSuchFormula::of(self)),
            Format::Own | Format::Fraktaler3 | Format::RustFractal => Ok(self.text()),
        }
    }

    /// As a picture carries it: what makes the picture again, and the place for other programs.
    #[must_use]
    pub fn texts(&self) -> Texts {
        let [own, kfr] = TEXT_NAMES;
        Texts {
            own: Some((own, self.text())),
            others: self.kfr().map(|text| (kfr, text)).into_iter().collect(),
            settling: None,
        }
    }
}
