//! Why a request was not carried out.

use farm_queue::QueueError;
use fractal::locate::LocateError;
use pictures::data::DataError;
use render::journal::store::StoreError;
use render::{CollectError, RenderError};
use world::NetworkError;
use zoom::ZoomError;

use crate::plan::refused::PlanError;

/// What went wrong, in one line with its sources.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It contradicts itself.
    #[error("{0}")]
    Misuse(String),
    /// The picture cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The sequence cannot be made.
    #[error(transparent)]
    Zoom(#[from] ZoomError),
    /// The network cannot be booted.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The data cannot be painted.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is no minibrot.
    #[error(transparent)]
    Locate(#[from] LocateError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] StoreError),
    /// The farm cannot be asked.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Something failed in the midst of something else.
    #[error("{what}")]
    Within {
        /// What was under way, or what can be done.
        what: String,
        /// What failed.
        #[source]
        source: Box<Error>,
    },
}

/// What kind of end an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong: nothing was begun.
    Usage,
    /// The user or the system asked to stop.
    Interrupted,
    /// It failed.
    Failed,
}

impl Error {
    /// That it was stopped while it did something.
    pub(crate) fn interrupted() -> Self {
        Self::Render(CollectError::Interrupted.into())
    }

    /// Which kind of end it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Plan(_)
            | Self::Misuse(_)
            | Self::Network(NetworkError::World(_) | NetworkError::Access(_)) => ErrorKind::Usage,
            Self::Queue(error)
            | Self::Render(
                RenderError::Queue(error) | RenderError::Collect(CollectError::Queue(error)),
            )
            | Self::Zoom(ZoomError::Render(
                RenderError::Queue(error) | RenderError::Collect(CollectError::Queue(error)),
            ))
            | Self::Network(NetworkError::Queue(error))
                if is_misuse(error) =>
            {
                ErrorKind::Usage
            }
            Self::Render(error) if error.is_interrupted() => ErrorKind::Interrupted,
            Self::Zoom(error) if error.is_interrupted() => ErrorKind::Interrupted,
            Self::Network(NetworkError::Interrupted) => ErrorKind::Interrupted,
            Self::Within { source, .. } => source.kind(),
            _ => ErrorKind::Failed,
        }
    }
}

/// Whether what a queue says is about the address that it was given.
fn is_misuse(error: &QueueError) -> bool {
    matches!(error, QueueError::Address { .. } | QueueError::Options(_))
}

impl From<disk::WriteError> for Error {
    fn from(error: disk::WriteError) -> Self {
        Self::Render(error.into())
    }
}

impl From<farm_worker::Fault> for Error {
    fn from(fault: farm_worker::Fault) -> Self {
        Self::Render(fault.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_is_the_users_mistake_whoever_finds_it() {
        let error = || QueueError::Address {
            given: "nonsense".to_owned(),
            reason: "no scheme".to_owned(),
        };
        let of_sequence = |error: RenderError| Error::Zoom(error.into());
        for error in [
            Error::from(error()),
            RenderError::from(error()).into(),
            RenderError::from(CollectError::from(error())).into(),
            of_sequence(error().into()),
            of_sequence(CollectError::from(error()).into()),
        ] {
            let within = Error::Within {
                what: "stopped".to_owned(),
                source: Box::new(error),
            };
            assert_eq!(within.kind(), ErrorKind::Usage, "{within:?}");
        }
        let stopped = of_sequence(CollectError::Interrupted.into());
        assert_eq!(stopped.kind(), ErrorKind::Interrupted);
    }
}
