//! What files of pixels hold: channels of OpenEXR, and how hard PNG is compressed.

use serde::{Deserialize, Serialize};

/// Channels of an OpenEXR file that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// `N`: iteration count and 1024; `N0` and `N1` where 32 bits are too few.
    Count,
    /// `NF`: what the smooth iteration count has beyond the count, 0 to 1.
    Fraction,
    /// `T`: angle of the last z in turns, 0 to 1.
    Phase,
    /// `DEX` and `DEY`: half the distance estimate in pixels and its direction.
    Estimate,
    /// `distance`: exterior distance estimate in pixels.
    Distance,
    /// `stability`: |z| after exactly N steps where it is at most 2, else NaN.
    Stability,
    /// `R`, `G` and `B`: colours in linear light.
    Colours,
}

/// How hard to compress a PNG.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// As fast as the pixels come.
    #[default]
    Fast,
    /// A tenth to a quarter smaller, several times slower.
    Balanced,
    /// A little smaller still, ten times slower.
    High,
}

/// Channels of an OpenEXR file, a set of [`Channel`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Channel>", into = "Vec<Channel>")]
pub struct Channels(u8);

impl Channels {
    const ALL: [Channel; 7] = [
        Channel::Count,
        Channel::Fraction,
        Channel::Phase,
        Channel::Estimate,
        Channel::Distance,
        Channel::Stability,
        Channel::Colours,
    ];

    /// The set with `channel` added.
    #[must_use]
    pub fn with(self, channel: Channel) -> Self {
        Self(self.0 | 1 << channel as u8)
    }

    /// The members.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        Self::ALL
            .into_iter()
            .filter(move |channel| self.contains(*channel))
    }

    /// Whether `channel` is in it.
    #[must_use]
    pub fn contains(self, channel: Channel) -> bool {
        self.0 & 1 << channel as u8 != 0
    }
}

impl From<Vec<Channel>> for Channels {
    fn from(channels: Vec<Channel>) -> Self {
        channels.into_iter().fold(Self::default(), Self::with)
    }
}

impl From<Channels> for Vec<Channel> {
    fn from(channels: Channels) -> Self {
        channels.iter().collect()
    }
}
