//! A sequence, complete and checked: where its frames are, what its key frames have to show, and where everything goes.

use std::path::PathBuf;

use colour::Scheme;
use fractal::{BackendChoice, FrameSpec, Grid, Measure, StripPlan, View};
use pictures::Compression;
use render::plan::{Output, OutputKind, Place};
use render::prepare::precision;
use render::{RenderError, RenderPlan};

use super::sequence::KeyFrameSpec;
use super::target::Target;
use super::timing::Timing;
use super::video::VideoPlan;

/// Significant digits of a key frame's zoom.
const ZOOM_DIGITS: u32 = 20;
/// Octaves to which places of frames are taken for exactly that of a key frame.
const NEAR: f64 = 1e-9;

/// Everything that a sequence will do.
#[derive(Clone, Debug)]
pub struct ZoomPlan {
    /// What the key frames are.
    pub sequence: KeyFrameSpec,
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
    ) -> Result<RenderPlan, RenderError> {
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
            formula: sequence.formula.clone(),
            julia: sequence.julia.clone(),
            measures: sequence.measures().collect(),
            skip_error_log2: (sequence.skip_error_log2).unwrap_or(fractal::SKIP_ERROR_LOG2),
            counts: fractal::Counts::Fast,
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
            arithmetic: precision::arithmetic(&frame, None, self.backend)?,
            outputs: sequence.measures().map(output).collect(),
            keeps: false,
            colours: self.colours.clone(),
            compression: Compression::Fast,
            place: self.place.clone(),
            audit: 0,
            journal: None,
            warnings: precision::warnings(&frame, None),
            frame,
        })
    }
}

/// A place of a frame that is that of a key frame but for rounding.
#[must_use]
pub fn whole_if_near(octaves: f64) -> f64 {
    let whole = octaves.round();
    if (octaves - whole).abs() < NEAR {
        whole
    } else {
        octaves
    }
}
