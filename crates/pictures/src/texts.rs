//! The texts that a picture carries beside its pixels.

use std::borrow::Cow;

/// Most bytes of a text that is read.
pub const MAX_TEXT_BYTES: u64 = 1 << 20;
/// The program that made a picture, as pictures say it.
pub(crate) const SOFTWARE: &str = concat!("Mandelfarm ", env!("CARGO_PKG_VERSION"));

/// What a picture says of itself.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The text that makes it again, and its name: every format has it.
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
    let is_latin1 = |c: char| u32::from(c) < 0x100;
    if text.chars().all(is_latin1) {
        return Some(Cow::Borrowed(text));
    }
    let escaped = |c: char| match u32::from(c) {
        code if is_latin1(c) => char::from_u32(code).map(String::from),
        code => Some(format!("\\U{code:08X}")),
    };
    (!text.contains('\'')).then(|| text.chars().filter_map(escaped).collect::<String>().into())
}
