//! `submitter locate`: the minibrot in or near a view, as a location file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use farm_worker::usage;
use fractal::locate::{LocateError, Nucleus, Progress, Shape, locate};
use fractal::{Decimal, FloatExp, FrameSpec, Grid, Measure, MeasureSet, Transform, View};

use crate::bar::ReferenceBar;
use crate::cli::LocateArgs;
use crate::collect::CollectError;
use crate::colour::Scheme;
use crate::interrupt::interrupted;
use crate::location::{Format, Location, Minibrot};
use crate::output::write_whole;
use crate::plan::PlanError;

/// Periods of the minibrot that its picture's iteration limit lets pass, and iterations beside them.
const PERIODS: u64 = 20;
const ITERATIONS: u64 = 1000;
/// Samples along the sides of the view that is searched: only their distance counts.
const SIDE: u32 = 256;

/// Does what `args` say.
///
/// # Errors
/// One line.
pub fn run(args: LocateArgs) -> anyhow::Result<()> {
    let (json, quiet, output) = (args.json, args.quiet, args.output.clone());
    let given =
        (args.location.as_deref().map(Location::read).transpose()).map_err(PlanError::from)?;
    if !quiet {
        for warning in given.iter().flat_map(|given| &given.warnings) {
            crate::say(&format!("warning: {warning}"));
        }
    }
    let upright = args.upright;
    let frame = frame(args, given.as_ref())?;
    let transform = frame.transform;
    let runtime = usage::start("warn", usage::LogFormat::Text, "submitter-io")?;
    let nucleus = runtime.block_on(async {
        let interrupt = interrupted();
        found(frame, quiet, interrupt).await
    })?;
    let location = Location {
        transform: match upright {
            // Its axis of symmetry is the view's.
            true => Transform {
                rotate: nucleus.angle.to_degrees(),
                ..Transform::default()
            },
            false => transform,
        },
        ..location(&nucleus, given)
    };
    let text = if json {
        serde_json::to_string(&location.value()).context("cannot make the report")? + "\n"
    } else {
        location.text()
    };
    match output {
        None => crate::to_stdout(text.as_bytes()),
        Some(path) => {
            let is_kfr = path
                .extension()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("kfr"));
            let text = if is_kfr { location.kfr() } else { text };
            Ok(write_whole(&path, text.as_bytes())?)
        }
    }
}

/// The view to search: around the centre of the one that was given, or as typed.
fn frame(args: LocateArgs, given: Option<&Location>) -> Result<FrameSpec, PlanError> {
    let typed = |re: Option<Decimal>, im: Option<Decimal>, zoom| {
        let re_and_im = re.zip(im);
        re_and_im
            .zip(zoom)
            .map(|((re, im), zoom)| View::Centre { re, im, zoom })
    };
    let view = match given.map(|given| given.view.by_centre()) {
        Some(View::Centre { re, im, zoom }) => {
            typed(Some(re), Some(im), Some(args.zoom.unwrap_or(zoom)))
        }
        _ => typed(args.re, args.im, args.zoom),
    };
    let frame = FrameSpec {
        view: view.unwrap_or_else(|| unreachable!("the command line asks for one or the other")),
        transform: args
            .turn
            .over(given.map_or_else(Transform::default, |given| given.transform)),
        grid: Grid::Pixels,
        width: SIDE,
        height: SIDE,
        iterations: args.iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        measures: MeasureSet::default().with(Measure::Iterations),
    };
    frame.check()?;
    Ok(frame)
}

async fn found(
    frame: FrameSpec,
    quiet: bool,
    interrupt: impl Future<Output = ()>,
) -> anyhow::Result<Nucleus> {
    let bar = Arc::new(ReferenceBar::new(frame.iterations, quiet));
    let stop = Arc::new(AtomicBool::new(false));
    let search = tokio::task::spawn_blocking({
        let (bar, stop) = (Arc::clone(&bar), Arc::clone(&stop));
        move || {
            locate(&frame, &mut |progress| {
                match progress {
                    Progress::Period(made) => bar.come(made),
                    Progress::Newton { period, step, made } => bar.newton(period, step, made),
                }
                !stop.load(Ordering::Relaxed)
            })
        }
    });
    tokio::pin!(search);
    tokio::select! {
        found = &mut search => Ok(found??),
        () = interrupt => {
            stop.store(true, Ordering::Relaxed);
            match search.await? {
                // What was found in the last moment is found.
                Ok(nucleus) => Ok(nucleus),
                Err(LocateError::Cancelled) => Err(CollectError::Interrupted.into()),
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// The place of the minibrot; its picture is as large and coloured as that of the place where it was found.
fn location(nucleus: &Nucleus, given: Option<Location>) -> Location {
    let (re, im, zoom) = nucleus.view.clone();
    let shape = match nucleus.shape {
        Shape::Cardioid => "cardioid",
        Shape::Disc => "disc",
    };
    Location {
        iterations: Some(
            PERIODS
                .saturating_mul(nucleus.period)
                .saturating_add(ITERATIONS),
        ),
        minibrot: Some(Minibrot {
            re: Some(nucleus.re.clone()),
            im: Some(nucleus.im.clone()),
            period: nucleus.period,
            shape: shape.to_owned(),
            size: decimal(nucleus.size),
            turned: nucleus.angle.to_degrees(),
        }),
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
