//! Failures as exceptions: one line, the same that the program says.

use std::fmt::Display;

use mandelfarm::{Error, ErrorKind, PaintError, PlanError, WriteError, with_causes};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Why a task has no result.
#[derive(Clone, Debug)]
pub struct Failure {
    line: String,
    kind: ErrorKind,
}

impl Failure {
    /// Of a kind.
    fn new(kind: ErrorKind, line: impl Display) -> Self {
        Self {
            line: line.to_string(),
            kind,
        }
    }

    /// The caller's mistake.
    pub fn usage(line: impl Display) -> Self {
        Self::new(ErrorKind::Usage, line)
    }

    /// Anything else.
    pub fn failed(line: impl Display) -> Self {
        Self::new(ErrorKind::Failed, line)
    }

    /// As the package's exception of its kind.
    pub fn raise(self, py: Python<'_>) -> PyErr {
        let name = match self.kind {
            ErrorKind::Usage => "UsageError",
            ErrorKind::Interrupted => "Stopped",
            ErrorKind::Failed => "Error",
        };
        let class = (py.import("mandelfarm._errors")).and_then(|module| module.getattr(name));
        match class.and_then(|class| class.call1((&self.line,))) {
            Ok(exception) => PyErr::from_value(exception),
            // A broken installation: its line still arrives.
            Err(_) => PyRuntimeError::new_err(self.line),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            line: with_causes(&error),
            kind: error.kind(),
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Error::from(error).into()
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::failed(with_causes(&error))
    }
}

impl From<PaintError> for Failure {
    fn from(error: PaintError) -> Self {
        Self::usage(error)
    }
}
