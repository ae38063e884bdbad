//! The texts that a picture carries beside its pixels.

use std::borrow::Cow;

/// The program that made a picture, as pictures say it.
pub(crate) const SOFTWARE: &str = concat!("Mandelfarm ", env!("CARGO_PKG_VERSION"));

/// What a picture says of itself.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The text that makes it again, and its name: every format of pictures but AVIF has it.
    pub own: Option<(&'static str, String)>,
    /// Others, for other programs: OpenEXR has them.
    pub others: Vec<(&'static str, String)>,
}

impl Texts {
    /// All of them, by their names.
    pub(crate) fn all(&self) -> Vec<(&'static str, &str)> {
        let all = self.own.iter().chain(&self.others);
        all.map(|(name, text)| (*name, text.as_str())).collect()
    }
}

/// A text in TOML in characters of Latin-1; `None` where that takes escapes and there are strings that have none.
pub(crate) fn in_latin1(text: &str) -> Option<Cow<'_, str>> {
    escaped(text, |c| u32::from(c) < 0x100)
}

/// The same in ASCII.
pub(crate) fn in_ascii(text: &str) -> Option<Cow<'_, str>> {
    escaped(text, |c| c.is_ascii())
}

fn escaped(text: &str, is_plain: impl Fn(char) -> bool) -> Option<Cow<'_, str>> {
    if text.chars().all(&is_plain) {
        return Some(Cow::Borrowed(text));
    }
    let escaped = |c: char| match is_plain(c) {
        true => String::from(c),
        false => format!("\\U{:08X}", u32::from(c)),
    };
    (!text.contains('\'')).then(|| text.chars().map(escaped).collect::<String>().into())
}
