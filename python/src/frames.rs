//! Sequences: into files, or a frame after the other.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use mandelfarm::{
    Progress, RawStream, SequenceMeans, SequenceRequest, plan_sequence, sequence as make,
};
use pyo3::prelude::*;

use crate::arrays;
use crate::failure::Failure;
use crate::means::{Place, request};
use crate::task::{Outcome, Task};

/// Frames that wait for whoever asks for them.
const WAITING: usize = 2;
/// Longest that one call waits: until then no signal is heard.
const MOST_WAIT: Duration = Duration::from_secs(1);

/// How a sequence is made, and where it goes.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Target {
    /// A video or numbered pictures; frames as arrays when `None`.
    output: Option<PathBuf>,
    location: Option<PathBuf>,
    ffmpeg: Option<PathBuf>,
    encoder: Option<String>,
    encoder_options: Vec<(String, String)>,
    keep: Option<PathBuf>,
    reuse: Option<PathBuf>,
}

/// Frames that come one after the other.
#[pyclass(frozen, module = "mandelfarm._native")]
pub struct Frames {
    coming: Mutex<Option<Receiver<Vec<u8>>>>,
    /// Columns and rows of each, and how many there are.
    about: Arc<OnceLock<((u32, u32), u32)>>,
}

#[pymethods]
impl Frames {
    /// Waits for the next frame, at most so many seconds: whether there is none any more, and the frame.
    fn take<'py>(
        &self,
        py: Python<'py>,
        seconds: f64,
    ) -> PyResult<(bool, Option<Bound<'py, PyAny>>)> {
        let limit = Duration::try_from_secs_f64(seconds).map_or(MOST_WAIT, |s| s.min(MOST_WAIT));
        let taken = py.detach(|| {
            let coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
            match &*coming {
                Some(coming) => coming.recv_timeout(limit),
                None => Err(RecvTimeoutError::Disconnected),
            }
        });
        let (size, _) = self.about.get().copied().unwrap_or_default();
        match taken {
            Ok(bytes) => Ok((false, Some(arrays::of_pixels(py, bytes, size)?))),
            Err(RecvTimeoutError::Timeout) => Ok((false, None)),
            Err(RecvTimeoutError::Disconnected) => Ok((true, None)),
        }
    }

    /// How many there are, where it is known yet.
    fn count(&self) -> Option<u32> {
        self.about.get().map(|about| about.1)
    }

    /// Lets go of those that are to come.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            *self.coming.lock().unwrap_or_else(PoisonError::into_inner) = None;
        });
    }
}

/// Where a sequence's frames go: each is written as one piece.
struct Way(SyncSender<Vec<u8>>);

impl Write for Way {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        let nobody = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.send(frame.to_owned()).map_err(nobody)?;
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins a sequence. Its result: the report as JSON.
#[pyfunction]
pub fn sequence(
    py: Python<'_>,
    request_json: &str,
    target: Target,
    place: Place,
) -> PyResult<(Task, Frames)> {
    let raise = |failure: Failure| failure.raise(py);
    let (request, palette) = request::<SequenceRequest>(request_json).map_err(raise)?;
    let is_raw = target.output.is_none();
    let means = SequenceMeans {
        location: target.location,
        palette,
        output: Some(target.output.unwrap_or_else(|| "-".into())),
        ffmpeg: target.ffmpeg,
        encoder: target.encoder,
        encoder_options: target.encoder_options,
        keep: target.keep,
        reuse: target.reuse,
        farm: place.means().map_err(raise)?,
    };
    let (send, coming) = sync_channel(WAITING);
    let about = Arc::new(OnceLock::new());
    let frames = Frames {
        coming: Mutex::new(Some(coming)),
        about: Arc::clone(&about),
    };
    let task = Task::begin(py, |(told, stop)| async move {
        if is_raw {
            let (request, means) = (request.clone(), means.clone());
            let plan = move || plan_sequence(&request, &means);
            let plan = tokio::task::spawn_blocking(plan).await;
            let plan = plan.map_err(Failure::failed)??;
            let _ = about.set((plan.size, plan.timing.frames));
        }
        let raw = RawStream(Box::new(Way(send)));
        let progress: Arc<dyn Progress> = told;
        let report = make(request, means, raw, progress, &stop).await?;
        let json = serde_json::to_string(&report).map_err(Failure::failed)?;
        let outcome: Outcome = Box::new(move |py| Ok(json.into_pyobject(py)?.into_any()));
        Ok(outcome)
    })?;
    Ok((task, frames))
}
