//! Minibrots, and the files that say where they are.

use std::path::PathBuf;
use std::sync::Arc;

use mandelfarm::{MinibrotRequest, Progress, minibrot as find, write_whole};
use pyo3::prelude::*;

use crate::failure::Failure;
use crate::means::request;
use crate::task::{Outcome, Task};

/// Begins to look for a minibrot. Its result: the place as JSON, as TOML, and as Kalles Fraktaler has it.
#[pyfunction]
pub fn minibrot(py: Python<'_>, request_json: &str, location: Option<PathBuf>) -> PyResult<Task> {
    let (request, _) =
        request::<MinibrotRequest>(request_json).map_err(|failure| failure.raise(py))?;
    Task::begin(py, |(told, stop)| async move {
        let progress: Arc<dyn Progress> = told;
        let place = find(request, location, &progress, &stop).await?;
        let json = serde_json::to_string(&place.value()).map_err(Failure::failed)?;
        let texts = (json, place.text(), place.kfr().unwrap_or_default());
        let outcome: Outcome = Box::new(move |py| Ok(texts.into_pyobject(py)?.into_any()));
        Ok(outcome)
    })
}

/// Writes a text to a file, which is whole or not there.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a path of Python's is made here"
)]
pub fn write_text(py: Python<'_>, path: PathBuf, text: &str) -> PyResult<()> {
    let written = py.detach(|| write_whole(&path, text.as_bytes()));
    written
        .map(drop)
        .map_err(|error| Failure::from(error).raise(py))
}
