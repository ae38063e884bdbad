//! What keeps a request from becoming a plan: the user's mistake, in one line that names options as they are typed.

use std::path::PathBuf;

use colour::SchemeError;
use farm_queue::protocol::lines::{MAX_NAME_BYTES, MAX_TAG_BYTES};
use farm_worker::farm_args::FarmArgsError;
use locations::{LocationError, NoSuchFormula};
use render::prepare::precision::PrecisionError;
use zoom::keys::folder::FolderError;
use zoom::plan::video::OddSides;

use super::palettes::GradientError;
use super::usual::{MAX_FRAMES, MAX_WORKERS};

/// Why a request does not make a plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The view or its parameters are over a limit.
    #[error(transparent)]
    Frame(#[from] fractal::FrameError),
    /// The view has no extent.
    #[error(transparent)]
    View(#[from] fractal::ViewError),
    /// The way into the farm is none.
    #[error(transparent)]
    Farm(#[from] FarmArgsError),
    /// The density is zero or less.
    #[error("--density {0} is not greater than 0")]
    Density(String),
    /// The bounds and density make a picture that cannot be.
    #[error("bounds and --density {0} make a picture of more than 2^17 samples a side")]
    TooDense(String),
    /// The file's extension says nothing.
    #[error("-o {}: write to .png, .jpg, .webp, .tiff, .avif, .npy, .exr, .kfr or .toml", .0.display())]
    Extension(PathBuf),
    /// A picture of colours is none of that.
    #[error("-o {}: a picture is written to .png, .jpg, .webp, .tiff or .avif", .0.display())]
    Picture(PathBuf),
    /// The file's format does not hold such a picture.
    #[error("-o {}: {reason}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What it is over.
        reason: images::TooLarge,
    },
    /// The location file is none.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// A sequence that cannot be.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// Its key frames cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The same file twice.
    #[error("-o {}: given twice", .0.display())]
    Twice(PathBuf),
    /// Strips of that many rows are too large for the queue.
    #[error("--strip-rows {rows}: strips of this picture have at most {most} rows (4 MiB)")]
    StripRows {
        /// As asked.
        rows: u32,
        /// As possible.
        most: u32,
    },
    /// Nobody, or too many.
    #[error(
        "--on: a tag is of at most {} letters, digits, '-', '_' and '.'",
        MAX_TAG_BYTES
    )]
    Tag,
    /// A tag, and no farm whose workers could have it.
    #[error("--on: asks for workers of a farm that is there: give its --redis")]
    TagOfNoFarm,
    /// Nobody's name.
    #[error("--owner: a name is one line of at most {MAX_NAME_BYTES} bytes without ':'")]
    Owner,
    /// Workers.
    #[error("--workers: not in 1..={MAX_WORKERS}")]
    Workers,
    /// No view is given that could be searched.
    #[error("no place given: --re, --im and --zoom, or --location")]
    Place,
    /// The colours are none.
    #[error(transparent)]
    Colours(#[from] ColourError),
    /// Samples are laid out for pictures.
    #[error("--samples: not with --grid linspace, whose samples are numpy's")]
    Samples,
    /// It cannot be computed as it was asked for.
    #[error(transparent)]
    Precision(#[from] PrecisionError),
    /// Two that say different things.
    #[error("--{0} does not go with --{1}")]
    Together(&'static str, &'static str),
    /// One that says nothing by itself.
    #[error("--{0} needs --{1}")]
    Alone(&'static str, &'static str),
    /// Minibrots are found where orbits of 0 have a nucleus to come back to.
    #[error("there are no minibrots to be found of {0}")]
    Minibrots(String),
    /// A minibrot that is no turned copy of the whole set.
    #[error("--upright: minibrots of {0} are not the whole set turned")]
    NotTurned(String),
    /// The file's format has no such formula.
    #[error("-o {}: {reason}", .path.display())]
    Formula {
        /// The file.
        path: PathBuf,
        /// Which.
        reason: NoSuchFormula,
    },
    /// A key frame's plan cannot be.
    #[error(transparent)]
    KeyFrame(#[from] render::RenderError),
}

/// Why there is no such sequence, in one line.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// There is no place.
    #[error("no place given: --re, --im and --to, or --location, or --reuse")]
    Place,
    /// The place has no end.
    #[error("no --to given: the zoom of the last frame")]
    To,
    /// It does not lead inwards.
    #[error(
        "--from {0} is over --to {1}: for the way out, give them the other way round and --reverse"
    )]
    Order(String, String),
    /// A zoom is none.
    #[error("zoom {0} is not greater than 0")]
    Zoom(String),
    /// A number that is not in its range.
    #[error("{name} {value} is not {range}")]
    Range {
        /// What was given.
        name: &'static str,
        /// As typed.
        value: f64,
        /// What would be right.
        range: &'static str,
    },
    /// Frames without end.
    #[error("{0:.0} frames are over the limit of {MAX_FRAMES}")]
    Frames(f64),
    /// Easing fills more than all.
    #[error("--ease {ease} takes {} s, and the sequence only {duration:.3}", 2.0 * ease)]
    Ease {
        /// As given.
        ease: f64,
        /// Seconds.
        duration: f64,
    },
    /// The output is of no known kind.
    #[error("-o {}: write to .mp4, .webm or .mkv, to numbered pictures like frames/%06d.png, or to - (raw RGB on stdout)", .0.display())]
    Output(PathBuf),
    /// A side that holds a part of a colour.
    #[error(transparent)]
    Odd(#[from] OddSides),
    /// A video that has no room for 16 bits.
    #[error(
        "--depth 16: pix_fmt={0} keeps 8 bits; leave it out for yuv420p10le, or name one of 10 bits or more"
    )]
    Shallow(String),
    /// A deeper end than there are key frames for.
    #[error("--to {0} is deeper than {1}, which these key frames end at; make others with --keep")]
    Deeper(String, String),
    /// A frame that shows more than key frames do.
    #[error(
        "these key frames are for frames of {0} x {1}, and frames of {2} x {3}, turned by {4} degrees, show more"
    )]
    Shows(u32, u32, u32, u32, f64),
    /// Samples of a pixel, and what else says how dense key frames are.
    #[error("--samples: not with {0}, which says already how many samples key frames have")]
    Samples(&'static str),
    /// Key frames that were made for other colours.
    #[error("--colour distance: these key frames hold no distances; make others with --keep")]
    Distances,
}

/// Why colours cannot be, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ColourError {
    /// There is no such palette.
    #[error(transparent)]
    Palette(#[from] GradientError),
    /// The palette has no stops.
    #[error(
        "--blend: the palette {0} is a formula, and has no stops between which colours are mixed"
    )]
    Blend(String),
    /// The space is none.
    #[error("--blend {0}: give srgb, srgb-linear, oklab or oklch")]
    Space(String),
    /// The options do not go together.
    #[error("{}", of_scheme(.0))]
    Scheme(#[from] SchemeError),
}

/// What is wrong with a scheme, its field as the option that it is.
fn of_scheme(error: &SchemeError) -> String {
    match error {
        SchemeError::Light(_) | SchemeError::Samples(_) | SchemeError::Depth(_) => {
            error.to_string()
        }
        field => format!("--{field}"),
    }
}
