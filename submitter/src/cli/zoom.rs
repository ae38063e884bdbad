//! The command line of `submitter zoom`, as typed.

use std::path::PathBuf;

use clap::Args;
use fractal::Decimal;
use requests::Size;
use zoom::plan::rate::Rate;

use super::colour::ColourArgs;
use super::place::{FormulaArgs, LogArgs, PlaceArgs, SayArgs};
use super::world::StageArgs;

/// Options of `zoom`.
#[derive(Debug, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "One key frame is computed an octave (a doubling of the zoom); every frame is made of the key frames around it. They stay on the disk until the sequence is done, so that the same command goes on after any interruption, and for good with --keep.\n\nExamples:\n  submitter zoom --re -0.7436438870371587 --im 0.13182590420531197 --to 1e11 -o seahorse.mp4\n  submitter zoom --location place.toml --size 1920x1080 --fps 60 --ease 2 --keep keys -o dive.mp4\n  submitter zoom --reuse keys --palette magma --seconds-per-octave 0.5 --reverse -o out.webm\n                                                        other colours, pace and direction; computes nothing\n  submitter zoom --location place.toml -o 'frames/%06d.png'\n  submitter zoom --location place.toml --preview -o quick.mp4\n  submitter zoom --location place.toml --light 120 --depth 16 -o 'frames/%06d.png'\n  submitter zoom --world worlds/4-local.penvm --location place.toml -o dive.mp4\n                                                        on workers that are booted for it"
)]
pub struct ZoomArgs {
    /// The place: a location file, whose zoom is where the sequence ends
    #[arg(long, value_name = "FILE", help_heading = "Place", conflicts_with_all = ["re", "im"])]
    pub location: Option<PathBuf>,
    /// Real part of the centre
    #[arg(
        long,
        value_name = "X",
        allow_hyphen_values = true,
        help_heading = "Place",
        requires = "im"
    )]
    pub re: Option<Decimal>,
    /// Imaginary part of the centre
    #[arg(
        long,
        value_name = "Y",
        allow_hyphen_values = true,
        help_heading = "Place",
        requires = "re"
    )]
    pub im: Option<Decimal>,
    /// Magnification of the first frame: half its height in the plane is 2/zoom [default: 1, or as before with --reuse]
    #[arg(
        long,
        value_name = "Z",
        allow_hyphen_values = true,
        help_heading = "Place"
    )]
    pub from: Option<Decimal>,
    /// Magnification of the last frame [default: the location's]
    #[arg(
        long,
        value_name = "Z",
        allow_hyphen_values = true,
        help_heading = "Place"
    )]
    pub to: Option<Decimal>,
    /// What is iterated.
    #[command(flatten)]
    pub iterated: FormulaArgs,
    /// Degrees by which the view is turned anticlockwise in every frame, as --rotate of a still; what is seen turns clockwise
    /// [default: 0, or the location's]
    #[arg(
        long,
        value_name = "DEGREES",
        allow_hyphen_values = true,
        help_heading = "Place"
    )]
    pub view_rotate: Option<f64>,
    /// Stretches the view by 2^(N/100) along --stretch-angle, and by the inverse across it [default: 0, or the location's]
    #[arg(
        long,
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = "Place"
    )]
    pub stretch: Option<f64>,
    /// Direction of --stretch in degrees anticlockwise from the right [default: 0, or the location's]
    #[arg(
        long,
        value_name = "DEGREES",
        allow_hyphen_values = true,
        help_heading = "Place"
    )]
    pub stretch_angle: Option<f64>,
    /// How many iterations before a pixel counts as inside [default: 1000, or the location's]
    #[arg(long, value_name = "N", help_heading = "Place", value_parser = fractal::count::count)]
    pub iterations: Option<u64>,
    /// The same at zoom 1, from where it grows evenly with the octaves: for deep places, past minibrots on the way
    /// [default: the same at any depth]
    #[arg(long, value_name = "N", help_heading = "Place", value_parser = |text: &str| fractal::count::within::<u64>(text, 1, u64::MAX))]
    pub shallow_iterations: Option<u64>,

    /// Columns and rows of a frame [default: 1280x720, or as its key frames were made for]
    #[arg(long, value_name = "WxH", help_heading = "Frames")]
    pub size: Option<Size>,
    /// Frames a second: a number, or a fraction like 30000/1001
    #[arg(long, value_name = "N", default_value = "30", help_heading = "Frames")]
    pub fps: Rate,
    /// Seconds for each doubling of the zoom
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 1.0,
        help_heading = "Frames",
        conflicts_with = "duration"
    )]
    pub seconds_per_octave: f64,
    /// Seconds from the first frame to the last
    #[arg(long, value_name = "SECONDS", help_heading = "Frames")]
    pub duration: Option<f64>,
    /// Seconds to gather speed in at the start, and to come to rest in at the end
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0.0,
        help_heading = "Frames"
    )]
    pub ease: f64,
    /// Degrees by which the picture turns anticlockwise on the way from the first frame to the last
    #[arg(
        long,
        value_name = "DEGREES",
        default_value_t = 0.0,
        allow_hyphen_values = true,
        help_heading = "Frames"
    )]
    pub rotate: f64,
    /// From the last frame to the first
    #[arg(long, help_heading = "Frames")]
    pub reverse: bool,
    /// A quick small version: a quarter of each side, half the frames a second
    #[arg(long, help_heading = "Frames")]
    pub preview: bool,
    /// Samples of a key frame to a pixel of a frame at its own zoom, along each side: more are sharper, and take longer
    /// [default: 1.18 times the root of --samples]
    #[arg(long, value_name = "N", help_heading = "Frames")]
    pub key_samples: Option<f64>,

    /// Where to write: .mp4, .webm or .mkv by ffmpeg, numbered pictures like frames/%06d.png, or - for raw RGB on stdout (of 16 bits rgb48be)
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "zoom.mp4",
        help_heading = "Output"
    )]
    pub output: PathBuf,
    /// The program that makes videos
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "ffmpeg",
        help_heading = "Output"
    )]
    pub ffmpeg: PathBuf,
    /// Its encoder [default: libx264, for .webm libvpx-vp9]
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub encoder: Option<String>,
    /// An option of the encoder, as crf=24 or preset=slow; may be given several times
    #[arg(long = "encoder-option", value_name = "NAME=VALUE", value_parser = encoder_option, help_heading = "Output")]
    pub encoder_options: Vec<(String, String)>,
    /// Keep the key frames in this folder [default: beside the output, until it is done]
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Output",
        conflicts_with = "reuse"
    )]
    pub keep: Option<PathBuf>,
    /// Make the sequence of the key frames in this folder, with other colours, pace, size or range; what is missing of
    /// them is computed
    #[arg(long, value_name = "DIR", help_heading = "Output", conflicts_with_all = ["location", "re", "im", "formula", "julia", "view_rotate", "stretch", "stretch_angle", "iterations", "shallow_iterations", "key_samples"])]
    pub reuse: Option<PathBuf>,

    /// Colours.
    #[command(flatten)]
    pub colours: ColourArgs,
    /// Where key frames are computed.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Or on a world's network.
    #[command(flatten)]
    pub stage: StageArgs,
    /// What is said.
    #[command(flatten)]
    pub say: SayArgs,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
}

/// An option of an encoder: a name and a value.
pub fn encoder_option(text: &str) -> Result<(String, String), String> {
    let named =
        |(name, value): (&str, &str)| (name.trim_start_matches('-').to_owned(), value.to_owned());
    let option = text.split_once('=').map(named);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_:.".contains(c);
    option
        .filter(|(name, _)| !name.is_empty() && name.chars().all(plain))
        .ok_or_else(|| "an option of an encoder is like crf=24".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_encoders_have_a_name_and_a_value() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(encoder_option("crf=24"), pair("crf", "24"));
        assert_eq!(encoder_option("-b:v=2M"), pair("b:v", "2M"));
        assert_eq!(
            encoder_option("x264-params=a=1:b=2"),
            pair("x264-params", "a=1:b=2")
        );
        for wrong in ["crf", "=24", "-=1", "c r f=1"] {
            assert!(encoder_option(wrong).is_err(), "{wrong}");
        }
    }
}
