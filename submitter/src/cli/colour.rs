//! How pictures are coloured, as typed: the same options for every command that paints.

use std::path::PathBuf;

use clap::Args;
use colour::{Depth, Light, Rgb, Samples};

use super::place::{SayArgs, ThreadsArgs};
use super::values::{BlendArg, ColourArg, CompressionArg, MappingArg};

/// Heading of these options in `--help`.
const COLOURS: &str = "Colours of pictures";

/// Colours. What is not given is as the location's own colours say, or as it suits.
#[derive(Clone, Debug, Args)]
pub struct ColourArgs {
    /// The palette.
    #[arg(
        help = "A palette's name, its stops as CSS has them ('gold, 35%, #f00'), or a file of them: .ugr, .map, .ggr or .css; FILE.ugr:NAME for one of several [default: plasma]",
        long,
        value_name = "NAME|FILE|STOPS",
        help_heading = COLOURS
    )]
    pub palette: Option<String>,
    /// Where colours between a palette's stops are mixed [default: as the palette says; srgb for files and lists that say
    /// nothing]
    #[arg(long, value_enum, value_name = "SPACE", help_heading = COLOURS)]
    pub blend: Option<BlendArg>,
    /// What is coloured [default: smooth]
    #[arg(long, alias = "color", value_enum, value_name = "BY", help_heading = COLOURS)]
    pub colour: Option<ColourArg>,
    /// How it is spread over the palette [default: log; with --period linear]
    #[arg(long, value_enum, value_name = "HOW", help_heading = COLOURS, conflicts_with = "equalise")]
    pub mapping: Option<MappingArg>,
    /// Spread it so that every colour gets as much of the picture's outside
    #[arg(long, alias = "equalize", help_heading = COLOURS)]
    pub equalise: bool,
    /// Values at the palette's two ends [default: found from samples of the view]
    #[arg(long, alias = "color-range", num_args = 2, value_names = ["LOW", "HIGH"], allow_hyphen_values = true,
          help_heading = COLOURS, conflicts_with_all = ["period", "equalise"])]
    pub colour_range: Option<Vec<f64>>,
    /// Run through the palette once every P counts (of what --mapping makes of them), in every view the same
    #[arg(long, value_name = "P", allow_hyphen_values = true, help_heading = COLOURS, conflicts_with_all = ["cycles", "equalise"])]
    pub period: Option<f64>,
    /// Run through the palette N times over the picture's range
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = COLOURS)]
    pub cycles: Option<f64>,
    /// Where on the palette to begin, as a share of it [default: 0]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, help_heading = COLOURS)]
    pub offset: Option<f64>,
    /// Colour of the inside, as CSS has it [default: black]
    #[arg(long, value_name = "COLOUR", help_heading = COLOURS)]
    pub inside: Option<Rgb>,
    /// Light the smooth count as a relief: from ANGLE degrees (0 is the right, 90 above) and HEIGHT (default 1.5)
    #[arg(long, value_name = "ANGLE[,HEIGHT]", allow_hyphen_values = true, help_heading = COLOURS)]
    pub light: Option<Light>,
    /// No light, also where the location has one
    #[arg(long, help_heading = COLOURS, conflicts_with = "light")]
    pub no_light: bool,
    /// Samples of a pixel, whose mean it is: 1, 4, 9, 16, 25, 36, 49 or 64 [default: 1]
    #[arg(long, value_name = "N", help_heading = COLOURS)]
    pub samples: Option<Samples>,
    /// Blue noise in place of rounding to 8 bits
    #[arg(long, help_heading = COLOURS)]
    pub dither: bool,
    /// No noise, also where the location has it
    #[arg(long, help_heading = COLOURS, conflicts_with = "dither")]
    pub no_dither: bool,
    /// Bits of a channel, 8 or 16 [default: 8]
    #[arg(long, value_name = "BITS", help_heading = COLOURS)]
    pub depth: Option<Depth>,
}

/// Options of `colour`.
#[derive(Debug, Args)]
#[command(
    after_help = "Data are what `render -o data.exr` and `-o data.npy` keep, or Kalles Fraktaler's .exr files. Nothing is computed, and memory does not grow with a .png. An .exr made here carries its colours, samples a pixel and range among them: they are where the options begin. Arrays carry none: those of several samples a pixel want the same --samples here.\n\nExamples:\n  submitter colour data.exr -o a.png --palette classic --period 60 --light 120\n  submitter colour data.exr -o b.png --palette volcano.ugr --equalise --cycles 3\n  submitter colour stability.npy -o c.png --mapping linear --colour-range 0 2 --inside white"
)]
pub struct RecolourArgs {
    /// The data: .exr, or .npy of one measure
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// Where to write the picture: .png, .jpg, .webp, .tiff or .avif
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Colours
    #[command(flatten)]
    pub colours: ColourArgs,
    /// Begin with the colours of a render that says nothing of them, and not with those that the data carry
    #[arg(long, help_heading = COLOURS)]
    pub plain: bool,
    /// How hard to compress .png
    #[arg(long, value_enum, default_value_t = CompressionArg::Fast)]
    pub compression: CompressionArg,
    /// By how many threads.
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// What is said.
    #[command(flatten)]
    pub say: SayArgs,
}
