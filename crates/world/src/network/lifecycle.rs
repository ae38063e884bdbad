//! What happens to a network: it is booted, looked at and shut down.

use std::pin::pin;
use std::time::Instant;

use super::boot::{self, Booted};
use super::opened::OpenNetwork;
use super::shutdown::{self, Stopped};
use super::state::users::User;
use super::state::{Held, LastBoot, StateError};
use super::status::{self, Status};
use crate::error::{NetworkError, Result};

/// Who booted targets, and so when they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It stays until it is shut down.
    Operators,
    /// It ends with the last render that uses it, as far as no operator booted it.
    Renders,
}

impl Owner {
    fn write(self, held: &mut Held, before: &[String]) -> Result<(), StateError> {
        held.users();
        held.change(|state| match self {
            Self::Operators => {
                for process in state.targets.values_mut() {
                    process.for_renders = false;
                }
            }
            Self::Renders => {
                for (name, process) in &mut state.targets {
                    process.for_renders |= !before.contains(name);
                }
                state.users.extend(User::this_process());
            }
        })
    }
}

impl OpenNetwork {
    /// Boots what does not run. When `interrupt` comes first, or a target fails and all are required, what was booted
    /// is shut down again. Whose it is then, and whether this process uses it, is written down under the same lock.
    ///
    /// # Errors
    /// One line.
    pub async fn boot(
        &self,
        owner: Owner,
        require_all: bool,
        interrupt: impl Future<Output = ()>,
    ) -> Result<Booted> {
        let mut interrupt = pin!(interrupt);
        let mut held = match owner {
            Owner::Operators => self.place().hold(self.world())?,
            Owner::Renders => tokio::select! {
                held = self.place().hold_when_free(self.world()) => held?,
                () = interrupt.as_mut() => return Err(NetworkError::Interrupted),
            },
        };
        let before: Vec<String> = held.state.targets.keys().cloned().collect();
        let was_empty = held.state.is_empty();
        let began = Instant::now();
        let booted = tokio::select! {
            booted = boot::boot(self, &mut held) => Some(booted),
            () = interrupt.as_mut() => None,
        };
        let error = match booted {
            Some(Ok(booted)) => {
                let failed = booted.failed().count();
                if failed == 0 && was_empty {
                    let joined = booted
                        .targets
                        .iter()
                        .filter_map(|target| target.joined.as_ref());
                    self.place().remember(&LastBoot {
                        secs: began.elapsed().as_secs_f64(),
                        speeds: joined.map(|joined| joined.speed).collect(),
                    });
                }
                if failed == 0 || (!require_all && failed < booted.targets.len()) {
                    owner.write(&mut held, &before)?;
                    return Ok(booted);
                }
                let words = booted.failures();
                let all = booted.targets.len();
                NetworkError::Failed(format!("{failed} of {all} targets failed{words}"))
            }
            Some(Err(error)) => error,
            None => NetworkError::Interrupted,
        };
        undo(held, was_empty, &before).await;
        Err(error)
    }

    /// What runs of it.
    ///
    /// # Errors
    /// When its state cannot be read; machines and a Redis that do not answer are part of the report.
    pub async fn status(&self) -> Result<Status> {
        status::status(self).await
    }

    /// Stops all that runs of it; without a way into the farm, too.
    ///
    /// # Errors
    /// When something cannot be stopped: the same command tries again.
    pub async fn shut_down(&self, held: Held) -> Result<Vec<Stopped>> {
        shutdown::shut_down(held, self.farm().unwrap_or_default()).await
    }
}

/// Stops what a boot that failed has started.
async fn undo(mut held: Held, was_empty: bool, before: &[String]) {
    let undone = if was_empty {
        shutdown::shut_down(held, None).await.map(drop)
    } else {
        let is_new = |name: &str| !before.iter().any(|known| known == name);
        shutdown::stop_workers(&mut held, is_new).await.map(drop)
    };
    if let Err(error) = undone {
        tracing::warn!("what was booted may still run: {}", error.line());
    }
}
