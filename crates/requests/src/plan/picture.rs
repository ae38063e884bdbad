//! A request for a picture becomes a plan.

use std::path::PathBuf;

use colour::Scheme;
use disk::homes::state_folder;
use farm_queue::protocol::lines::{is_tag, worker_name};
use fractal::strip::MAX_STRIP_BYTES;
use fractal::{Counts, Decimal, FrameSpec, Grid, Measure, MeasureSet, StripPlan, Transform, View};
use locations::Location;
use render::RenderPlan;
use render::plan::{JournalPlan, OutputKind, Place};
use render::prepare::precision;

use super::refused::PlanError;
use super::usual::MAX_WORKERS;
use super::{colours, home, outputs, usual};
use crate::request::means::JournalMeans;
use crate::request::{FarmMeans, Means, PictureRequest, ViewRequest};

/// Completes a request to a plan. Reads the files that the means name.
///
/// # Errors
/// The first thing that cannot be.
pub fn picture(request: PictureRequest, means: &Means) -> Result<RenderPlan, PlanError> {
    check_request(&request, means)?;
    let has_location = means.location.is_some();
    let location = means.location.as_deref().map(Location::read).transpose()?;
    let said = Said::by(location.as_ref());
    let base = (said.colours.clone()).unwrap_or_default();
    // What was found at another zoom suits that one.
    let base = match request.view.zoom {
        Some(_) if has_location => Scheme {
            range: None,
            ..base
        },
        _ => base,
    };
    let colours = colours::scheme(&request.colours, means.palette.as_deref(), base)?;
    let transform = request.view.turn.over(said.transform);
    let (formula, julia) = request.iterated.over(location.as_ref());
    let home = || home::bounds(&formula, julia.as_ref());
    let (view, width, height) = view(request.view, location, home)?;
    let side = colours.samples.side();
    let wanted_measure = means.measure.unwrap_or(Measure::Smooth);
    let wanted = outputs::Wanted {
        measure: wanted_measure,
        channels: means.channels.clone(),
    };
    let outputs = outputs::outputs(&means.outputs, means.keeps, &wanted)?;
    outputs::check(&outputs, (width, height))?;
    let frame = FrameSpec {
        view,
        transform,
        grid: match (request.grid.or(said.grid), side) {
            (Some(Grid::Linspace), 1) => Grid::Linspace,
            (Some(Grid::Linspace), _) => return Err(PlanError::Samples),
            (_, 1) => Grid::Pixels,
            _ => Grid::Displaced,
        },
        width: width.saturating_mul(side),
        height: height.saturating_mul(side),
        iterations: request
            .iterations
            .or(said.iterations)
            .unwrap_or(usual::ITERATIONS),
        escape_radius: (request.escape_radius.or(said.escape_radius))
            .unwrap_or(usual::ESCAPE_RADIUS),
        z0: (request.z0.or(said.z0)).unwrap_or((0.0, 0.0)),
        formula,
        julia,
        skip_error_log2: (request.skip_error_log2.or(said.skip_error_log2))
            .unwrap_or(fractal::SKIP_ERROR_LOG2),
        counts: (request.counts.or(said.counts)).unwrap_or(Counts::Fast),
        measures: MeasureSet::default(),
    };
    let wanted = outputs
        .iter()
        .flat_map(|output| (output.kind.measures(&frame, &colours).iter()).collect::<Vec<_>>());
    // In memory what is asked for and what colours are made from.
    let kept = match (means.keeps, &means.kept) {
        (true, None) => colours.measures().with(frame.carrier(wanted_measure)),
        (true, Some(kept)) => kept.iter().map(|measure| frame.carrier(*measure)).collect(),
        (false, _) => MeasureSet::default(),
    };
    let wanted = wanted.chain(kept.iter());
    let frame = FrameSpec {
        // Of a place alone nothing is computed, and a frame has something to compute.
        measures: match wanted.collect::<MeasureSet>() {
            none if none.is_empty() => none.with(frame.carrier(Measure::Iterations)),
            wanted => wanted,
        },
        ..frame
    };
    frame.check()?;
    let (backend, pinned) = precision::backend(&frame, means.farm.backend)?;
    let strips = strips(&frame, means.strip_rows)?;
    let place = place(&means.farm)?;
    let journal = match &means.journal {
        JournalMeans::None => None,
        JournalMeans::Kept(folder) => journal_folder(folder.clone()).map(|folder| (folder, false)),
        JournalMeans::Fresh(folder) => journal_folder(folder.clone()).map(|folder| (folder, true)),
    };
    let journal = journal.map(|(folder, fresh)| JournalPlan { folder, fresh });
    let plan = RenderPlan {
        warnings: [
            said.warnings,
            precision::warnings(&frame, request.arithmetic),
            pinned.into_iter().collect(),
        ]
        .concat(),
        audit: means.audit,
        journal,
        strips,
        arithmetic: precision::arithmetic(&frame, request.arithmetic, backend)?,
        backend,
        outputs,
        keeps: means.keeps,
        colours,
        compression: means.compression,
        place,
        frame,
    };
    check_places(&plan)?;
    Ok(plan)
}

/// Checks that the formats of all places have the formula.
fn check_places(plan: &RenderPlan) -> Result<(), PlanError> {
    let formats = (plan.outputs.iter()).filter_map(|output| match output.kind {
        OutputKind::Location(format) => Some((output, format)),
        _ => None,
    });
    for (output, format) in formats {
        let text = plan.location(None).text_as(format);
        text.map_err(|reason| PlanError::Formula {
            path: output.path.clone(),
            reason,
        })?;
    }
    Ok(())
}

/// Checks that a request does not contradict itself. Reads no file.
///
/// # Errors
/// The first thing that cannot be.
pub fn check_request(request: &PictureRequest, means: &Means) -> Result<(), PlanError> {
    check_view(&request.view, means.location.is_some())?;
    colours::check_request(&request.colours)?;
    check_workers(means.farm.workers)
}

/// Where journals are: as `given`, or among the state that the user's programs keep; `None` where the system has no such
/// place.
#[must_use]
pub fn journal_folder(given: Option<PathBuf>) -> Option<PathBuf> {
    state_folder(given, "jobs")
}

/// Checks how many workers are asked for.
pub(crate) fn check_workers(workers: Option<u16>) -> Result<(), PlanError> {
    match workers {
        Some(workers) if !(1..=MAX_WORKERS).contains(&workers) => Err(PlanError::Workers),
        _ => Ok(()),
    }
}

/// Whether this is a name to show beside a job.
#[must_use]
pub fn is_owner(name: &str) -> bool {
    !name.trim().is_empty() && worker_name(name) == name
}

/// Where something is computed, but for a world's network, which is yet to be booted.
pub(super) fn place(means: &FarmMeans) -> Result<Place, PlanError> {
    match means.terms.on.as_deref() {
        Some(tag) if !is_tag(tag) => return Err(PlanError::Tag),
        Some(_) if means.redis.is_none() => return Err(PlanError::TagOfNoFarm),
        _ => {}
    }
    if !means.terms.owner.as_deref().is_none_or(is_owner) {
        return Err(PlanError::Owner);
    }
    Ok(match &means.redis {
        None => Place::InProcess {
            workers: means.workers.unwrap_or(1),
            threads: None,
        },
        Some(address) => Place::Farm {
            farm: Box::new(address.options(&means.environment)?),
            workers: means.workers,
            terms: means.terms.clone(),
        },
    })
}

/// Checks that a view is given one way.
fn check_view(view: &ViewRequest, has_location: bool) -> Result<(), PlanError> {
    let bounds = [
        ("xmin", view.xmin.is_some()),
        ("xmax", view.xmax.is_some()),
        ("ymin", view.ymin.is_some()),
        ("ymax", view.ymax.is_some()),
        ("density", view.density.is_some()),
    ];
    let centre = [("re", view.re.is_some()), ("im", view.im.is_some())];
    let given = |(name, is_given): (&'static str, bool)| is_given.then_some(name);
    let mut beside_location = bounds.into_iter().chain(centre).filter_map(given);
    if let (true, Some(other)) = (has_location, beside_location.next()) {
        return Err(PlanError::Together("location", other));
    }
    let by_centre = view.zoom.is_some() || view.re.is_some();
    if let (true, Some(other)) = (by_centre, bounds.into_iter().find_map(given)) {
        let name = if view.re.is_some() { "re" } else { "zoom" };
        return Err(PlanError::Together(name, other));
    }
    let has_place = has_location || view.re.is_some();
    match (&view.re, &view.im, &view.zoom) {
        (Some(_), None, _) => Err(PlanError::Alone("re", "im")),
        (Some(_), _, None) => Err(PlanError::Alone("re", "zoom")),
        (None, Some(_), _) => Err(PlanError::Alone("im", "re")),
        (_, _, Some(_)) if !has_place => Err(PlanError::Alone("zoom", "re")),
        _ if view.size.is_some() && !has_place => Err(PlanError::Alone("size", "re")),
        _ => Ok(()),
    }
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
    counts: Option<Counts>,
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
            counts: location.counts,
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
fn view(
    args: ViewRequest,
    location: Option<Location>,
    home: impl Fn() -> [Decimal; 4],
) -> Result<(View, u32, u32), PlanError> {
    let size: Option<(u32, u32)> = args.size.map(Into::into);
    if let Some(location) = location {
        let view = match (location.view, args.zoom) {
            // Around the middle of bounds as well.
            (view, Some(zoom)) => match view.by_centre() {
                View::Centre { re, im, .. } => View::Centre { re, im, zoom },
                bounds @ View::Bounds { .. } => bounds,
            },
            // Bounds are stretched in no other shape than their own: their height is kept, as of any view.
            (view, None) => match (size, location.size) {
                (Some(size), own) if !own.is_some_and(|own| are_alike(size, own)) => {
                    view.by_centre()
                }
                _ => view,
            },
        };
        let (width, height) = size.or(location.size).unwrap_or(usual::SIZE);
        return Ok((view, width, height));
    }
    if let (Some(re), Some(im), Some(zoom)) = (args.re, args.im, args.zoom) {
        let (width, height) = size.unwrap_or(usual::SIZE);
        return Ok((View::Centre { re, im, zoom }, width, height));
    }
    let density = (args.density).unwrap_or_else(|| usual::decimal(usual::DENSITY));
    let [left, right, bottom, top] = home();
    let (xmin, xmax) = (args.xmin.unwrap_or(left), args.xmax.unwrap_or(right));
    let (ymin, ymax) = (args.ymin.unwrap_or(bottom), args.ymax.unwrap_or(top));
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
mod tests {
    use fractal::BackendChoice;

    use super::*;

    fn plan_of(text: &str, means: &Means) -> Result<RenderPlan, PlanError> {
        picture(serde_json::from_str(text).unwrap(), means)
    }

    #[test]
    fn nobody_and_too_many_do_not_take_part() {
        let with = |workers| {
            let mut means = Means::in_memory();
            means.farm.workers = workers;
            plan_of("{}", &means).map(drop)
        };
        for workers in [None, Some(1), Some(1024)] {
            assert!(with(workers).is_ok(), "{workers:?}");
        }
        for workers in [Some(0), Some(1025)] {
            let error = with(workers).unwrap_err().to_string();
            assert_eq!(error, "--workers: not in 1..=1024");
        }
    }

    #[test]
    fn samples_of_a_pixel_are_displaced_and_others_are_not() {
        let grid_of = |text: &str| {
            let plan = plan_of(text, &Means::in_memory())?;
            Ok::<_, PlanError>(plan.frame.grid)
        };
        for (text, grid) in [
            ("{}", Grid::Pixels),
            (r#"{"grid": "linspace"}"#, Grid::Linspace),
            (r#"{"grid": "displaced"}"#, Grid::Pixels),
            (r#"{"samples": 4}"#, Grid::Displaced),
            (r#"{"samples": 4, "grid": "pixels"}"#, Grid::Displaced),
            (r#"{"samples": 4, "grid": "displaced"}"#, Grid::Displaced),
        ] {
            assert_eq!(grid_of(text).unwrap(), grid, "{text}");
        }
        let refused = grid_of(r#"{"samples": 4, "grid": "linspace"}"#);
        assert!(matches!(refused, Err(PlanError::Samples)), "{refused:?}");
    }

    #[test]
    fn what_is_kept_is_what_is_named_and_else_what_colours_are_made_from() {
        let measures = |kept: Option<Vec<Measure>>, iterations: &str| {
            let means = Means {
                kept,
                ..Means::in_memory()
            };
            let plan = plan_of(&format!(r#"{{"iterations": "{iterations}"}}"#), &means);
            plan.unwrap().frame.measures.iter().collect::<Vec<_>>()
        };
        assert_eq!(measures(None, "100"), [Measure::Smooth]);
        let two = vec![Measure::Distance, Measure::Iterations];
        assert_eq!(
            measures(Some(two.clone()), "100"),
            [Measure::Iterations, Measure::Distance]
        );
        // Counts that 32 bits do not hold.
        assert_eq!(
            measures(Some(two), "5e9"),
            [Measure::Distance, Measure::LongIterations]
        );
    }

    #[test]
    fn counts_are_fast_unless_they_are_to_be_settled() {
        let of = |text: &str| {
            let means = Means::in_memory();
            plan_of(text, &means).map(|plan| (plan.frame.counts, plan.backend))
        };
        assert_eq!(of("{}").unwrap().0, Counts::Fast);
        assert_eq!(of(r#"{"counts": "fast"}"#).unwrap().0, Counts::Fast);
        let settled = of(r#"{"counts": "settled"}"#).unwrap();
        assert_eq!(settled, (Counts::Settled, BackendChoice::Cpu));
        let of_zoom = |zoom: &str| {
            let text = r#"{"counts": "settled", "re": "-0.75", "im": "0.1", "zoom": "ZOOM"}"#;
            text.replace("ZOOM", zoom)
        };
        let plain = &of_zoom("1e4");
        for (zoom, deltas) in [("1e4", false), ("1e9", true), ("1e30", true)] {
            let plan = plan_of(&of_zoom(zoom), &Means::in_memory()).unwrap();
            assert_eq!(plan.arithmetic.deltas, deltas, "{zoom}");
            assert!(!plan.arithmetic.checked);
        }
        let request: PictureRequest = serde_json::from_str(plain).unwrap();
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(
            serde_json::from_str::<PictureRequest>(&text).unwrap(),
            request
        );
        assert!(serde_json::from_str::<PictureRequest>(r#"{"counts": "slow"}"#).is_err());
    }

    #[test]
    fn an_arithmetic_that_is_left_to_the_program_is_none() {
        let of = |text: &str| serde_json::from_str::<PictureRequest>(text);
        let none = PictureRequest::default();
        assert_eq!(of(r#"{"arithmetic": "auto"}"#).unwrap(), none);
        assert_eq!(of(r#"{"arithmetic": null}"#).unwrap(), none);
        let f64 = of(r#"{"arithmetic": "f64"}"#).unwrap();
        assert_eq!(f64.arithmetic, Some(fractal::Arithmetic::F64));
        let text = serde_json::to_string(&f64).unwrap();
        assert_eq!(of(&text).unwrap(), f64);
        assert!(of(r#"{"arithmetic": "f16"}"#).is_err());
    }
}
