//! Values that are there, in colours.

use std::path::PathBuf;

use mandelfarm::{
    ColourRequest, Measure, PaintMeans, PaintRequest, Picture, Plane, Scheme, scheme,
};
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays;
use crate::failure::Failure;
use crate::means::{request, word};
use crate::task::{Outcome, Task};

/// Pixels and their columns and rows.
type Pixels = (Vec<u8>, (u32, u32));

/// Paints a picture on a thread of its own; without a `range` in that of its own samples.
///
/// # Errors
/// When it cannot be painted so.
pub async fn painted(
    picture: Picture,
    scheme: Scheme,
    range: Option<(f64, f64)>,
) -> Result<(Picture, Pixels), Failure> {
    let paint = move || {
        let range = match range {
            Some(range) => range,
            None => picture.sampled_range(&scheme)?,
        };
        let pixels = picture.paint(&scheme, Some(range))?;
        let size = scheme.samples.pixels(picture.size()).unwrap_or_default();
        Ok((picture, (pixels, size)))
    };
    let done = tokio::task::spawn_blocking(paint).await;
    done.map_err(|error| Failure::failed(format!("a fault of this package: {error}")))?
}

/// Begins to paint arrays: by their measures' names, or one of whatever the colours are made from. Its result: pixels.
#[pyfunction]
pub fn paint_values(
    py: Python<'_>,
    request_json: &str,
    values: Vec<(Option<String>, PyReadonlyArray2<'_, f32>)>,
) -> PyResult<Task> {
    let raise = |failure: Failure| failure.raise(py);
    let (request, palette) = request::<ColourRequest>(request_json).map_err(raise)?;
    let mut copies = Vec::new();
    for (name, array) in values {
        let measure = name.map(|name| word::<Measure>("values", &name));
        let [height, width] = array.shape() else {
            return Err(raise(Failure::usage("values: not of two dimensions")));
        };
        let sides = (u32::try_from(*width), u32::try_from(*height));
        let (Ok(width), Ok(height)) = sides else {
            return Err(raise(Failure::usage("values: too large")));
        };
        let copy: Vec<f32> = array.as_array().iter().copied().collect();
        copies.push((measure.transpose().map_err(raise)?, copy, (width, height)));
    }
    Task::begin(py, |_| async move {
        // It may read a palette's file.
        let whole = move || scheme(&request, palette.as_deref(), Scheme::default());
        let scheme = tokio::task::spawn_blocking(whole).await;
        let scheme = scheme.map_err(Failure::failed)??;
        let size = copies.first().map(|copy| copy.2).unwrap_or_default();
        let mut planes = Vec::new();
        for (measure, values, _) in copies {
            let measure = measure.unwrap_or_else(|| scheme.measure());
            if !matches!(measure, Measure::Smooth | Measure::Distance) {
                let name = measure.name();
                return Err(Failure::usage(format!(
                    "values: nothing is painted from {name}"
                )));
            }
            planes.push(Plane::new(measure, values));
        }
        let picture = Picture::of(size, planes)?;
        let (_, (pixels, size)) = painted(picture, scheme, None).await?;
        let outcome: Outcome = Box::new(move |py| arrays::of_pixels(py, pixels, size));
        Ok(outcome)
    })
}

/// Begins to paint a file of data into a picture's file. Its result: the report as JSON.
#[pyfunction]
pub fn paint_file(
    py: Python<'_>,
    request_json: &str,
    data: PathBuf,
    output: PathBuf,
) -> PyResult<Task> {
    let (request, palette) =
        request::<PaintRequest>(request_json).map_err(|failure| failure.raise(py))?;
    let means = PaintMeans {
        data,
        output,
        palette,
        compression: mandelfarm::Compression::default(),
    };
    Task::begin(py, |(told, stop)| async move {
        let report = mandelfarm::colours(request, means, &*told, &stop).await?;
        let json = serde_json::to_string(&report).map_err(Failure::failed)?;
        let outcome: Outcome = Box::new(move |py| Ok(json.into_pyobject(py)?.into_any()));
        Ok(outcome)
    })
}
