//! A network for one render: booted where it does not run, and shut down with the last render that uses it, as far as
//! it was booted for renders.

use std::collections::HashSet;

use super::boot::Booted;
use super::lifecycle::Owner;
use super::opened::OpenNetwork;
use super::shutdown;
use super::state::users::User;
use crate::error::{NetworkError, Result};

/// A network that is there for a render.
pub struct Stage {
    opened: OpenNetwork,
}

impl Stage {
    /// Boots what does not run of a network, until `interrupt` comes.
    ///
    /// # Errors
    /// One line, when no target could be booted; nothing that was booted runs any more then.
    pub async fn boot(
        opened: OpenNetwork,
        interrupt: impl Future<Output = ()>,
    ) -> Result<(Self, Booted)> {
        let booted = opened.boot(Owner::Renders, false, interrupt).await?;
        Ok((Self { opened }, booted))
    }

    /// Whether its farm lasts no longer than it does.
    #[must_use]
    pub fn has_own_redis(&self) -> bool {
        self.opened.has_own_redis()
    }

    /// Shuts down what was booted for renders, where this is the last that uses the network.
    pub async fn end(self) {
        let ended = async {
            let mut held = self
                .opened
                .place()
                .hold_when_free(self.opened.world())
                .await?;
            let this = User::this_process();
            held.change(|state| state.users.retain(|user| Some(user) != this.as_ref()))?;
            if held.users() > 0 {
                return Ok(());
            }
            let targets = &held.state.targets;
            if targets.values().all(|process| process.for_renders) {
                let farm = self.opened.farm().unwrap_or_default();
                return shutdown::shut_down(held, farm).await.map(drop);
            }
            let ending = (targets.iter())
                .filter(|(_, process)| process.for_renders)
                .map(|(name, _)| name.clone());
            let ending: HashSet<String> = ending.collect();
            shutdown::stop_workers(&mut held, |name| ending.contains(name)).await?;
            Ok::<(), NetworkError>(())
        };
        if let Err(error) = ended.await {
            tracing::warn!(
                "what was booted may still run: {}; see: submitter world status",
                error.line()
            );
        }
    }
}
