//! What a data file or a picture holds: its size, and of each channel the type and the range of its values.

use images::read::ImageProperties;
use serde::Serialize;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contents {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Its channels, as they lie in the file.
    pub channels: Vec<ChannelContents>,
}

/// What a channel holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelContents {
    /// Its name; empty where it is the only one.
    pub name: String,
    /// Type of its values.
    pub kind: String,
    /// The smallest and the largest value that is a number; `None` where there is none, and for colours.
    pub range: Option<(f64, f64)>,
    /// Values that stand for the inside: all bits set in a count.
    pub inside: u64,
    /// Values that are no number.
    pub nan: u64,
}

impl From<ImageProperties> for Contents {
    fn from(image: ImageProperties) -> Self {
        let kind = image.kind.as_str();
        let channels = (image.channels.iter()).map(|name| ChannelContents::new(*name, kind));
        Self {
            width: image.size.0 as usize,
            height: image.size.1 as usize,
            channels: channels.collect(),
        }
    }
}

impl ChannelContents {
    pub(crate) fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            range: None,
            inside: 0,
            nan: 0,
        }
    }

    pub(crate) fn add(&mut self, value: f64) {
        if value.is_nan() {
            self.nan += 1;
            return;
        }
        let (least, most) = self.range.unwrap_or((value, value));
        self.range = Some((least.min(value), most.max(value)));
    }
}
