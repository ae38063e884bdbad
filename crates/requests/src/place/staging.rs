//! What a placing asks for is made ready: a network is booted where there is one, and shut down in the end.

use render::Stop;
use render::plan::Place;
use render::progress::{Event, Progress};
use render::stop::Hold;
use world::Stage;

use super::placing::Placing;
use crate::error::Error;

/// A place that is ready.
pub struct Staged {
    /// Where.
    pub place: Place,
    stage: Option<Stage>,
    /// What was booted is shut down again, whatever comes.
    _hold: Hold,
}

impl Staged {
    /// Boots the network of `placing`, where it has one, until `stop` comes.
    ///
    /// # Errors
    /// When no target could be booted; nothing that was booted runs any more then.
    pub async fn ready(
        placing: Placing,
        progress: &dyn Progress,
        stop: &Stop,
    ) -> Result<Self, Error> {
        let hold = stop.hold();
        let Some(network) = placing.network else {
            return Ok(Self {
                place: placing.place,
                stage: None,
                _hold: hold,
            });
        };
        let (stage, booted) = Stage::boot(network, stop.requested()).await?;
        let all = booted.targets.len();
        let there = all - booted.failed().count();
        let failures = booted.failures();
        progress.tell(Event::Note(&format!(
            "{there} of {all} targets serve{failures}"
        )));
        Ok(Self {
            place: Place::Farm {
                farm: Box::new(booted.farm),
                workers: placing.workers,
                terms: placing.terms,
            },
            stage: Some(stage),
            _hold: hold,
        })
    }

    /// Whether its farm lasts no longer than this.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.stage.as_ref().is_some_and(Stage::has_own_redis)
    }

    /// Shuts down what was booted for it.
    pub async fn end(self) {
        if let Some(stage) = self.stage {
            stage.end().await;
        }
    }
}
