//! A network for one render: booted where it does not run, and shut down with the last render that uses it, as far as
//! it was booted for renders.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::cli::world::{NetworkArgs, StateArgs, WorldArgs};
use crate::plan::Place;

use super::boot::Booted;
use super::users::User;
use super::{Opened, Whose, access, shutdown, tables};

/// A network that is there for a render.
pub struct Stage {
    opened: Opened,
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
        let booted = opened.boot(Whose::Renders, false, interrupt).await?;
        if !quiet {
            say(&booted);
        }
        *place = Place::Farm {
            farm: Box::new(booted.farm),
            workers,
        };
        Ok(Self { opened })
    }

    /// Shuts down what was booted for renders, where this is the last that uses the network.
    pub async fn end(self) {
        let ended = async {
            let mut held = self.opened.place.hold_when_free(&self.opened.world).await?;
            let this = User::this_process();
            held.change(|state| state.users.retain(|user| Some(user) != this.as_ref()))?;
            if held.users() > 0 {
                return Ok(());
            }
            let targets = &held.state.targets;
            if targets.values().all(|process| process.for_renders) {
                let farm = access::of_submitter(&self.opened.world).unwrap_or_default();
                return shutdown::shut_down(held, farm).await.map(drop);
            }
            let ending = (targets.iter())
                .filter(|(_, process)| process.for_renders)
                .map(|(name, _)| name.clone());
            let ending: HashSet<String> = ending.collect();
            shutdown::stop_workers(&mut held, |name| ending.contains(name)).await?;
            anyhow::Ok(())
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
