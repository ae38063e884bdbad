//! How a command fails: in one line, and with a kind that decides the exit status.

use std::fmt::Display;

use farm_queue::QueueError;
use farm_worker::farm_args::FarmArgsError;
use farm_worker::usage::Misuse;
use requests::plan::refused::PlanError;
use requests::{Error, ErrorKind};
use web::ServeError;
use world::error::with_causes;
use world::{NetworkError, WorldError};

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    line: String,
    kind: ErrorKind,
}

impl Failure {
    /// Of a kind.
    pub fn new(kind: ErrorKind, line: impl Display) -> Self {
        Self {
            line: line.to_string(),
            kind,
        }
    }

    /// The user's mistake.
    pub fn usage(line: impl Display) -> Self {
        Self::new(ErrorKind::Usage, line)
    }

    /// Anything else, with its causes.
    pub fn failed(error: impl Display) -> Self {
        Self::new(ErrorKind::Failed, format!("{error:#}"))
    }

    /// That the user or the system asked to stop, while something was under way.
    pub fn interrupted(while_doing: Option<String>) -> Self {
        let line = match while_doing {
            Some(what) => format!("stopped while {what}: interrupted"),
            None => "interrupted".to_owned(),
        };
        Self::new(ErrorKind::Interrupted, line)
    }

    /// Words, the cause last.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// What decides the exit status.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), with_causes(&error))
    }
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        Error::from(error).into()
    }
}

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        Error::from(error).into()
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Error::from(error).into()
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let kind = match error {
            ServeError::Jobs(_) | ServeError::Settings(_) | ServeError::Tls(_) => ErrorKind::Usage,
            ServeError::Listen { .. } | ServeError::Random(_) | ServeError::Render(_) => {
                ErrorKind::Failed
            }
        };
        Self::new(kind, with_causes(&error))
    }
}

/// Errors that are the user's mistake, and errors that are not.
macro_rules! from_errors {
    ($($kind:ident: $($error:ty),*;)*) => {
        $($(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(ErrorKind::$kind, with_causes(&error))
            }
        })*)*
    };
}

from_errors! {
    Usage: Misuse, FarmArgsError, WorldError;
    Failed: disk::WriteError;
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(error)
    }
}
