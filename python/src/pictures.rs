//! Pictures, and what a request for one comes to.

use std::path::PathBuf;

use mandelfarm::{
    Made, Means, Measure, Picture, PictureRequest, Preview, Scheme, Silent, Stop, plan_picture,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays;
use crate::failure::Failure;
use crate::means::{Place, request, word};
use crate::paint::painted;
use crate::task::{Outcome, Task};

/// What is made of a picture: `outputs` are files, `kept` measures for arrays, and `paints` whether pixels are wanted.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Wanted {
    outputs: Vec<PathBuf>,
    kept: Vec<String>,
    paints: bool,
    location: Option<PathBuf>,
    /// The measure of `.npy`.
    measure: Option<String>,
}

impl Wanted {
    fn means(self, palette: Option<String>, place: Place) -> Result<Means, Failure> {
        let kept = self.kept.iter().map(|name| word("measures", name));
        let kept = kept.collect::<Result<Vec<Measure>, _>>()?;
        let measure = self
            .measure
            .map(|name| word("measure", &name))
            .transpose()?;
        Ok(Means {
            outputs: self.outputs,
            keeps: self.paints || !kept.is_empty(),
            kept: Some(kept),
            measure,
            location: self.location,
            palette,
            farm: place.means()?,
            ..Means::default()
        })
    }
}

/// Begins a picture. Its result: the report as JSON, measures by name, and pixels where they are wanted.
#[pyfunction]
pub fn picture(py: Python<'_>, request_json: &str, wanted: Wanted, place: Place) -> PyResult<Task> {
    let paints = wanted.paints;
    let prepared = request::<PictureRequest>(request_json)
        .and_then(|(request, palette)| Ok((request, wanted.means(palette, place)?)));
    let (mut request, mut means) = prepared.map_err(|failure| failure.raise(py))?;
    Task::begin(py, |(told, stop)| async move {
        let scheme = match paints {
            true => Some(keep_painted(&request, &mut means, &stop).await?),
            false => {
                // Nobody is told it, so that no samples are computed for it.
                let has_files = !means.outputs.is_empty();
                request.colours.colour_range =
                    (request.colours.colour_range).or((!has_files).then_some((0.0, 1.0)));
                None
            }
        };
        let made = mandelfarm::picture(request, means, &*told, &stop).await?;
        let Made::Rendered(rendered) = made else {
            let files: Outcome = Box::new(|py| Ok(PyDict::new(py).into_any()));
            return Ok(files);
        };
        let report = serde_json::to_string(&rendered.report).map_err(Failure::failed)?;
        let Some(picture) = rendered.picture else {
            let told: Outcome = Box::new(move |py| {
                let result = PyDict::new(py);
                result.set_item("report", report)?;
                Ok(result.into_any())
            });
            return Ok(told);
        };
        let range = rendered.report.report.colour_range;
        let painting = scheme.map(|scheme| {
            let scale = scheme.scale();
            (scheme, (range.0 / scale, range.1 / scale))
        });
        let (picture, pixels) = match painting {
            Some((scheme, range)) => {
                let (picture, pixels) = painted(picture, scheme, Some(range)).await?;
                (picture, Some(pixels))
            }
            None => (picture, None),
        };
        Ok(outcome(report, picture, pixels))
    })
}

/// Lets a picture keep what its colours are made from as well. The colours that the request comes to.
async fn keep_painted(
    request: &PictureRequest,
    means: &mut Means,
    stop: &Stop,
) -> Result<Scheme, Failure> {
    let here = Means {
        location: means.location.clone(),
        palette: means.palette.clone(),
        ..Means::in_memory()
    };
    let (plan, _) = plan_picture(request.clone(), here, &Silent, stop).await?;
    if let Some(kept) = &mut means.kept {
        kept.extend(plan.colours.measures().iter());
    }
    Ok(plan.colours)
}

fn outcome(report: String, picture: Picture, pixels: Option<(Vec<u8>, (u32, u32))>) -> Outcome {
    Box::new(move |py| {
        let (result, values) = (PyDict::new(py), PyDict::new(py));
        result.set_item("report", report)?;
        if let Some((pixels, size)) = pixels {
            result.set_item("pixels", arrays::of_pixels(py, pixels, size)?)?;
        }
        let size = picture.size();
        for plane in picture.into_planes() {
            let name = match plane.measure() {
                Measure::LongIterations => Measure::Iterations.name(),
                measure => measure.name(),
            };
            values.set_item(name, arrays::of_plane(py, plane, size)?)?;
        }
        result.set_item("values", values)?;
        Ok(result.into_any())
    })
}

/// Begins to find out what a request comes to. Its result: the same JSON as `submitter plan --json`.
#[pyfunction]
pub fn plan(py: Python<'_>, request_json: &str, wanted: Wanted, place: Place) -> PyResult<Task> {
    let paints = wanted.paints;
    let prepared = request::<PictureRequest>(request_json)
        .and_then(|(request, palette)| Ok((request, wanted.means(palette, place)?)));
    let (request, mut means) = prepared.map_err(|failure| failure.raise(py))?;
    Task::begin(py, |(told, stop)| async move {
        if paints {
            keep_painted(&request, &mut means, &stop).await?;
        }
        let (plan, placing) = plan_picture(request, means, &*told, &stop).await?;
        let preview = Preview::of(&plan, &placing);
        let json = serde_json::to_string(&preview).map_err(Failure::failed)?;
        let outcome: Outcome = Box::new(move |py| Ok(json.into_pyobject(py)?.into_any()));
        Ok(outcome)
    })
}
