//! A request for a sequence becomes a plan.

use std::path::{Path, PathBuf};

use colour::{ColourBy, Depth, Samples};
use fractal::{Decimal, Transform, View};
use locations::Location;
use render::prepare::precision;
use zoom::ZoomPlan;
use zoom::keys::folder;
use zoom::plan::pattern::Pattern;
use zoom::plan::pixel_formats;
use zoom::plan::plan::whole_if_near;
use zoom::plan::rate::Rate;
use zoom::plan::sequence::KeyFrameSpec;
use zoom::plan::target::{Container, Target};
use zoom::plan::timing::Timing;
use zoom::plan::video::VideoPlan;

use super::picture::{check_workers, place};
use super::refused::{PlanError, SequenceError};
use super::usual::MAX_FRAMES;
use super::{colours, sequence_colours, usual};
use crate::request::{SequenceMeans, SequenceRequest, TurnRequest};

/// Samples of a key frame to a pixel, along each side: so that a sequence of 30 frames an octave takes a twentieth of the
/// iterations of its frames.
const KEY_SAMPLES: f64 = 1.18;
/// Samples that a key frame has beyond what it shows, at each side: filters reach there.
const MARGIN: u32 = 4;
/// Most octaves: 1e8000 is 26,575 of them.
const MAX_OCTAVES: f64 = 100_000.0;
/// What a preview leaves of each side, as a divisor; of the frames a second it is half.
const PREVIEW: u32 = 4;

/// Completes a request to a plan. Reads the files that the means name.
///
/// # Errors
/// The first thing that cannot be.
pub fn sequence(args: &SequenceRequest, means: &SequenceMeans) -> Result<ZoomPlan, PlanError> {
    check_request(args, means)?;
    let fps = match args.fps {
        Some(fps) => fps,
        None => usual::FPS
            .parse()
            .unwrap_or_else(|_| unreachable!("a default is a rate")),
    };
    let output = means.output.clone().unwrap_or_else(|| usual::VIDEO.into());
    in_range(
        "--fps",
        fps.value(),
        |fps| fps > 0.0 && fps <= 1000.0,
        "over 0 and at most 1000",
    )?;
    let rate = match args.preview {
        true => fps.halved(),
        false => fps,
    };
    let fps = rate.value();
    let degrees = in_range(
        "--rotate",
        args.rotate.unwrap_or(0.0),
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
    let location = means.location.as_deref().map(Location::read).transpose()?;
    let said = location
        .as_ref()
        .and_then(|location| location.colours.as_ref());
    let (colours, samples) =
        sequence_colours::colours(&args.colours, means.palette.as_deref(), said)?;
    let (sequence, size) = match &means.reuse {
        Some(path) => {
            let sequence = folder::described(path)?;
            if samples.is_some() {
                return Err(SequenceError::Samples("--reuse").into());
            }
            if colours.colour == ColourBy::Distance && !sequence.distances {
                return Err(SequenceError::Distances.into());
            }
            let (width, height) = args.size.map_or(sequence.frame, Into::into);
            (sequence, (smaller(width), smaller(height)))
        }
        None => {
            let (width, height) = args.size.map_or(usual::SIZE, Into::into);
            let size = (smaller(width), smaller(height));
            let mut sequence = key_frames(args, location.as_ref(), samples, size, degrees)?;
            sequence.distances = colours.colour == ColourBy::Distance;
            (sequence, size)
        }
    };
    let from = args.from.clone().unwrap_or_else(|| sequence.from.clone());
    let to = args.to.clone().unwrap_or_else(|| sequence.zoom.clone());
    let depths = depths(&sequence, &from, &to)?;
    let timing = timing(args, depths.0 - depths.1, fps)?;
    let upright = upright(size, degrees);
    // What a pixel of these frames is to one of those that the key frames were made for.
    let ratio = f64::from(sequence.frame.1) * f64::from(sequence.shown_rows)
        / (f64::from(sequence.upright.1) * f64::from(size.1));
    let shows = |side: u32, samples: u32| f64::from(side) * ratio <= f64::from(samples) + 0.5;
    if !shows(upright.1, sequence.shown_rows) || !shows(upright.0, sequence.key.0) {
        let ((a, b), (c, d)) = (sequence.frame, size);
        return Err(SequenceError::Shows(a, b, c, d, degrees).into());
    }
    let target = target(&output)?;
    let video = video(means, &target, size, rate, colours.depth)?;
    let kept = means.keep.as_ref().or(means.reuse.as_ref());
    let place = place(&means.farm)?;
    let mut plan = ZoomPlan {
        folder: kept.cloned().or_else(|| beside(&output, &target)),
        is_temporary: kept.is_none(),
        takes_any_build: means.reuse.is_some(),
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
        backend: means.farm.backend,
        warnings: Vec::new(),
    };
    // The deepest key frame is the one whose coordinates may be too short.
    let nowhere = |_| PathBuf::new();
    let deepest = plan.key(plan.keys().0, nowhere)?;
    let (backend, pinned) = precision::backend(&deepest.frame, plan.backend)?;
    plan.backend = backend;
    plan.warnings = [
        location.map_or_else(Vec::new, |location| location.warnings),
        deepest.warnings,
        pinned.into_iter().collect(),
    ]
    .concat();
    plan.key(plan.keys().1, nowhere)?;
    Ok(plan)
}

/// Checks that a request does not contradict itself. Reads no file.
///
/// # Errors
/// The first thing that cannot be.
pub fn check_request(args: &SequenceRequest, means: &SequenceMeans) -> Result<(), PlanError> {
    colours::check_request(&args.colours)?;
    check_workers(means.farm.workers)?;
    let given = |list: &[(&'static str, bool)]| list.iter().find(|one| one.1).map(|one| one.0);
    let centre = [("re", args.re.is_some()), ("im", args.im.is_some())];
    let key_frames = [
        ("location", means.location.is_some()),
        ("re", args.re.is_some()),
        ("im", args.im.is_some()),
        ("formula", args.iterated.formula.is_some()),
        ("julia", args.iterated.julia.is_some()),
        ("view-rotate", args.view_rotate.is_some()),
        ("stretch", args.stretch.is_some()),
        ("stretch-angle", args.stretch_angle.is_some()),
        ("iterations", args.iterations.is_some()),
        ("shallow-iterations", args.shallow_iterations.is_some()),
        ("key-samples", args.key_samples.is_some()),
    ];
    if let (true, Some(other)) = (means.reuse.is_some(), given(&key_frames)) {
        return Err(PlanError::Together("reuse", other));
    }
    if let (true, Some(other)) = (means.location.is_some(), given(&centre)) {
        return Err(PlanError::Together("location", other));
    }
    if means.keep.is_some() && means.reuse.is_some() {
        return Err(PlanError::Together("keep", "reuse"));
    }
    if args.duration.is_some() && args.seconds_per_octave.is_some() {
        return Err(PlanError::Together("seconds-per-octave", "duration"));
    }
    match (&args.re, &args.im) {
        (Some(_), None) => Err(PlanError::Alone("re", "im")),
        (None, Some(_)) => Err(PlanError::Alone("im", "re")),
        _ => Ok(()),
    }
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
fn key_frames(
    args: &SequenceRequest,
    location: Option<&Location>,
    samples: Option<Samples>,
    size: (u32, u32),
    degrees: f64,
) -> Result<KeyFrameSpec, PlanError> {
    let suits = location.and_then(|location| location.iterations);
    let (re, im, zoom) = match location.map(|location| location.view.by_centre()) {
        Some(View::Centre { re, im, zoom }) => (re, im, Some(zoom)),
        _ => match (args.re.clone(), args.im.clone()) {
            (Some(re), Some(im)) => (re, im, None),
            _ => return Err(SequenceError::Place.into()),
        },
    };
    let zoom = args.to.clone().or(zoom).ok_or(SequenceError::To)?;
    let from = (args.from.clone()).unwrap_or_else(|| usual::decimal(usual::FROM));
    let iterations = args.iterations.or(suits).unwrap_or(usual::ITERATIONS);
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
    let shown_rows = even(f64::from(upright.1) * samples);
    let ratio = f64::from(shown_rows) / f64::from(upright.1.max(1));
    let radius = location.and_then(|location| location.escape_radius);
    let radius = radius.unwrap_or(usual::ESCAPE_RADIUS);
    let mut sequence = KeyFrameSpec::new((re, im), (from, zoom), iterations, radius);
    (sequence.formula, sequence.julia) = args.iterated.over(location);
    sequence.z0 = location.and_then(|location| location.z0);
    sequence.skip_error_log2 = location.and_then(|location| location.skip_error_log2);
    let turn = TurnRequest {
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

/// The next even number.
fn even(side: f64) -> u32 {
    ((side / 2.0).ceil() * 2.0) as u32
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
    (even(wide), even(high))
}

/// Octaves from the first frame, and from the last, to the end of the key frames.
fn depths(
    sequence: &KeyFrameSpec,
    from: &Decimal,
    to: &Decimal,
) -> Result<(f64, f64), SequenceError> {
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

fn timing(args: &SequenceRequest, octaves: f64, fps: f64) -> Result<Timing, SequenceError> {
    let is_time = |time: f64| time > 0.0 && time <= 1e9;
    let ease = in_range(
        "--ease",
        args.ease.unwrap_or(0.0),
        |time| time == 0.0 || is_time(time),
        "seconds, 0 or more",
    )?;
    let duration = match args.duration {
        Some(duration) => in_range("--duration", duration, is_time, "seconds, over 0")?,
        None => {
            let name = "--seconds-per-octave";
            let per_octave = args.seconds_per_octave.unwrap_or(usual::SECONDS_PER_OCTAVE);
            // Half of both easings is made up for by more time.
            ease + octaves * in_range(name, per_octave, is_time, "seconds, over 0")?
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
    means: &SequenceMeans,
    target: &Target,
    size: (u32, u32),
    fps: Rate,
    depth: Depth,
) -> Result<Option<VideoPlan>, SequenceError> {
    let Target::Video(_, container) = target else {
        return Ok(None);
    };
    let video = VideoPlan {
        ffmpeg: means.ffmpeg.clone().unwrap_or_else(|| usual::FFMPEG.into()),
        encoder: means
            .encoder
            .clone()
            .unwrap_or_else(|| container.encoder().to_owned()),
        options: means.encoder_options.clone(),
        size,
        fps,
        depth,
        instead: None,
    };
    let format = video.pixel_format();
    // Of another encoder than the usual ones it is known only when it was asked.
    if means.encoder.is_none()
        || means
            .encoder_options
            .iter()
            .any(|(name, _)| name == "pix_fmt")
    {
        video.check_sides().map_err(SequenceError::Odd)?;
    }
    if depth == Depth::Sixteen && !pixel_formats::is_deep(format) {
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
