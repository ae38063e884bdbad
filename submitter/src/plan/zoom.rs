//! The plan of a sequence: where its frames are, what its key frames have to show, and where everything goes.

mod colours;
mod refused;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use fractal::{BackendChoice, Decimal, FrameSpec, Grid, Measure, StripPlan, Transform, View};

use super::{
    ESCAPE_RADIUS, ITERATIONS, Output, OutputKind, Place, PlanError, RenderPlan, precision,
};
use crate::cli::place::TurnArgs;
use crate::cli::zoom::ZoomArgs;
use crate::cli::{self, ArithmeticArg, CompressionArg};
use crate::colour::{ColourBy, Depth, Samples, Scheme};
use crate::location::Location;
use crate::zoom::ffmpeg::VideoPlan;
use crate::zoom::folder;
use crate::zoom::pictures::Pattern;
use crate::zoom::pixels;
use crate::zoom::rate::Rate;
use crate::zoom::sequence::Sequence;
use crate::zoom::sink::{Container, Target};
use crate::zoom::timing::Timing;
pub use refused::SequenceError;

/// Columns and rows of a frame where none are given.
const SIZE: (u32, u32) = (1280, 720);
/// Zoom of the first frame where none is given.
const FROM: &str = "1";
/// Samples of a key frame to a pixel, along each side: so that a sequence of 30 frames an octave takes a twentieth of the
/// iterations of its frames.
const KEY_SAMPLES: f64 = 1.18;
/// Samples that a key frame has beyond what it shows, at each side: filters reach there.
const MARGIN: u32 = 4;
/// Significant digits of a key frame's zoom.
const ZOOM_DIGITS: u32 = 20;
/// Octaves to which places of frames are taken for exactly that of a key frame.
const NEAR: f64 = 1e-9;
/// Most frames, and most octaves: 1e8000 is 26,575 of them.
const MAX_FRAMES: f64 = (1 << 22) as f64;
const MAX_OCTAVES: f64 = 100_000.0;
/// What a preview leaves of each side, as a divisor; of the frames a second it is half.
const PREVIEW: u32 = 4;

/// Everything that `zoom` will do.
#[derive(Clone, Debug)]
pub struct ZoomPlan {
    /// What the key frames are.
    pub sequence: Sequence,
    /// Where they are kept; in a folder of the system's for temporary ones when `None`.
    pub folder: Option<PathBuf>,
    /// Whether they go when the sequence is done.
    pub is_temporary: bool,
    /// Whether key frames of other builds' kernels are taken too.
    pub takes_any_build: bool,
    /// How many octaves the first frame is above the end of the key frames, and the last one.
    pub depths: (f64, f64),
    /// Its pace.
    pub timing: Timing,
    /// Whether it runs from the last frame to the first.
    pub reverse: bool,
    /// By how much it turns.
    pub degrees: f64,
    /// Columns and rows of a frame.
    pub size: (u32, u32),
    /// Columns and rows of what holds a frame however it is turned.
    pub upright: (u32, u32),
    /// Samples of a key frame to a pixel of a frame at its own zoom.
    pub ratio: f64,
    /// Frames a second.
    pub fps: f64,
    /// Where frames go.
    pub target: Target,
    /// How a video is made.
    pub video: Option<VideoPlan>,
    /// How they are coloured.
    pub colours: Scheme,
    /// Where key frames are computed.
    pub place: Place,
    /// By which kinds of device.
    pub backend: BackendChoice,
    /// What the user should know before it starts.
    pub warnings: Vec<String>,
}

impl ZoomPlan {
    /// The key frames that are needed: the deepest and the shallowest, in octaves above the end.
    #[must_use]
    pub fn keys(&self) -> (u32, u32) {
        let (first, last) = self.depths;
        (last.floor() as u32, first.ceil() as u32)
    }

    /// How many octaves frame `frame` is above the end, and by how many degrees it is turned.
    #[must_use]
    pub fn frame(&self, frame: u32) -> (f64, f64) {
        let last = self.timing.frames.saturating_sub(1);
        let frame = if self.reverse {
            last.saturating_sub(frame)
        } else {
            frame
        };
        let place = self.timing.place(frame);
        let share = if self.timing.octaves > 0.0 {
            place / self.timing.octaves
        } else {
            f64::from(frame) / f64::from(last.max(1))
        };
        (
            whole_if_near(self.depths.0 - place).max(self.depths.1),
            self.degrees * share,
        )
    }

    /// The render that makes key frame `depth`, in a file a measure.
    ///
    /// # Errors
    /// When its frame is over a limit.
    pub fn key(
        &self,
        depth: u32,
        file: impl Fn(Measure) -> PathBuf,
    ) -> Result<RenderPlan, PlanError> {
        let sequence = &self.sequence;
        let (width, height) = sequence.key;
        let numerator = u64::from(sequence.frame.1) * u64::from(sequence.shown_rows);
        let denominator = u64::from(sequence.upright.1) * u64::from(height);
        let frame = FrameSpec {
            view: View::Centre {
                re: sequence.re.clone(),
                im: sequence.im.clone(),
                zoom: (sequence.zoom).scaled(
                    numerator,
                    denominator,
                    -i64::from(depth),
                    ZOOM_DIGITS,
                ),
            },
            transform: sequence.transform,
            grid: Grid::Pixels,
            width,
            height,
            iterations: sequence.iterations_at(depth),
            escape_radius: sequence.escape_radius,
            z0: sequence.z0.unwrap_or((0.0, 0.0)),
            measures: sequence.measures().collect(),
            skip_error_log2: (sequence.skip_error_log2).unwrap_or(fractal::SKIP_ERROR_LOG2),
        };
        frame.check()?;
        let bytes_per_pixel = frame.measures.bytes_per_pixel();
        let output = |measure| Output {
            path: file(measure),
            kind: OutputKind::Npy(measure),
        };
        Ok(RenderPlan {
            strips: StripPlan::for_picture(width, height, bytes_per_pixel),
            backend: self.backend,
            arithmetic: precision::arithmetic(&frame, ArithmeticArg::Auto, self.backend)?,
            outputs: sequence.measures().map(output).collect(),
            colours: self.colours.clone(),
            compression: CompressionArg::Fast,
            place: self.place.clone(),
            audit: 0,
            journal: None,
            warnings: precision::warnings(&frame, ArithmeticArg::Auto),
            frame,
        })
    }
}

/// A place of a frame that is that of a key frame but for rounding.
fn whole_if_near(octaves: f64) -> f64 {
    let whole = octaves.round();
    if (octaves - whole).abs() < NEAR {
        whole
    } else {
        octaves
    }
}

/// Lowers arguments to a plan.
///
/// # Errors
/// The first thing that cannot be.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a plan is the only use of what was typed"
)]
pub fn plan(args: ZoomArgs) -> Result<ZoomPlan, PlanError> {
    in_range(
        "--fps",
        args.fps.value(),
        |fps| fps > 0.0 && fps <= 1000.0,
        "over 0 and at most 1000",
    )?;
    let rate = match args.preview {
        true => args.fps.halved(),
        false => args.fps,
    };
    let fps = rate.value();
    let degrees = in_range(
        "--rotate",
        args.rotate,
        |turn| turn.abs() <= 1e6,
        "within a million degrees",
    )?;
    let smaller = |side: u32| {
        if args.preview {
            (side / PREVIEW).max(2) / 2 * 2
        } else {
            side
        }
    };
    let location = args.location.as_deref().map(Location::read).transpose()?;
    let said = location
        .as_ref()
        .and_then(|location| location.colours.as_ref());
    let (colours, samples) = colours::colours(&args, said)?;
    let (sequence, size) = match &args.reuse {
        Some(path) => {
            let sequence = folder::described(path)?;
            if samples.is_some() {
                return Err(SequenceError::Samples("--reuse").into());
            }
            if colours.colour == ColourBy::Distance && !sequence.distances {
                return Err(SequenceError::Distances.into());
            }
            let (width, height) = args.size.unwrap_or(sequence.frame);
            (sequence, (smaller(width), smaller(height)))
        }
        None => {
            let (width, height) = args.size.unwrap_or(SIZE);
            let size = (smaller(width), smaller(height));
            let mut sequence = sequence(&args, location.as_ref(), samples, size, degrees)?;
            sequence.distances = colours.colour == ColourBy::Distance;
            (sequence, size)
        }
    };
    let from = args.from.clone().unwrap_or_else(|| sequence.from.clone());
    let to = args.to.clone().unwrap_or_else(|| sequence.zoom.clone());
    let depths = depths(&sequence, &from, &to)?;
    let timing = timing(&args, depths.0 - depths.1, fps)?;
    let upright = upright(size, degrees);
    // What a pixel of these frames is to one of those that the key frames were made for.
    let ratio = f64::from(sequence.frame.1) * f64::from(sequence.shown_rows)
        / (f64::from(sequence.upright.1) * f64::from(size.1));
    let shows = |side: u32, samples: u32| f64::from(side) * ratio <= f64::from(samples) + 0.5;
    if !shows(upright.1, sequence.shown_rows) || !shows(upright.0, sequence.key.0) {
        let ((a, b), (c, d)) = (sequence.frame, size);
        return Err(SequenceError::Shows(a, b, c, d, degrees).into());
    }
    let target = target(&args.output)?;
    let video = video(&args, &target, size, rate, colours.depth)?;
    if target == Target::Raw && args.say.json {
        return Err(SequenceError::Json.into());
    }
    let kept = args.keep.as_ref().or(args.reuse.as_ref());
    let place = match cli::redis_beside(args.place.access.redis(), &args.stage) {
        None => Place::InProcess {
            workers: args.place.crew.workers.unwrap_or(1),
            threads: None,
        },
        Some(url) => Place::Farm {
            farm: Box::new(cli::farm(url.to_owned(), &args.place.access.farm)?),
            workers: args.place.crew.workers,
        },
    };
    let mut plan = ZoomPlan {
        folder: kept.cloned().or_else(|| beside(&args.output, &target)),
        is_temporary: kept.is_none(),
        takes_any_build: args.reuse.is_some(),
        sequence,
        depths,
        timing,
        reverse: args.reverse,
        degrees,
        size,
        upright,
        ratio,
        fps,
        target,
        video,
        colours,
        place,
        backend: args.place.devices.backend.into(),
        warnings: Vec::new(),
    };
    // The deepest key frame is the one whose coordinates may be too short.
    let nowhere = |_| PathBuf::new();
    let deepest = plan.key(plan.keys().0, nowhere)?;
    let (backend, is_pinned) = precision::backend(&deepest.frame, plan.backend)?;
    plan.backend = backend;
    let is_pinned = is_pinned.map(|pinned| vec![pinned]);
    let warnings = Some(deepest.warnings);
    plan.warnings = [
        location.map(|location| location.warnings),
        warnings,
        is_pinned,
    ]
    .into_iter()
    .flatten()
    .flatten()
    .collect();
    plan.key(plan.keys().1, nowhere)?;
    Ok(plan)
}

fn in_range(
    name: &'static str,
    value: f64,
    is_right: impl Fn(f64) -> bool,
    range: &'static str,
) -> Result<f64, SequenceError> {
    if is_right(value) {
        Ok(value)
    } else {
        Err(SequenceError::Range { name, value, range })
    }
}

/// The key frames for frames of `size` that turn by `degrees`.
fn sequence(
    args: &ZoomArgs,
    location: Option<&Location>,
    samples: Option<Samples>,
    size: (u32, u32),
    degrees: f64,
) -> Result<Sequence, PlanError> {
    let suits = location.and_then(|location| location.iterations);
    let (re, im, zoom) = match location.map(|location| location.view.by_centre()) {
        Some(View::Centre { re, im, zoom }) => (re, im, Some(zoom)),
        _ => match (args.re.clone(), args.im.clone()) {
            (Some(re), Some(im)) => (re, im, None),
            _ => return Err(SequenceError::Place.into()),
        },
    };
    let zoom = args.to.clone().or(zoom).ok_or(SequenceError::To)?;
    let from = args
        .from
        .clone()
        .map_or_else(|| Ok(super::decimal(FROM)), Ok::<_, PlanError>)?;
    let iterations = args.iterations.or(suits).unwrap_or(ITERATIONS);
    let samples = match (args.key_samples, samples) {
        (Some(_), Some(_)) => return Err(SequenceError::Samples("--key-samples").into()),
        (Some(samples), None) => samples,
        (None, samples) => KEY_SAMPLES * f64::from(samples.map_or(1, Samples::side)),
    };
    let samples = in_range(
        "--key-samples",
        samples,
        |samples| (0.25..=10.0).contains(&samples),
        "within 0.25 and 10",
    )?;
    let upright = upright(size, degrees);
    let even = |samples: f64| ((samples / 2.0).ceil() * 2.0) as u32;
    let shown_rows = even(f64::from(upright.1) * samples);
    let ratio = f64::from(shown_rows) / f64::from(upright.1.max(1));
    let radius = location.and_then(|location| location.escape_radius);
    let radius = radius.unwrap_or(ESCAPE_RADIUS);
    let mut sequence = Sequence::new((re, im), (from, zoom), iterations, radius);
    sequence.z0 = location.and_then(|location| location.z0);
    sequence.skip_error_log2 = location.and_then(|location| location.skip_error_log2);
    let turn = TurnArgs {
        rotate: args.view_rotate,
        stretch: args.stretch,
        stretch_angle: args.stretch_angle,
    };
    sequence.transform =
        turn.over(location.map_or_else(Transform::default, |location| location.transform));
    sequence.shallow_iterations = args.shallow_iterations;
    sequence.frame = size;
    sequence.upright = upright;
    sequence.shown_rows = shown_rows;
    sequence.key = (
        even(f64::from(upright.0) * ratio).saturating_add(2 * MARGIN),
        shown_rows.saturating_add(2 * MARGIN),
    );
    Ok(sequence)
}

/// Columns and rows, upright, of what holds a frame of `size` at every angle from 0 to `degrees`.
fn upright((width, height): (u32, u32), degrees: f64) -> (u32, u32) {
    if degrees == 0.0 {
        return (width, height);
    }
    // At every degree: between them it is larger by less than a pixel of a thousand, and edges go on as they end.
    let steps = degrees.abs().min(180.0).ceil() as u32;
    let (mut wide, mut high) = (0f64, 0f64);
    for step in 0..=steps {
        let turn = (degrees.abs().min(180.0) * f64::from(step) / f64::from(steps)).to_radians();
        let (sin, cos) = libm::sincos(turn);
        let (width, height) = (f64::from(width), f64::from(height));
        wide = wide.max(width * cos.abs() + height * sin.abs());
        high = high.max(width * sin.abs() + height * cos.abs());
    }
    let even = |side: f64| ((side / 2.0).ceil() * 2.0) as u32;
    (even(wide), even(high))
}

/// Octaves from the first frame, and from the last, to the end of the key frames.
fn depths(sequence: &Sequence, from: &Decimal, to: &Decimal) -> Result<(f64, f64), SequenceError> {
    for zoom in [&sequence.zoom, from, to] {
        if !zoom.is_positive() {
            return Err(SequenceError::Zoom(zoom.to_string()));
        }
    }
    let end = sequence.zoom.log2();
    let (first, last) = (
        whole_if_near(end - from.log2()),
        whole_if_near(end - to.log2()),
    );
    if first < last {
        return Err(SequenceError::Order(from.to_string(), to.to_string()));
    }
    if last < 0.0 {
        return Err(SequenceError::Deeper(
            to.to_string(),
            sequence.zoom.to_string(),
        ));
    }
    in_range(
        "octaves",
        first,
        |octaves| octaves <= MAX_OCTAVES,
        "at most 100000",
    )?;
    Ok((first, last))
}

fn timing(args: &ZoomArgs, octaves: f64, fps: f64) -> Result<Timing, SequenceError> {
    let is_time = |time: f64| time > 0.0 && time <= 1e9;
    let ease = in_range(
        "--ease",
        args.ease,
        |time| time == 0.0 || is_time(time),
        "seconds, 0 or more",
    )?;
    let duration = match args.duration {
        Some(duration) => in_range("--duration", duration, is_time, "seconds, over 0")?,
        None => {
            let name = "--seconds-per-octave";
            // Half of both easings is made up for by more time.
            ease + octaves * in_range(name, args.seconds_per_octave, is_time, "seconds, over 0")?
        }
    };
    if 2.0 * ease > duration {
        return Err(SequenceError::Ease { ease, duration });
    }
    let frames = (duration * fps).round().max(1.0);
    if frames > MAX_FRAMES {
        return Err(SequenceError::Frames(frames));
    }
    let ease = if ease > 0.0 { ease / duration } else { 0.0 };
    Ok(Timing {
        frames: frames as u32,
        octaves,
        ease,
    })
}

fn target(path: &Path) -> Result<Target, SequenceError> {
    if path == Path::new("-") {
        return Ok(Target::Raw);
    }
    if let Some(pattern) = Pattern::read(path) {
        return Ok(Target::Pictures(pattern));
    }
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let container = match extension.as_deref() {
        Some("mp4") => Container::Mp4,
        Some("webm") => Container::Webm,
        Some("mkv") => Container::Mkv,
        _ => return Err(SequenceError::Output(path.to_owned())),
    };
    Ok(Target::Video(path.to_owned(), container))
}

fn video(
    args: &ZoomArgs,
    target: &Target,
    size: (u32, u32),
    fps: Rate,
    depth: Depth,
) -> Result<Option<VideoPlan>, SequenceError> {
    let Target::Video(_, container) = target else {
        return Ok(None);
    };
    let video = VideoPlan {
        ffmpeg: args.ffmpeg.clone(),
        encoder: args
            .encoder
            .clone()
            .unwrap_or_else(|| container.encoder().to_owned()),
        options: args.encoder_options.clone(),
        size,
        fps,
        depth,
        instead: None,
    };
    let format = video.pixel_format();
    // Of another encoder than the usual ones it is known only when it was asked.
    if args.encoder.is_none()
        || args
            .encoder_options
            .iter()
            .any(|(name, _)| name == "pix_fmt")
    {
        video.check_sides().map_err(SequenceError::Odd)?;
    }
    if depth == Depth::Sixteen && !pixels::is_deep(format) {
        return Err(SequenceError::Shallow(format.to_owned()));
    }
    Ok(Some(video))
}

/// Where key frames are kept that nobody asked for.
fn beside(output: &Path, target: &Target) -> Option<PathBuf> {
    if *target == Target::Raw {
        return None;
    }
    let mut name = output.as_os_str().to_owned();
    name.push(".keys");
    Some(PathBuf::from(name))
}
