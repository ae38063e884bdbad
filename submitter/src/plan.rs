//! The plan: arguments as typed become all that will happen, complete and checked.
//!
//! The only place where defaults are applied. Nothing after it asks what was typed.

pub mod colours;
mod outputs;
mod precision;
pub mod zoom;

use std::path::PathBuf;

use etcetera::BaseStrategy;
use farm_queue::redis::ConnectOptions;
use farm_worker::farm_args::FarmArgsError;
use fractal::strip::MAX_STRIP_BYTES;
use fractal::{
    BackendChoice, Decimal, FrameSpec, Grid, Measure, MeasureSet, StripPlan, Transform, View,
};

use crate::cli::{self, CompressionArg, RenderArgs, ViewArgs};
use crate::colour::{Needs, Scheme};
use crate::location::{Format, Location, LocationError};
use crate::zoom::folder::FolderError;
use colours::ColourError;
pub use outputs::{Channels, Output, OutputKind};
pub use precision::ArithmeticPlan;

/// Iteration limit where none is given.
const ITERATIONS: u64 = 1000;
/// Escape radius where none is given.
const ESCAPE_RADIUS: f64 = 256.0;

/// Columns and rows of a view by its centre where none are given.
const SIZE: (u32, u32) = (1280, 720);

/// Everything that `render` will do.
#[derive(Clone, Debug)]
pub struct RenderPlan {
    /// What is computed.
    pub frame: FrameSpec,
    /// How it is cut.
    pub strips: StripPlan,
    /// Which kinds of device may compute it.
    pub backend: BackendChoice,
    /// How its pixels are computed.
    pub arithmetic: ArithmeticPlan,
    /// What is written; not empty, no path twice.
    pub outputs: Vec<Output>,
    /// How PNGs are coloured.
    pub colours: Scheme,
    /// How hard PNGs are compressed.
    pub compression: CompressionArg,
    /// Where it is computed.
    pub place: Place,
    /// How many strips of a hundred are computed again elsewhere and compared.
    pub audit: u8,
    /// Where finished strips are kept until the files are whole; nowhere when `None`.
    pub journal: Option<JournalPlan>,
    /// What the user should know before it starts.
    pub warnings: Vec<String>,
}

/// What is done about a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalPlan {
    /// Folder of all journals.
    pub folder: PathBuf,
    /// Whether a journal of the same command is left alone.
    pub fresh: bool,
}

/// Where a picture is computed.
#[derive(Clone, Debug)]
pub enum Place {
    /// In this process, by `workers` workers that share its cores.
    InProcess {
        /// At least 1.
        workers: u16,
        /// Threads of each; all cores, or their share of them, when `None`.
        threads: Option<usize>,
    },
    /// On the farm around a Redis.
    Farm {
        /// Its address, and how to get in.
        farm: Box<ConnectOptions>,
        /// Most workers that take part; all when `None`.
        workers: Option<u16>,
    },
}

/// Why arguments do not make a plan: the user's mistake, in one line.
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
    #[error("-o {}: write to .png, .npy, .exr, .kfr or .toml", .0.display())]
    Extension(PathBuf),
    /// Pictures are made in one format.
    #[error("-o {}: a picture is written to .png", .0.display())]
    Picture(PathBuf),
    /// The location file is none.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// A sequence that cannot be.
    #[error(transparent)]
    Sequence(#[from] zoom::SequenceError),
    /// Its key frames cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Deltas start where the reference orbit does.
    #[error("--arithmetic {0} computes orbits that start at 0, and --z0 says otherwise")]
    Start(&'static str),
    /// Only deltas are counted in more than 32 bits.
    #[error(
        "--iterations {0} needs counts of 64 bits, which deltas from a reference orbit have: not with --z0 or a plain --arithmetic"
    )]
    LongCounts(u64),
    /// Processors choose between the two by the size of a pixel.
    #[error("--arithmetic {0}: processors compute this view in {1}")]
    OtherDelta(&'static str, &'static str),
    /// No adapter computes it.
    #[error("{0} are computed by processors alone: not with --backend gpu")]
    NotOnAdapters(&'static str),
    /// No processor has it.
    #[error("--arithmetic {0} is for adapters: not with --backend cpu")]
    NotOnCpu(&'static str),
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
    /// The colours are none.
    #[error(transparent)]
    Colours(#[from] ColourError),
    /// Samples are laid out for pictures.
    #[error("--samples: not with --grid linspace, whose samples are numpy's")]
    Samples,
}

impl RenderPlan {
    /// The picture as a location: all that makes it again, and its place for other programs.
    ///
    /// `range`: the values that were found for the palette's ends, where they were.
    #[must_use]
    pub fn location(&self, range: Option<(f64, f64)>) -> Location {
        let frame = &self.frame;
        let side = self.colours.samples.side();
        let mut colours = self.colours.clone();
        if colours.needs() == Needs::Range {
            colours.range = range.map(|found| colours.in_pixels(found));
        }
        Location {
            iterations: Some(frame.iterations),
            escape_radius: Some(frame.escape_radius),
            z0: Some(frame.z0).filter(|z0| *z0 != (0.0, 0.0)),
            grid: Some(match frame.grid {
                // As the samples of a pixel are.
                Grid::Displaced => Grid::Pixels,
                grid => grid,
            }),
            size: Some((frame.width / side, frame.height / side)),
            colours: Some(colours),
            transform: frame.transform,
            skip_error_log2: Some(frame.skip_error_log2)
                .filter(|log2| *log2 != fractal::SKIP_ERROR_LOG2),
            ..Location::at(frame.view.clone(), Format::Own)
        }
    }

    /// Whether only places are asked for, so that there is nothing to compute.
    #[must_use]
    pub fn computes_nothing(&self) -> bool {
        let is_place = |output: &Output| matches!(output.kind, OutputKind::Location(_));
        self.outputs.iter().all(is_place)
    }
}

/// Lowers arguments to a plan.
///
/// # Errors
/// The first thing that cannot be.
pub fn plan(args: RenderArgs) -> Result<RenderPlan, PlanError> {
    let location = args
        .view
        .location
        .as_deref()
        .map(Location::read)
        .transpose()?;
    let said = Said::by(location.as_ref());
    let base = (said.colours.clone()).unwrap_or_else(colours::plain);
    // What was found at another zoom suits that one.
    let base = match args.view.zoom {
        Some(_) if args.view.location.is_some() => Scheme {
            range: None,
            ..base
        },
        _ => base,
    };
    let colours = colours::scheme(&args.colours, base)?;
    let transform = args.view.turn.over(said.transform);
    let (view, width, height) = view(args.view, location)?;
    let side = colours.samples.side();
    let wanted = outputs::Wanted {
        measure: args.measure.into(),
        channels: args.channels.channels,
    };
    let outputs = outputs::outputs(&args.outputs, &wanted)?;
    let frame = FrameSpec {
        view,
        transform,
        grid: match (args.grid.map(Grid::from).or(said.grid)).unwrap_or(Grid::Pixels) {
            grid if side == 1 => grid,
            Grid::Pixels => Grid::Displaced,
            _ => return Err(PlanError::Samples),
        },
        width: width.saturating_mul(side),
        height: height.saturating_mul(side),
        iterations: args.iterations.or(said.iterations).unwrap_or(ITERATIONS),
        escape_radius: (args.escape_radius.or(said.escape_radius)).unwrap_or(ESCAPE_RADIUS),
        z0: (args.z0.map(|z0| (z0[0], z0[1])).or(said.z0)).unwrap_or((0.0, 0.0)),
        skip_error_log2: (args.skip_error_log2.or(said.skip_error_log2))
            .unwrap_or(fractal::SKIP_ERROR_LOG2),
        measures: MeasureSet::default(),
    };
    let wanted = outputs
        .iter()
        .flat_map(|output| (output.kind.measures(&frame, &colours).iter()).collect::<Vec<_>>());
    let frame = FrameSpec {
        // Of a place alone nothing is computed, and a frame has something to compute.
        measures: match wanted.collect::<MeasureSet>() {
            none if none.is_empty() => none.with(frame.carrier(Measure::Iterations)),
            wanted => wanted,
        },
        ..frame
    };
    frame.check()?;
    let (backend, is_pinned) = precision::backend(&frame, args.devices.backend.into())?;
    let strips = strips(&frame, args.strip_rows)?;
    let place = match cli::redis_beside(args.access.redis(), &args.stage) {
        None => Place::InProcess {
            workers: args.crew.workers.unwrap_or(1),
            threads: None,
        },
        Some(url) => Place::Farm {
            farm: Box::new(cli::farm(url.to_owned(), &args.access.farm)?),
            workers: args.crew.workers,
        },
    };
    let journal = match journal_folder(args.journal.journal) {
        Some(folder) if !args.no_journal => Some(JournalPlan {
            folder,
            fresh: args.fresh,
        }),
        _ => None,
    };
    Ok(RenderPlan {
        warnings: [
            said.warnings,
            precision::warnings(&frame, args.arithmetic),
            is_pinned.into_iter().collect(),
        ]
        .concat(),
        audit: args.audit,
        journal,
        strips,
        arithmetic: precision::arithmetic(&frame, args.arithmetic, backend)?,
        backend,
        outputs,
        colours,
        compression: args.compression,
        place,
        frame,
    })
}

/// Where journals are: as `given`, or among the state that the user's programs keep; `None` where the system
/// has no such place.
#[must_use]
pub fn journal_folder(given: Option<PathBuf>) -> Option<PathBuf> {
    // Set but empty is how a shell says that there is none.
    if let Some(folder) = given.filter(|folder| !folder.as_os_str().is_empty()) {
        return Some(folder);
    }
    let user = etcetera::choose_base_strategy().ok()?;
    let state = user.state_dir().unwrap_or_else(|| user.data_dir());
    Some(state.join("mandelfarm").join("jobs"))
}

/// What a location says beside the place; options win over it.
#[derive(Default)]
struct Said {
    iterations: Option<u64>,
    escape_radius: Option<f64>,
    z0: Option<(f64, f64)>,
    grid: Option<Grid>,
    transform: Transform,
    skip_error_log2: Option<i32>,
    colours: Option<Scheme>,
    warnings: Vec<String>,
}

impl Said {
    fn by(location: Option<&Location>) -> Self {
        location.map_or_else(Self::default, |location| Self {
            iterations: location.iterations,
            escape_radius: location.escape_radius,
            z0: location.z0,
            grid: location.grid,
            transform: location.transform,
            skip_error_log2: location.skip_error_log2,
            colours: location.colours.clone(),
            warnings: location.warnings.clone(),
        })
    }
}

/// Whether two sizes have one shape.
fn are_alike(a: (u32, u32), b: (u32, u32)) -> bool {
    u64::from(a.0) * u64::from(b.1) == u64::from(a.1) * u64::from(b.0)
}

/// The view with its size in samples.
fn view(args: ViewArgs, location: Option<Location>) -> Result<(View, u32, u32), PlanError> {
    if let Some(location) = location {
        let view = match (location.view, args.zoom) {
            // Around the middle of bounds as well.
            (view, Some(zoom)) => match view.by_centre() {
                View::Centre { re, im, .. } => View::Centre { re, im, zoom },
                bounds @ View::Bounds { .. } => bounds,
            },
            // Bounds are stretched in no other shape than their own: their height is kept, as of any view.
            (view, None) => match (args.size, location.size) {
                (Some(size), own) if !own.is_some_and(|own| are_alike(size, own)) => {
                    view.by_centre()
                }
                _ => view,
            },
        };
        let (width, height) = args.size.or(location.size).unwrap_or(SIZE);
        return Ok((view, width, height));
    }
    if let (Some(re), Some(im), Some(zoom)) = (args.re, args.im, args.zoom) {
        let (width, height) = args.size.unwrap_or(SIZE);
        return Ok((View::Centre { re, im, zoom }, width, height));
    }
    let or = |given: Option<Decimal>, default: &str| given.unwrap_or_else(|| decimal(default));
    let density = or(args.density, "512");
    let (xmin, xmax) = (or(args.xmin, "-2"), or(args.xmax, "0.5"));
    let (ymin, ymax) = (or(args.ymin, "-1.5"), or(args.ymax, "1.5"));
    if !density.is_positive() {
        return Err(PlanError::Density(density.to_string()));
    }
    let samples = |low: &Decimal, high: &Decimal| {
        // Bounds out of order make a negative number here; the frame's own check names them.
        let samples = high
            .minus(low)
            .times_trunc(&density)
            .map(|samples| samples.max(0));
        samples
            .and_then(|samples| u32::try_from(samples).ok())
            .ok_or_else(|| PlanError::TooDense(density.to_string()))
    };
    let (width, height) = (samples(&xmin, &xmax)?, samples(&ymin, &ymax)?);
    let view = View::Bounds {
        xmin,
        xmax,
        ymin,
        ymax,
    };
    if width == 0 || height == 0 {
        view.check_order()?;
    }
    Ok((view, width, height))
}

/// A default, which is a number.
fn decimal(text: &str) -> Decimal {
    text.parse()
        .unwrap_or_else(|_| unreachable!("defaults are numbers"))
}

fn strips(frame: &FrameSpec, rows: Option<u32>) -> Result<StripPlan, PlanError> {
    let bytes_per_pixel = frame.measures.bytes_per_pixel();
    let Some(rows) = rows else {
        return Ok(StripPlan::for_picture(
            frame.width,
            frame.height,
            bytes_per_pixel,
        ));
    };
    let rows = rows.min(frame.height);
    let row_bytes = u64::from(frame.width) * bytes_per_pixel as u64;
    let most = u32::try_from(MAX_STRIP_BYTES / row_bytes)
        .unwrap_or(u32::MAX)
        .max(1);
    if rows > most {
        return Err(PlanError::StripRows { rows, most });
    }
    Ok(StripPlan {
        height: frame.height,
        strip_rows: rows,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    pub(crate) fn planned(line: &str) -> Result<RenderPlan, PlanError> {
        let words = ["submitter", "render"]
            .into_iter()
            .chain(line.split_whitespace());
        let Command::Render(args) = Cli::try_parse_from(words).unwrap().command else {
            unreachable!()
        };
        plan(*args)
    }

    #[test]
    fn the_main_job_is_the_notebooks_view() {
        let plan = planned("--density 4096").unwrap();
        assert_eq!((plan.frame.width, plan.frame.height), (10240, 12288));
        assert_eq!(
            plan.outputs,
            [Output {
                path: "mandelbrot.png".into(),
                kind: OutputKind::Png
            }]
        );
        assert!(matches!(plan.place, Place::InProcess { workers: 1, .. }));
        assert!(plan.warnings.is_empty());
    }

    #[test]
    fn what_cannot_be_is_one_line() {
        for (line, says) in [
            ("--density 0", "--density 0 is not greater than 0"),
            ("--density -5", "--density -5 is not greater than 0"),
            (
                "--density 1e10",
                "bounds and --density 1e10 make a picture of more than 2^17 samples a side",
            ),
            (
                "--density 0.1",
                "a picture of 0 x 0 samples is not within 1 x 1 and 131072 x 131072",
            ),
            (
                "--density 100000",
                "a picture of 250000 x 300000 samples is not within 1 x 1 and 131072 x 131072",
            ),
            (
                "--xmin 1",
                "bounds out of order: xmin 1 is not below xmax 0.5",
            ),
            ("--re 0 --im 0 --zoom 0", "zoom 0 is not greater than 0"),
            (
                "--re 0 --im 0 --zoom 1 --size 0x5",
                "a picture of 0 x 5 samples is not within 1 x 1 and 131072 x 131072",
            ),
            (
                "--iterations 0",
                "an iteration limit of 0 is not within 1 and 9007199254740992",
            ),
            (
                "--escape-radius -1",
                "escape radius -1.0 is not over 0 and at most 1e9",
            ),
            (
                "--skip-error-log2 -60",
                "an error of 2^-60 in a skipped step is not within 2^-52 and 2^-8",
            ),
            (
                "-o picture",
                "-o picture: write to .png, .npy, .exr, .kfr or .toml",
            ),
            ("-o a.png -o a.png", "-o a.png: given twice"),
            (
                "--density 4096 --strip-rows 1000",
                "--strip-rows 1000: strips of this picture have at most 102 rows (4 MiB)",
            ),
            (
                "--colour-range 5 5",
                "--colour-range 5.0 5.0: the low end must be below the high end, and both finite",
            ),
        ] {
            assert_eq!(planned(line).unwrap_err().to_string(), says, "{line}");
        }
    }
}
