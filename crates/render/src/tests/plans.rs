//! Plans of tests.

use colour::Scheme;
use farm_queue::JobId;
use fractal::{BackendChoice, FrameSpec, Grid, Measure, MeasureSet, StripPlan, Transform, View};
use pictures::{ColourFormat, Compression};

use crate::job::job_of;
use crate::journal::plan_file::SavedPlan;
use crate::plan::{ArithmeticPlan, Output, OutputKind, Place, RenderPlan};

/// A picture of the whole set of 20 x 24 pixels, on one worker in process, to these files.
pub(crate) fn plan(files: &[&str]) -> RenderPlan {
    let frame = FrameSpec {
        view: View::Bounds {
            xmin: "-2".parse().unwrap(),
            xmax: "0.5".parse().unwrap(),
            ymin: "-1.5".parse().unwrap(),
            ymax: "1.5".parse().unwrap(),
        },
        transform: Transform::default(),
        grid: Grid::Pixels,
        width: 20,
        height: 24,
        iterations: 1000,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Smooth),
    };
    let output = |path: &&str| Output {
        path: path.into(),
        kind: match path.ends_with(".png") {
            true => OutputKind::Colours(ColourFormat::Png),
            false => OutputKind::Npy(Measure::Smooth),
        },
    };
    RenderPlan {
        strips: StripPlan::for_picture(frame.width, frame.height, 4),
        backend: BackendChoice::Cpu,
        arithmetic: ArithmeticPlan::default(),
        outputs: files.iter().map(output).collect(),
        keeps: false,
        colours: Scheme::default(),
        compression: Compression::Fast,
        place: Place::InProcess {
            workers: 1,
            threads: None,
        },
        audit: 0,
        journal: None,
        warnings: Vec::new(),
        frame,
    }
}

/// The same at another place, as large.
pub(crate) fn plan_at(re: &str, im: &str, zoom: &str) -> RenderPlan {
    let mut plan = plan(&[]);
    plan.frame.view = View::Centre {
        re: re.parse().unwrap(),
        im: im.parse().unwrap(),
        zoom: zoom.parse().unwrap(),
    };
    plan
}

/// A plan as its journal keeps it.
pub(crate) fn saved(plan: &RenderPlan) -> SavedPlan {
    let job = job_of(plan, JobId::generate(), None);
    SavedPlan::new(plan, &job, (0.1 + 0.2, 7.0), 1).unwrap()
}
