//! The texts that a picture carries beside its pixels.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use fractal::Settling;

/// The program that made a picture, as pictures say it.
pub(crate) const SOFTWARE: &str = concat!("Mandelfarm ", env!("CARGO_PKG_VERSION"));

/// What a picture says of itself.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The text that makes it again, and its name: every format of pictures but AVIF has it.
    pub own: Option<(&'static str, String)>,
    /// Others, for other programs: OpenEXR has them.
    pub others: Vec<(&'static str, String)>,
    /// What it took to settle the picture's counts, where they are settled: its own text ends with that.
    pub settling: Option<Arc<SettlingSoFar>>,
}

/// What it took to settle the counts of a picture: it grows with its strips, and is whole behind the last.
#[derive(Debug, Default)]
pub struct SettlingSoFar(Mutex<Settling>);

impl SettlingSoFar {
    /// Adds a strip's.
    pub fn add(&self, settling: Settling) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += settling;
    }

    /// That of all strips so far.
    #[must_use]
    pub fn get(&self) -> Settling {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As TOML has it: a table, behind all that is said before.
fn table(settling: Settling) -> String {
    let Settling { again, unsettled } = settling;
    format!("\n[settling]\nagain = {again}\nunsettled = {unsettled}\n")
}

/// The same in a fixed number of bytes.
fn padded(settling: Settling) -> String {
    let longest = table(Settling {
        again: u64::MAX,
        unsettled: u64::MAX,
    });
    format!("{:\n<1$}", table(settling), longest.len())
}

impl Texts {
    /// The text that makes the picture again, whole: call it behind the last strip.
    pub(crate) fn own_in_full(&self) -> Option<(&'static str, Cow<'_, str>)> {
        let (name, text) = self.own.as_ref()?;
        let text = match &self.settling {
            None => Cow::Borrowed(text.as_str()),
            Some(settling) => Cow::Owned(text.clone() + &table(settling.get())),
        };
        Some((name, text))
    }

    /// The same with room for what is known behind the last strip, for formats that have texts first: [`Texts::tail`] goes
    /// there.
    pub(crate) fn with_room(&self) -> Self {
        let mut texts = self.clone();
        if let (Some((_, text)), Some(_)) = (&mut texts.own, texts.settling.take()) {
            text.push_str(&padded(Settling::default()));
        }
        texts
    }

    /// What the own text, which is named, ends with where room was left: call it behind the last strip.
    #[must_use]
    pub fn tail(&self) -> Option<(&'static str, String)> {
        let (name, _) = self.own.as_ref()?;
        Some((name, padded(self.settling.as_ref()?.get())))
    }

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
