//! A network for one render: booted where it does not run, and shut down at the end as far as it was booted for it.

use std::path::PathBuf;

use crate::cli::world::{NetworkArgs, StateArgs, WorldArgs};
use crate::plan::Place;

use super::boot::Booted;
use super::{Opened, access, shutdown, tables};

/// A network that is there for a render.
pub struct Stage {
    opened: Opened,
    /// Targets that ran before.
    before: Vec<String>,
    /// Whether nothing ran before, not even the world's own Redis.
    was_empty: bool,
}

/// The network that `args` name; `None` where they name no world.
///
/// # Errors
/// What is wrong with the file, in one line.
pub fn opened(args: &NetworkArgs) -> anyhow::Result<Option<Opened>> {
    let Some(file) = &args.world else {
        return Ok(None);
    };
    let file = Some(PathBuf::from(file)).filter(|file| !file.as_os_str().is_empty());
    let args = WorldArgs {
        file,
        network: args.network.clone(),
        state: StateArgs {
            state: args.state.state.clone(),
        },
        json: false,
    };
    Opened::of(&args).map(Some)
}

impl Stage {
    /// Boots what does not run of a network, until `interrupt` comes, and makes it the place of the render.
    ///
    /// # Errors
    /// One line, when no target could be booted; nothing that was booted runs any more then.
    pub async fn boot(
        opened: Opened,
        place: &mut Place,
        workers: Option<u16>,
        quiet: bool,
        interrupt: impl Future<Output = ()>,
    ) -> anyhow::Result<Self> {
        let known = opened.place.peek()?;
        let was_empty = known.as_ref().is_none_or(|state| state.is_empty());
        let before = known.map_or_else(Vec::new, |state| state.targets.into_keys().collect());
        let booted = opened.boot(false, interrupt).await?;
        if !quiet {
            say(&booted);
        }
        *place = Place::Farm {
            farm: Box::new(booted.farm),
            workers,
        };
        Ok(Self {
            opened,
            before,
            was_empty,
        })
    }

    /// Shuts down what was booted for the render.
    pub async fn end(self) {
        let ended = async {
            let mut held = self.opened.place.hold(&self.opened.world)?;
            if self.was_empty {
                let farm = access::of_submitter(&self.opened.world).unwrap_or_default();
                return shutdown::shut_down(held, farm).await.map(drop);
            }
            let is_new = |name: &str| !self.before.iter().any(|known| known == name);
            shutdown::stop_workers(&mut held, is_new).await.map(drop)
        };
        if let Err(error) = ended.await {
            crate::say(&format!(
                "warning: what was booted may still run: {error:#}; see: submitter world status"
            ));
        }
    }
}

/// What was booted, in one line, and what was not.
fn say(booted: &Booted) {
    let all = booted.targets.len();
    let there = all - booted.failed().count();
    crate::say(&format!(
        "{there} of {all} targets serve{}",
        tables::failures(booted)
    ));
}
