//! A deed under way, as Python holds it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mandelfarm::Stop;
use pyo3::prelude::*;
use tokio::task::AbortHandle;

use crate::failure::Failure;
use crate::runtime::runtime;
use crate::told::{Stage, Told};

/// Longest that one call waits: until then no signal is heard.
const MOST_WAIT: Duration = Duration::from_secs(1);

/// What a deed came to, which becomes Python's once it is asked for.
pub type Outcome = Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send>;

/// What a deed is given: who is told of it, and what stops it.
pub type Given = (Arc<Told>, Stop);

/// A deed under way.
#[pyclass(frozen, module = "mandelfarm._native")]
pub struct Task {
    end: Arc<End>,
    told: Arc<Told>,
    stop: Stop,
    abort: AbortHandle,
}

/// How a deed ended, and whether it did.
#[derive(Default)]
struct End {
    state: Mutex<(bool, Option<Result<Outcome, Failure>>)>,
    came: Condvar,
}

impl End {
    fn state(&self) -> MutexGuard<'_, (bool, Option<Result<Outcome, Failure>>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    /// Begins what `deed` makes.
    ///
    /// # Errors
    /// When there are no threads for it.
    pub fn begin<D>(py: Python<'_>, deed: impl FnOnce(Given) -> D) -> PyResult<Self>
    where
        D: Future<Output = Result<Outcome, Failure>> + Send + 'static,
    {
        let runtime = runtime().map_err(|failure| failure.raise(py))?;
        let (told, stop, end) = (Arc::<Told>::default(), Stop::new(), Arc::<End>::default());
        let work = runtime.spawn(deed((Arc::clone(&told), stop.clone())));
        let abort = work.abort_handle();
        let tell = Arc::clone(&end);
        runtime.spawn(async move {
            let done = match work.await {
                Ok(done) => done,
                Err(error) if error.is_cancelled() => Err(Failure::failed("interrupted")),
                Err(error) => Err(Failure::failed(format!("a fault of this package: {error}"))),
            };
            *tell.state() = (true, Some(done));
            tell.came.notify_all();
        });
        Ok(Self {
            end,
            told,
            stop,
            abort,
        })
    }

    /// Whether it has ended.
    pub fn is_ended(&self) -> bool {
        self.end.state().0
    }
}

#[pymethods]
impl Task {
    /// Waits until it ends, or at most so many seconds; whether it has ended.
    fn wait(&self, py: Python<'_>, seconds: f64) -> bool {
        let limit = Duration::try_from_secs_f64(seconds).map_or(MOST_WAIT, |s| s.min(MOST_WAIT));
        py.detach(|| {
            let state = self.end.state();
            let waits = self
                .end
                .came
                .wait_timeout_while(state, limit, |state| !state.0);
            waits.unwrap_or_else(PoisonError::into_inner).0.0
        })
    }

    /// What it came to, once: raises why there is nothing.
    fn result<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let came = self.end.state().1.take();
        let nothing = || Err(Failure::usage("there is no result to take"));
        match came.unwrap_or_else(nothing) {
            Ok(outcome) => outcome(py),
            Err(failure) => Err(failure.raise(py)),
        }
    }

    /// Asks it to stop, and gives up what has nothing to put in order; whether that was all of it.
    fn stop(&self) -> bool {
        self.stop.request();
        let is_idle = self.stop.listeners() == 0;
        if is_idle {
            self.abort.abort();
        }
        is_idle
    }

    /// The stage that is under way: number, name, unit, done, all, workers.
    fn stage(&self) -> Option<Stage> {
        self.told.stage()
    }

    /// Lines for the user since the last call, and whether each is a warning.
    fn lines(&self) -> Vec<(bool, String)> {
        self.told.lines()
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.is_ended() {
            self.stop.request();
        }
    }
}
