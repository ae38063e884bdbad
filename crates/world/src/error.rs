//! Why a network cannot be booted, looked at or shut down, in one line.

use farm_queue::QueueError;
use farm_worker::farm_args::FarmArgsError;

use crate::file::world::WorldError;
use crate::machine::host::HostError;
use crate::machine::start::StartError;
use crate::network::state::StateError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The world's file is the user's mistake.
    #[error(transparent)]
    World(#[from] WorldError),
    /// What is known of the network cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// A machine cannot be reached, or fails.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A process cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The farm's Redis cannot be reached.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The way into the farm is none.
    #[error(transparent)]
    Access(#[from] FarmArgsError),
    /// A file is too long, or no text.
    #[error(transparent)]
    Read(#[from] disk::limited::ReadError),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A task of this process ended by a fault.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    /// The user or the system asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Something failed, in words.
    #[error("{0}")]
    Failed(String),
    /// Something failed in the midst of something else.
    #[error("{what}")]
    Within {
        /// What was under way.
        what: String,
        /// What failed.
        #[source]
        source: Box<NetworkError>,
    },
}

impl NetworkError {
    /// All of it in one line, the cause last.
    #[must_use]
    pub fn line(&self) -> String {
        with_causes(self)
    }
}

/// An error with all of its causes, in one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    line
}

/// Results of this crate.
pub type Result<T, E = NetworkError> = std::result::Result<T, E>;

/// Says what was under way when something failed.
pub(crate) trait Context<T> {
    /// In words.
    fn context(self, what: impl Into<String>) -> Result<T>
    where
        Self: Sized,
    {
        let what = what.into();
        self.with_context(|| what)
    }

    /// In words that are made where they are needed.
    fn with_context<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<NetworkError>> Context<T> for std::result::Result<T, E> {
    fn with_context<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| NetworkError::Within {
            what: what().into(),
            source: Box::new(error.into()),
        })
    }
}

impl<T> Context<T> for Option<T> {
    fn with_context<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T> {
        self.ok_or_else(|| NetworkError::Failed(what().into()))
    }
}

/// Ends a function with [`NetworkError::Failed`].
macro_rules! fail {
    ($($words:tt)*) => {
        return Err($crate::error::NetworkError::Failed(format!($($words)*)))
    };
}
pub(crate) use fail;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_said_once() {
        let io = StateError::Io {
            path: "x".into(),
            reason: std::io::Error::other("the disk is gone"),
        };
        let error = Err::<(), _>(io).context("booting").unwrap_err();
        assert_eq!(error.line(), "booting: x: the disk is gone");
    }
}
