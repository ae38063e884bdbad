//! Values that are words, as typed.

use clap::ValueEnum;
use colour::{Blend, ColourBy, Hue, Mapping};
use fractal::{Arithmetic, Counts, Grid, Measure};
use pictures::{Channel, Compression};
use requests::request::means::Fallback;

/// Layout of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GridArg {
    /// At pixel centres, row 0 at the top
    Pixels,
    /// numpy.linspace: both ends included, row 0 at the smallest imaginary part
    Linspace,
}

/// What a pixel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MeasureArg {
    /// Iteration count, 32 bits; 0 is inside
    Iterations,
    /// Smooth iteration count, single precision; 0 is inside
    Smooth,
    /// Exterior distance estimate in pixels, single precision; 0 is inside
    Distance,
    /// |z| after exactly N steps where it is at most 2, else NaN; double precision
    Stability,
    /// What the smooth iteration count has beyond the count, single precision; 0 is inside
    Fraction,
    /// Angle of the last z in turns from 0 up to 1, single precision; by processors
    Phase,
    /// Direction straight away from the set in turns from 0 up to 1, single precision; by processors
    Direction,
}

/// Number type of the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArithmeticArg {
    /// The fastest that is exact for the view
    Auto,
    /// Single precision, on adapters
    F32,
    /// Two singles, on adapters
    DoubleSingle,
    /// Double precision: fast, and inexact beyond a zoom of about 1e5
    F64,
    /// Deltas in two singles, on adapters
    DeltaDoubleSingle,
    /// Deltas in double precision
    DeltaF64,
    /// Deltas in double precision with an exponent beside it
    DeltaFloatexp,
}

impl ArithmeticArg {
    /// The one that is asked for, where it is one.
    #[must_use]
    pub fn only(self) -> Option<Arithmetic> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(Arithmetic::F32),
            Self::DoubleSingle => Some(Arithmetic::DoubleSingle),
            Self::F64 => Some(Arithmetic::F64),
            Self::DeltaDoubleSingle => Some(Arithmetic::DeltaDoubleSingle),
            Self::DeltaF64 => Some(Arithmetic::DeltaF64),
            Self::DeltaFloatexp => Some(Arithmetic::DeltaFloatexp),
        }
    }
}

/// How counts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CountsArg {
    /// In one arithmetic, whose rounding changes a few of them
    Fast,
    /// Each for certain, of the sample's exact point; by processors, slow where counts are dense
    Settled,
}

impl From<CountsArg> for Counts {
    fn from(arg: CountsArg) -> Self {
        match arg {
            CountsArg::Fast => Self::Fast,
            CountsArg::Settled => Self::Settled,
        }
    }
}

/// How hard to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompressionArg {
    /// As fast as the pixels come
    Fast,
    /// A tenth to a quarter smaller, several times slower
    Balanced,
    /// A little smaller still, ten times slower
    High,
}

impl From<GridArg> for Grid {
    fn from(arg: GridArg) -> Self {
        match arg {
            GridArg::Pixels => Self::Pixels,
            GridArg::Linspace => Self::Linspace,
        }
    }
}

impl From<MeasureArg> for Measure {
    fn from(arg: MeasureArg) -> Self {
        match arg {
            MeasureArg::Iterations => Self::Iterations,
            MeasureArg::Smooth => Self::Smooth,
            MeasureArg::Distance => Self::Distance,
            MeasureArg::Stability => Self::Stability,
            MeasureArg::Fraction => Self::Fraction,
            MeasureArg::Phase => Self::Phase,
            MeasureArg::Direction => Self::Direction,
        }
    }
}

/// Channels of an OpenEXR file that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ChannelArg {
    /// Iteration count and 1024; N0 and N1 where 32 bits are too few
    #[value(name = "N")]
    Count,
    /// What the smooth iteration count has beyond the count, 0 to 1
    #[value(name = "NF")]
    Fraction,
    /// Angle of the last z in turns, 0 to 1; by processors
    #[value(name = "T")]
    Phase,
    /// DEX and DEY, half the distance estimate in pixels and its direction; by processors
    #[value(name = "DE")]
    Estimate,
    /// Exterior distance estimate in pixels
    Distance,
    /// |z| after exactly N steps where it is at most 2, else NaN
    Stability,
    /// R, G and B: the colours of .png in linear light, for viewers that know no other channels
    #[value(name = "RGB")]
    Colours,
}

/// What is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColourArg {
    /// The smooth iteration count
    Smooth,
    /// Whole iteration counts, with an edge between them
    Bands,
    /// The exterior distance estimate
    Distance,
}

/// Where colours are mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BlendArg {
    /// By sRGB's own numbers, as most programs and CSS do
    Srgb,
    /// As light is
    SrgbLinear,
    /// In Oklab: a mixture is as light as it looks it should be
    Oklab,
    /// In Oklab by lightness, chroma and hue
    Oklch,
}

/// How values are spread over the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MappingArg {
    /// By their logarithm
    Log,
    /// By their square root
    Sqrt,
    /// Evenly
    Linear,
}

impl From<ColourArg> for ColourBy {
    fn from(arg: ColourArg) -> Self {
        match arg {
            ColourArg::Smooth => Self::Smooth,
            ColourArg::Bands => Self::Bands,
            ColourArg::Distance => Self::Distance,
        }
    }
}

impl From<BlendArg> for Blend {
    fn from(arg: BlendArg) -> Self {
        match arg {
            BlendArg::Srgb => Self::Srgb,
            BlendArg::SrgbLinear => Self::Linear,
            BlendArg::Oklab => Self::Oklab,
            BlendArg::Oklch => Self::Oklch(Hue::Shorter),
        }
    }
}

impl From<MappingArg> for Mapping {
    fn from(arg: MappingArg) -> Self {
        match arg {
            MappingArg::Log => Self::Log,
            MappingArg::Sqrt => Self::Sqrt,
            MappingArg::Linear => Self::Linear,
        }
    }
}

/// Whether to compute in process instead of on a farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FallbackArg {
    /// When the job is too small to gain from the farm, by its predicted work, the farm's measured speed and the time that it takes to boot
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<CompressionArg> for Compression {
    fn from(arg: CompressionArg) -> Self {
        match arg {
            CompressionArg::Fast => Self::Fast,
            CompressionArg::Balanced => Self::Balanced,
            CompressionArg::High => Self::High,
        }
    }
}

impl From<ChannelArg> for Channel {
    fn from(arg: ChannelArg) -> Self {
        match arg {
            ChannelArg::Count => Self::Count,
            ChannelArg::Fraction => Self::Fraction,
            ChannelArg::Phase => Self::Phase,
            ChannelArg::Estimate => Self::Estimate,
            ChannelArg::Distance => Self::Distance,
            ChannelArg::Stability => Self::Stability,
            ChannelArg::Colours => Self::Colours,
        }
    }
}

impl From<FallbackArg> for Fallback {
    fn from(arg: FallbackArg) -> Self {
        match arg {
            FallbackArg::Auto => Self::Auto,
            FallbackArg::Always => Self::Always,
            FallbackArg::Never => Self::Never,
        }
    }
}
