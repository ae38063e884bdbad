//! Locations as they are written.

use pictures::Texts;
use serde::Serialize;

use crate::formats::{kfr, mandelfarm};
use crate::location::{Format, Location};

/// The names of the texts that pictures carry: our own, and that of Kalles Fraktaler, which looks for it in OpenEXR files.
pub const TEXT_NAMES: [&str; 2] = [mandelfarm::KEYWORD, "KallesFraktaler2+"];

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

    /// As a file of Kalles Fraktaler holds it.
    #[must_use]
    pub fn kfr(&self) -> String {
        kfr::text(self)
    }

    /// As a file of `format` holds it; formats that are only read become our own.
    #[must_use]
    pub fn text_as(&self, format: Format) -> String {
        match format {
            Format::Kfr => self.kfr(),
            Format::Own | Format::Fraktaler3 | Format::RustFractal => self.text(),
        }
    }

    /// As a picture carries it: what makes the picture again, and the place for other programs.
    #[must_use]
    pub fn texts(&self) -> Texts {
        let [own, kfr] = TEXT_NAMES;
        Texts {
            own: Some((own, self.text())),
            others: vec![(kfr, self.kfr())],
            settling: None,
        }
    }
}
