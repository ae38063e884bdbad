//! The minibrot in or near a view.

use render::Deed;
use std::path::PathBuf;
use std::sync::Arc;

use colour::Scheme;
use farm_worker::Fault;
use fractal::formula::nuclei;
use fractal::locate::{self, LocateError, Progress as Far, Shape};
use fractal::{Decimal, FloatExp, Formula, FrameSpec, Grid, Measure, MeasureSet, Transform, View};
use locations::{Format, Location, Minibrot};
use render::Stop;
use render::progress::{Ending, Event, Progress};
use render::stop::aside;

use crate::error::Error;
use crate::plan::minibrot::{check_formula, check_request};
use crate::plan::refused::PlanError;
use crate::plan::usual;
use crate::request::MinibrotRequest;

/// Periods of the minibrot that its picture's iteration limit lets pass, and iterations beside them.
const PERIODS: u64 = 20;
const ITERATIONS: u64 = 1000;
/// Samples along the sides of the view that is searched: only their distance counts.
const SIDE: u32 = 256;

/// Finds the minibrot that is requested, around the centre of `file`, a location, where one is named: its size and colours
/// are kept. `stop` ends it at any time.
///
/// # Errors
/// When the view cannot be, or there is none.
pub fn minibrot<'a>(
    request: MinibrotRequest,
    file: Option<PathBuf>,
    progress: &'a Arc<dyn Progress>,
    stop: &'a Stop,
) -> Deed<'a, Result<Location, Error>> {
    Box::pin(async move {
        check_request(&request, file.is_some())?;
        let read = move || file.as_deref().map(Location::read).transpose();
        let what = "reading what the request names";
        let given = aside(what, &**progress, false, stop.interrupts(), read).await?;
        let given = given.map_err(PlanError::from)?;
        for warning in given.iter().flat_map(|given| &given.warnings) {
            progress.tell(Event::Warning(warning));
        }
        let frame = frame(&request, given.as_ref())?;
        let (transform, formula) = (frame.transform, frame.formula.clone());
        let nucleus = find(frame, progress, stop).await?;
        let transform = match (request.upright, nucleus.angle) {
            (false, _) => transform,
            // Its axis of symmetry is the view's.
            (true, Some(angle)) => Transform {
                rotate: angle.to_degrees(),
                ..Transform::default()
            },
            (true, None) => return Err(PlanError::NotTurned(formula.to_string()).into()),
        };
        Ok(Location {
            transform,
            ..location(nucleus, formula, given)
        })
    })
}

fn fault(error: tokio::task::JoinError) -> Fault {
    Fault::of_task("the thread that looks for a period", error)
}

/// The view to search: around the centre of the one that was given, or as typed.
fn frame(args: &MinibrotRequest, given: Option<&Location>) -> Result<FrameSpec, PlanError> {
    let typed = || {
        let re_and_im = args.re.clone().zip(args.im.clone());
        let ((re, im), zoom) = re_and_im.zip(args.zoom.clone())?;
        Some(View::Centre { re, im, zoom })
    };
    let view = match given.map(|given| given.view.by_centre()) {
        Some(View::Centre { re, im, zoom }) => {
            let zoom = args.zoom.clone().unwrap_or(zoom);
            Some(View::Centre { re, im, zoom })
        }
        Some(bounds) => Some(bounds),
        None => typed(),
    };
    let (formula, julia) = args.iterated.over(given);
    let frame = FrameSpec {
        view: view.ok_or(PlanError::Place)?,
        transform: (args.turn).over(given.map_or_else(Transform::default, |given| given.transform)),
        grid: Grid::Pixels,
        width: SIDE,
        height: SIDE,
        iterations: args.iterations.unwrap_or(usual::PERIODS),
        escape_radius: usual::ESCAPE_RADIUS,
        z0: (0.0, 0.0),
        formula,
        julia,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    };
    frame.check()?;
    check_formula(&frame)?;
    Ok(frame)
}

/// A nucleus of any formula.
struct Nucleus {
    re: Decimal,
    im: Decimal,
    period: u64,
    shape: &'static str,
    size: FloatExp,
    angle: Option<f64>,
    view: (Decimal, Decimal, Decimal),
}

/// By the search for what is iterated.
fn locate(frame: &FrameSpec, watch: &mut dyn FnMut(Far) -> bool) -> Result<Nucleus, LocateError> {
    if !frame.formula.is_mandelbrot() {
        let found = nuclei::locate(frame, watch)?;
        return Ok(Nucleus {
            re: found.re,
            im: found.im,
            period: found.period,
            shape: "minibrot",
            size: found.size,
            angle: found.angle,
            view: found.view,
        });
    }
    let found = locate::locate(frame, watch)?;
    Ok(Nucleus {
        re: found.re,
        im: found.im,
        period: found.period,
        shape: match found.shape {
            Shape::Cardioid => "cardioid",
            Shape::Disc => "disc",
        },
        size: found.size,
        angle: Some(found.angle),
        view: found.view,
    })
}

async fn find(
    frame: FrameSpec,
    progress: &Arc<dyn Progress>,
    stop: &Stop,
) -> Result<Nucleus, Error> {
    let began = Event::OrbitBegan {
        most: frame.iterations,
    };
    let _ending = Ending::after(&**progress, began, Event::OrbitEnded);
    let _hold = stop.hold();
    let search = tokio::task::spawn_blocking({
        let (progress, stop) = (Arc::clone(progress), stop.clone());
        move || {
            locate(&frame, &mut |far| {
                progress.tell(match far {
                    Far::Period(made) => Event::OrbitSteps(made),
                    Far::Newton { period, step, made } => Event::NewtonSteps { period, step, made },
                });
                !stop.is_requested()
            })
        }
    });
    // What is found in the last moment is found.
    search.await.map_err(fault)?.map_err(|error| match error {
        LocateError::Cancelled => Error::interrupted(),
        error => error.into(),
    })
}

/// The place of the minibrot; its picture is as large and coloured as that of the place where it was found.
fn location(nucleus: Nucleus, formula: Formula, given: Option<Location>) -> Location {
    let (re, im, zoom) = nucleus.view;
    Location {
        iterations: Some(
            PERIODS
                .saturating_mul(nucleus.period)
                .saturating_add(ITERATIONS),
        ),
        minibrot: Some(Minibrot {
            re: Some(nucleus.re),
            im: Some(nucleus.im),
            period: nucleus.period,
            shape: nucleus.shape.to_owned(),
            size: decimal(nucleus.size),
            turned: nucleus.angle.map(f64::to_degrees),
        }),
        formula: Some(formula).filter(|formula| !formula.is_mandelbrot()),
        size: given.as_ref().and_then(|given| given.size),
        // The range was found in the other view.
        colours: (given.and_then(|given| given.colours)).map(|colours| Scheme {
            range: None,
            ..colours
        }),
        ..Location::at(View::Centre { re, im, zoom }, Format::Own)
    }
}

/// A few digits, with a power of ten.
fn decimal(value: FloatExp) -> String {
    let log10 = value.log2() * std::f64::consts::LOG10_2;
    let power = log10.floor();
    format!("{:.4}e{power:.0}", 10f64.powf(log10 - power))
}
