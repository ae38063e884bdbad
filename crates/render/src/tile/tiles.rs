//! Many tiles, one after another and at a time: on devices that stay open, with reference orbits that are kept.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use colour::Needs;
use farm_queue::redis::ConnectOptions;
use fractal::BackendChoice;
use tokio::sync::watch;

use super::kept::{Reference, References};
use super::tile::{MAX_SAMPLES, TileError};
use crate::deed::Deed;
use crate::error::RenderError;
use crate::picture::Picture;
use crate::plan::{Place, RenderPlan};
use crate::prepare::orbit;
use crate::progress::{Progress, Silent};
use crate::queue::Queue;
use crate::queue::open::OpenQueue;
use crate::render::render_on;
use crate::report::Report;
use crate::stop::Stop;

/// The weight of tiles on a farm: workers take their strips first, and all others are served meanwhile.
const PRIORITY: f64 = 1000.0;

/// What renders tiles; ends with the [`Stop`] that it was opened with.
pub struct Tiles {
    queue: Queue,
    place: Place,
    backend: BackendChoice,
    references: Arc<Mutex<References>>,
    /// Held by whoever makes a reference: those who want the same one wait for it.
    making: Arc<tokio::sync::Mutex<()>>,
    ended: watch::Receiver<Option<String>>,
}

/// A tile, and what is said of it.
#[derive(Debug)]
pub struct Tile {
    /// Its measures.
    pub picture: Picture,
    /// How it went.
    pub report: Report,
    /// Values at the palette's ends, in pixels; those of its own colours where they say them.
    pub range: (f64, f64),
    /// What it was computed by.
    pub reference: ReferenceKind,
    /// Whether its pixels are deltas from a reference orbit.
    pub deltas: bool,
    /// The period of its reference orbit, where that has one.
    pub period: Option<u64>,
}

/// Why there is no tile.
#[derive(Debug, thiserror::Error)]
pub enum TilesError {
    /// This one cannot be.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// There will be no more of them.
    #[error("no more tiles: {0}")]
    Ended(String),
}

/// What a tile was computed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// No reference, as a render of it: pixels are iterated plainly.
    None,
    /// The reference of this very view, as a render of it has it: the same bytes.
    Own,
    /// The reference of a view nearby, or none where nobody has checked yet whether doubles suffice: good enough to look at.
    Near,
}

/// Which reference a tile may be computed with.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// Its own alone: the bytes of a render.
    Own,
    /// One that is there, if it is near enough; otherwise that of this plan, of which the tile is a smaller picture.
    Any(&'a RenderPlan),
}

impl Tiles {
    /// Opens the devices of `place`, of the kinds that `backend` allows. They stay open until `stop` comes.
    ///
    /// # Errors
    /// When no device can be opened, or `stop` comes first.
    pub async fn open(
        place: Place,
        backend: BackendChoice,
        progress: &dyn Progress,
        stop: &Stop,
    ) -> Result<Self, RenderError> {
        let opened = OpenQueue::open(&place, backend, progress, pin!(stop.interrupts())).await?;
        Ok(Self::of(opened, place, backend, stop))
    }

    /// The same on a farm, before all that others want of it: with the same reference orbits, and for the same kinds of device.
    ///
    /// # Errors
    /// When the farm cannot be reached, or `stop` comes first.
    pub async fn on_farm(&self, farm: &ConnectOptions, stop: &Stop) -> Result<Self, RenderError> {
        let opened = OpenQueue::open_urgent(farm, PRIORITY, pin!(stop.interrupts())).await?;
        let place = Place::Farm {
            terms: crate::plan::JobTerms::default(),
            farm: Box::new(farm.clone()),
            workers: None,
        };
        Ok(Self {
            references: Arc::clone(&self.references),
            making: Arc::clone(&self.making),
            ..Self::of(opened, place, self.backend, stop)
        })
    }

    fn of(mut opened: OpenQueue, place: Place, backend: BackendChoice, stop: &Stop) -> Self {
        let queue = opened.queue();
        let (tell, ended) = watch::channel(None);
        let ends = stop.interrupts();
        tokio::spawn(async move {
            let why = opened.until_ended(ends).await;
            tell.send_replace(Some(why.to_string()));
            opened.close().await;
        });
        Self {
            queue,
            place,
            backend,
            references: Arc::default(),
            making: Arc::default(),
            ended,
        }
    }

    fn references(&self) -> MutexGuard<'_, References> {
        self.references
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Renders the view of `plan`, whatever place, files and journal it names.
    ///
    /// # Errors
    /// When it is too large, or as of any render.
    pub fn tile<'a>(
        &'a self,
        plan: RenderPlan,
        wanted: Wanted<'a>,
        stop: &'a Stop,
    ) -> Deed<'a, Result<Tile, TilesError>> {
        Box::pin(async move {
            let samples = plan.frame.pixels();
            if samples > MAX_SAMPLES {
                return Err(TileError::TooLarge(samples).into());
            }
            let plan = RenderPlan {
                outputs: Vec::new(),
                keeps: true,
                place: self.place.clone(),
                backend: match plan.backend {
                    BackendChoice::Auto => self.backend,
                    one => one,
                },
                audit: 0,
                journal: None,
                ..plan
            };
            let mut ended = self.ended.clone();
            tokio::select! {
                tile = self.render(plan, wanted, stop) => Ok(tile.map_err(TileError::from)?),
                why = ended.wait_for(Option::is_some) => Err(TilesError::Ended(match why {
                    Ok(why) => why.clone().unwrap_or_default(),
                    Err(_) => "its devices are gone".to_owned(),
                })),
            }
        })
    }

    async fn render(
        &self,
        mut plan: RenderPlan,
        wanted: Wanted<'_>,
        stop: &Stop,
    ) -> Result<Tile, RenderError> {
        let (reference, kind) = self.reference(&plan, wanted, stop).await?;
        if plan.colours.needs() == Needs::Range && plan.colours.range.is_none() {
            let ends = pin!(stop.interrupts());
            let sampled = orbit::sampled_values(&plan, reference.orbit.as_ref(), ends).await?;
            plan.colours.range = Some(plan.colours.in_pixels(sampled.range()));
        }
        let range = plan.colours.ends((0.0, 1.0));
        let rendered = render_on(&self.queue, &plan, reference.orbit.clone(), stop).await?;
        Ok(Tile {
            picture: (rendered.picture).unwrap_or_else(|| unreachable!("the plan keeps it")),
            report: rendered.report,
            range,
            reference: kind,
            deltas: reference.orbit.is_some(),
            period: reference.period(),
        })
    }

    /// The reference that a tile is computed with.
    async fn reference(
        &self,
        plan: &RenderPlan,
        wanted: Wanted<'_>,
        stop: &Stop,
    ) -> Result<(Reference, ReferenceKind), RenderError> {
        if !plan.arithmetic.deltas && !plan.arithmetic.checked {
            return Ok((Reference { orbit: None }, ReferenceKind::None));
        }
        let whole = match wanted {
            Wanted::Own => plan,
            Wanted::Any(whole) => whole,
        };
        if let Some(own) = self.known(whole, plan, wanted) {
            return Ok(own);
        }
        let _making = tokio::select! {
            making = self.making.lock() => making,
            why = stop.interrupts() => return Err(why.into()),
        };
        // Somebody else may have made it meanwhile.
        if let Some(own) = self.known(whole, plan, wanted) {
            return Ok(own);
        }
        let orbit = orbit::reference(
            &RenderPlan {
                place: self.place.clone(),
                ..whole.clone()
            },
            &Silent,
            stop.interrupts(),
        )
        .await?;
        let reference = Reference { orbit };
        self.references().keep(whole, reference.clone());
        let kind = kind_of(&reference, whole, plan);
        Ok((reference, kind))
    }

    /// A reference that is there.
    fn known(
        &self,
        whole: &RenderPlan,
        plan: &RenderPlan,
        wanted: Wanted<'_>,
    ) -> Option<(Reference, ReferenceKind)> {
        let mut references = self.references();
        if let Some(own) = references.own(whole) {
            let kind = kind_of(&own, whole, plan);
            return Some((own, kind));
        }
        if matches!(wanted, Wanted::Own) {
            return None;
        }
        if plan.arithmetic.checked {
            // Whether doubles suffice is for the picture that stays.
            return Some((Reference { orbit: None }, ReferenceKind::Near));
        }
        let near = references.near(plan)?;
        Some((near, ReferenceKind::Near))
    }
}

/// What a tile of `plan` is by the reference that was made for the view of `whole`.
fn kind_of(reference: &Reference, whole: &RenderPlan, plan: &RenderPlan) -> ReferenceKind {
    match reference.orbit {
        None => ReferenceKind::None,
        Some(_) if whole.frame == plan.frame => ReferenceKind::Own,
        Some(_) => ReferenceKind::Near,
    }
}
