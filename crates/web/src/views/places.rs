//! Where views are computed: by a farm's workers, as jobs that come before all others, and on this machine where there is
//! none, or where those are not soon enough.

use std::sync::Arc;
use std::time::Duration;

use farm_queue::JobState;
use farm_queue::redis::ConnectOptions;
use render::tile::tiles::{Tile, Tiles, TilesError, Wanted};
use render::{RenderPlan, Stop};
use requests::place::placing::serves;
use tokio::sync::OnceCell;

use crate::figures::sampler::Sampler;

/// What a farm's workers have for a view before it is computed here as well: whoever is first answers.
const HEAD_START: Duration = Duration::from_millis(800);
/// The same of a farm that has other jobs, whose strips are under way first.
const BUSY_HEAD_START: Duration = Duration::from_millis(300);
/// Samples below which a view is computed here: it is there before a farm has heard of it.
const LEAST_SAMPLES: u64 = 1 << 15;

/// Strips of a view on a farm, about, and rows of one at least.
const MOST_STRIPS: u32 = 32;
const LEAST_ROWS: u32 = 16;

/// Where views are computed.
pub struct Views {
    here: Arc<Tiles>,
    farm: Option<FarmViews>,
    stop: Stop,
}

struct FarmViews {
    options: ConnectOptions,
    figures: Arc<Sampler>,
    /// Opened once workers were seen.
    tiles: OnceCell<Arc<Tiles>>,
}

/// Who computed a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// This machine.
    Here,
    /// A farm's workers.
    Farm,
}

impl Maker {
    /// It in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Farm => "farm",
        }
    }
}

impl Views {
    /// On this machine by `here`, and by the workers of the farm of `options` as long as `figures` sees some.
    #[must_use]
    pub fn new(
        here: Tiles,
        options: Option<ConnectOptions>,
        figures: Arc<Sampler>,
        stop: Stop,
    ) -> Self {
        let farm = options.map(|options| FarmViews {
            options,
            figures,
            tiles: OnceCell::new(),
        });
        Self {
            here: Arc::new(here),
            farm,
            stop,
        }
    }

    /// What computes on this machine.
    #[must_use]
    pub fn here(&self) -> &Tiles {
        &self.here
    }

    /// Computes the view of `plan`; near enough for a view of which it is a part where `whole` says that.
    ///
    /// # Errors
    /// When it cannot be computed on this machine, or `stop` comes.
    pub async fn view(
        &self,
        plan: RenderPlan,
        whole: Option<RenderPlan>,
        stop: &Stop,
    ) -> Result<(Tile, Maker), TilesError> {
        let farm = match plan.frame.pixels() >= LEAST_SAMPLES {
            true => self.farm().await,
            false => None,
        };
        let Some((farm, head_start)) = farm else {
            let tile = self.here.tile(plan, wanted(whole.as_ref()), stop).await?;
            return Ok((tile, Maker::Here));
        };
        // Each has a stop of its own: whoever is late is stopped, and puts itself in order.
        let (there, here) = (Stopped::new(stop), Stopped::new(stop));
        let mut of_farm = there.run(farm, in_many_strips(plan.clone()), whole.clone());
        tokio::select! {
            tile = &mut of_farm => if let Ok(Ok(tile)) = tile {
                return Ok((tile, Maker::Farm));
            },
            () = tokio::time::sleep(head_start) => {
                let own = here.run(Arc::clone(&self.here), plan, whole);
                tokio::pin!(own);
                tokio::select! {
                    tile = &mut of_farm => if let Ok(Ok(tile)) = tile {
                        return Ok((tile, Maker::Farm));
                    },
                    tile = &mut own => return ended(tile),
                }
                return ended(own.await);
            }
        }
        // The farm could not: nobody is told as long as this machine can.
        ended(here.run(Arc::clone(&self.here), plan, whole).await)
    }

    /// What computes on the farm, where that has workers, and the head start that it is given.
    async fn farm(&self) -> Option<(Arc<Tiles>, Duration)> {
        let farm = self.farm.as_ref()?;
        let (has_workers, is_busy) = {
            let taken = farm.figures.taken();
            let seen = taken.farm.as_ref()?;
            let is_busy = seen.jobs.iter().any(|job| job.state == JobState::Running);
            (seen.workers.iter().any(serves), is_busy)
        };
        let head_start = if is_busy { BUSY_HEAD_START } else { HEAD_START };
        if !has_workers {
            return None;
        }
        let opened = farm.tiles.get_or_try_init(async || {
            let tiles = self.here.on_farm(&farm.options, &self.stop).await;
            tiles.map(Arc::new)
        });
        match tokio::time::timeout(HEAD_START, opened).await {
            Ok(Ok(tiles)) => Some((Arc::clone(tiles), head_start)),
            Ok(Err(error)) => {
                tracing::warn!(%error, "views are computed here: the farm does not answer");
                None
            }
            Err(_) => None,
        }
    }
}

type Running = tokio::task::JoinHandle<Result<Tile, TilesError>>;

/// A computation that ends with whoever waits for it.
struct Stopped {
    own: Stop,
    whose: Stop,
}

impl Stopped {
    fn new(whose: &Stop) -> Self {
        Self {
            own: Stop::new(),
            whose: whose.clone(),
        }
    }

    fn run(&self, tiles: Arc<Tiles>, plan: RenderPlan, whole: Option<RenderPlan>) -> Running {
        let (own, whose) = (self.own.clone(), self.whose.clone());
        tokio::spawn(async move {
            let tile = tiles.tile(plan, wanted(whole.as_ref()), &own);
            tokio::pin!(tile);
            tokio::select! {
                tile = &mut tile => return tile,
                _ = whose.requested() => own.request(),
            }
            tile.await
        })
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.own.request();
    }
}

/// The same in strips enough for many workers; its bytes do not depend on them.
fn in_many_strips(mut plan: RenderPlan) -> RenderPlan {
    let rows = (plan.frame.height / MOST_STRIPS).max(LEAST_ROWS);
    plan.strips.strip_rows = plan.strips.strip_rows.min(rows);
    plan
}

fn wanted(whole: Option<&RenderPlan>) -> Wanted<'_> {
    whole.map_or(Wanted::Own, Wanted::Any)
}

/// What came of a computation on this machine.
fn ended(
    tile: Result<Result<Tile, TilesError>, tokio::task::JoinError>,
) -> Result<(Tile, Maker), TilesError> {
    let tile = tile.map_err(|error| TilesError::Ended(error.to_string()))??;
    Ok((tile, Maker::Here))
}
