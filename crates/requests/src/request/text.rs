//! Types that are written as text.

use std::fmt;
use std::str::FromStr;

use fractal::count::count;
use serde::de::{Error as _, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::{DeserializeAs, DeserializeFromStr, SerializeAs, SerializeDisplay};

/// Columns and rows, as text like `1920x1080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a size is like 1920x1080".to_owned();
        let (width, height) = text.split_once(['x', 'X']).ok_or_else(wrong)?;
        Ok(Self {
            width: width.parse().map_err(|_| wrong())?,
            height: height.parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl From<Size> for (u32, u32) {
    fn from(size: Size) -> Self {
        (size.width, size.height)
    }
}

/// A count in a text, such as `1e6`.
pub(super) struct AsCount;

impl<'de> DeserializeAs<'de, u64> for AsCount {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        count(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl SerializeAs<u64> for AsCount {
    fn serialize_as<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&number.to_string())
    }
}

/// A word, or `auto`, which is none.
pub(super) struct OrAuto;

impl<'de, T: Deserialize<'de>> DeserializeAs<'de, Option<T>> for OrAuto {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        match Option::<String>::deserialize(deserializer)? {
            Some(word) if word != "auto" => T::deserialize(word.into_deserializer()).map(Some),
            _ => Ok(None),
        }
    }
}

impl<T: Serialize> SerializeAs<Option<T>> for OrAuto {
    fn serialize_as<S: Serializer>(word: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        word.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_numbers() {
        let size = |text: &str| text.parse::<Size>();
        assert_eq!(size("1920x1080").map(Into::into), Ok((1920, 1080)));
        assert_eq!(size("5X7").unwrap().to_string(), "5x7");
        for wrong in ["", "5", "x5", "5x", "-5x5", "5x5x5", "axb", "99999999999x1"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
