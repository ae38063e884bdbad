//! Key frames that are not there yet: one job each, several under way at once, in the order in which frames need them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use colour::{Distribution, Needs};
use farm_queue::SharedOrbit;
use farm_worker::Fault;
use fractal::Measure;
use render::job::build;
use render::plan::Place;
use render::prepare::orbit;
use render::queue::Queue;
use render::render::render_on;
use render::{CollectError, Event, Progress, RenderError, RenderPlan, Report, Stop};
use tokio::task::JoinSet;

use super::folder::{Folder, FolderError, Record};
use crate::error::ZoomError;
use crate::plan::plan::ZoomPlan;

/// Bytes of key frames that are under way at once, and how many at least and at most: in process, where a second one
/// fills the gap at the end of the first, and on a farm, where one may be too small for all workers.
const UNDER_WAY_BYTES: u64 = 256 << 20;
const IN_PROCESS: (u64, u64) = (1, 2);
const ON_FARM: (u64, u64) = (2, 32);
/// Key frames of which values are sampled.
const SAMPLED: u32 = 24;

/// What becomes known of key frames.
#[derive(Debug)]
pub enum News {
    /// What is known of the values of the whole sequence; before all else.
    Values(Box<Distribution>),
    /// A key frame is finished; in the order of frames.
    Finished(u32, Record),
}

/// Key frames to make.
pub struct Making<'a> {
    /// The whole plan.
    pub plan: &'a ZoomPlan,
    /// Where they go.
    pub folder: &'a Arc<Folder>,
    /// All of them in order, with the records of those that are there.
    pub keys: Vec<(u32, Option<Record>)>,
    /// Who is told.
    pub news: &'a SyncSender<News>,
    /// Told of every key frame.
    pub progress: &'a dyn Progress,
}

impl Making<'_> {
    fn render_plan(&self, depth: u32) -> Result<RenderPlan, RenderError> {
        let file = |measure| self.folder.key(depth, measure);
        self.plan.key(depth, file)
    }

    /// The reference orbit: that of the deepest key frame, which serves them all. An orbit that ends where the
    /// deepest view's period does ends rightly for every wider view of the same centre: what the image of a view
    /// has to reach there grows with the view.
    async fn orbit(
        &self,
        ends: Pin<&mut impl Future<Output = CollectError>>,
    ) -> Result<Option<SharedOrbit>, RenderError> {
        let deepest = self.keys.iter().map(|(depth, _)| *depth).min().unwrap_or(0);
        orbit::reference(&self.render_plan(deepest)?, self.progress, ends).await
    }

    /// What colours have to know of the whole sequence, where it is known: nothing, or what was sampled before.
    #[must_use]
    pub fn known_values(&self) -> Option<Distribution> {
        match self.plan.colours.needs() {
            Needs::Nothing => Some(Distribution::new()),
            Needs::Range if self.plan.colours.range.is_some() => Some(Distribution::new()),
            _ => self.folder.values(self.plan.colours.measure()),
        }
    }

    /// The same from samples of key frames spread over the sequence, and noted.
    async fn sampled_values(
        &self,
        orbit: Option<&SharedOrbit>,
        mut ends: Pin<&mut impl Future<Output = CollectError>>,
    ) -> Result<Distribution, ZoomError> {
        let (deepest, shallowest) = self.plan.keys();
        let count = SAMPLED.min(shallowest - deepest + 1);
        let mut values = Distribution::new();
        for sample in 0..count {
            let depth = deepest + (shallowest - deepest) * sample / (count - 1).max(1);
            let plan = self.render_plan(depth)?;
            let orbit = orbit.filter(|_| plan.arithmetic.deltas);
            values.merge(&orbit::sampled_values(&plan, orbit, ends.as_mut()).await?);
        }
        self.folder
            .note_values(self.plan.colours.measure(), &values)?;
        Ok(values)
    }

    /// Tells of all key frames, which are there.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn tell_all(&self, values: Distribution) -> Result<(), CollectError> {
        self.begin(values).map(drop)
    }

    /// Tells of the values, and of all that is finished up to the first gap.
    fn begin(&self, values: Distribution) -> Result<Order<'_>, CollectError> {
        (self.news.send(News::Values(Box::new(values)))).map_err(|_| CollectError::Output)?;
        let mut order = Order {
            keys: self.keys.clone().into_iter(),
            next: None,
            early: BTreeMap::new(),
            news: self.news,
            progress: self.progress,
        };
        order.tell()?;
        Ok(order)
    }

    /// How many key frames may be under way.
    fn under_way(&self) -> usize {
        let (width, height) = self.plan.sequence.key;
        let planes = self.plan.sequence.measures().count() as u64;
        let bytes = u64::from(width) * u64::from(height) * 4 * planes;
        let (least, most) = match self.plan.place {
            Place::InProcess { .. } => IN_PROCESS,
            Place::Farm { .. } => ON_FARM,
        };
        (UNDER_WAY_BYTES / bytes.max(1)).clamp(least, most) as usize
    }
}

/// Tells who waits of all that is finished up to the first gap.
struct Order<'a> {
    keys: std::vec::IntoIter<(u32, Option<Record>)>,
    next: Option<(u32, Option<Record>)>,
    early: BTreeMap<u32, Record>,
    news: &'a SyncSender<News>,
    progress: &'a dyn Progress,
}

impl Order<'_> {
    fn tell(&mut self) -> Result<(), CollectError> {
        loop {
            self.next = self.next.take().or_else(|| self.keys.next());
            let Some((depth, known)) = &mut self.next else {
                return Ok(());
            };
            let Some(record) = known.take().or_else(|| self.early.remove(depth)) else {
                return Ok(());
            };
            let depth = *depth;
            self.next = None;
            self.progress.tell(Event::KeyFrameDone);
            // Who is told has ended early, and says why.
            (self.news.send(News::Finished(depth, record))).map_err(|_| CollectError::Output)?;
        }
    }
}

impl Making<'_> {
    /// Makes those that are missing, and samples the values of the sequence where they are not `known`; `ends` ends it
    /// before its time. The reports of the renders.
    ///
    /// # Errors
    /// As of any render, or when nobody listens any more.
    pub async fn run(
        self,
        queue: &Queue,
        known: Option<Distribution>,
        mut ends: Pin<&mut impl Future<Output = CollectError>>,
    ) -> Result<Vec<Report>, ZoomError> {
        let orbit = self.orbit(ends.as_mut()).await?;
        let values = match known {
            Some(values) => values,
            None => self.sampled_values(orbit.as_ref(), ends.as_mut()).await?,
        };
        let missing = self.keys.iter().filter(|(_, record)| record.is_none());
        let mut missing: Vec<u32> = missing.map(|(depth, _)| *depth).collect();
        missing.reverse();
        let most = self.under_way();
        let mut order = self.begin(values)?;
        let stop = Stop::new();
        let mut jobs: JoinSet<Result<(u32, Record, Report), ZoomError>> = JoinSet::new();
        let mut reports = Vec::new();
        let why: ZoomError = loop {
            while jobs.len() < most
                && let Some(depth) = missing.pop()
            {
                let plan = self.render_plan(depth)?;
                let orbit = orbit.clone().filter(|_| plan.arithmetic.deltas);
                jobs.spawn(key_frame(
                    plan,
                    depth,
                    orbit,
                    queue.clone(),
                    Arc::clone(self.folder),
                    stop.clone(),
                ));
            }
            tokio::select! {
                why = &mut ends => break why.into(),
                job = jobs.join_next() => match job {
                    None => return Ok(reports),
                    Some(Ok(Ok((depth, record, report)))) => {
                        order.early.insert(depth, record);
                        reports.push(report);
                        if let Err(error) = order.tell() {
                            break error.into();
                        }
                    }
                    Some(Ok(Err(error))) => break error,
                    Some(Err(panic)) => {
                        break Fault::of_task("the task that makes a key frame", panic).into();
                    }
                },
            }
        };
        // The others end in order: their jobs are taken off the queue.
        stop.request();
        while jobs.join_next().await.is_some() {}
        Err(why)
    }
}

/// Makes one key frame; until it is told to stop.
async fn key_frame(
    plan: RenderPlan,
    depth: u32,
    orbit: Option<SharedOrbit>,
    queue: Queue,
    folder: Arc<Folder>,
    stop: Stop,
) -> Result<(u32, Record, Report), ZoomError> {
    let report = render_on(&queue, &plan, orbit, &stop).await?.report;
    let iterations = report.iterations_total;
    let has_distances = plan.frame.measures.contains(Measure::Distance);
    let note = move || folder.note(depth, has_distances, iterations, build());
    let record = tokio::task::spawn_blocking(note).await;
    let record =
        record.map_err(|error| Fault::of_task("the thread that notes a key frame", error))??;
    Ok((depth, record, report))
}

/// What is there of the key frames of a plan, in the order of its frames.
#[must_use]
pub fn there(plan: &ZoomPlan, folder: &Folder) -> Vec<(u32, Option<Record>)> {
    let (deepest, shallowest) = plan.keys();
    let build = (!plan.takes_any_build).then(build);
    let mut keys: Vec<_> = (deepest..=shallowest)
        .map(|depth| {
            let measures = plan.sequence.measures();
            (depth, folder.finished(depth, measures, build))
        })
        .collect();
    if !plan.reverse {
        keys.reverse();
    }
    keys
}

/// Renders of at most `most` of the missing `keys`, evenly chosen, and how many missing ones each stands for.
///
/// # Errors
/// When a frame is over a limit.
pub fn some_missing(
    plan: &ZoomPlan,
    folder: &Folder,
    keys: &[(u32, Option<Record>)],
    most: usize,
) -> Result<(Vec<RenderPlan>, f64), RenderError> {
    let missing = keys.iter().filter(|(_, record)| record.is_none());
    let missing: Vec<u32> = missing.map(|(depth, _)| *depth).collect();
    let step = missing.len().div_ceil(most).max(1);
    let plans = missing.iter().step_by(step);
    let plans: Vec<RenderPlan> = plans
        .map(|depth| plan.key(*depth, |measure| folder.key(*depth, measure)))
        .collect::<Result<_, _>>()?;
    let each = missing.len() as f64 / plans.len().max(1) as f64;
    Ok((plans, each))
}

/// Where key frames go that nobody named a folder for.
///
/// # Errors
/// When there is no place for them.
pub fn temporary() -> Result<PathBuf, FolderError> {
    let folder = tempfile::Builder::new()
        .prefix("mandelfarm-keys-")
        .tempdir();
    Ok(folder.map_err(FolderError::NoPlace)?.keep())
}
