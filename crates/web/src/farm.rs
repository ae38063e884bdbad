//! A farm as it is looked at and steered: its jobs and workers, asked for once a second for all who watch.

use std::sync::Arc;
use std::time::Duration;

use farm_queue::redis::control::{JobDetails, JobSummary, OrderOutcome, WorkerSummary};
use farm_queue::redis::{ConnectOptions, RedisControl};
use farm_queue::{JobId, QueueError};
use hyper::StatusCode;
use hyper::body::Bytes;
use requests::place::placing::serves;
use requests::with_causes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::answer::Problem;
use crate::limits::MOST_ORDERED;

/// How often the farm is asked, as long as somebody watches.
const LOOK: Duration = Duration::from_secs(1);

/// A farm.
pub struct Farm {
    options: ConnectOptions,
    /// How it stands, as an event of JSON for all who watch; nothing where nobody has looked yet.
    seen: watch::Sender<Bytes>,
}

/// How a farm stands.
#[derive(Debug, Serialize)]
pub struct Seen {
    /// Its jobs, the most urgent first.
    pub jobs: Vec<JobSummary>,
    /// Its workers.
    pub workers: Vec<WorkerSummary>,
    /// Why it cannot be asked, where it cannot.
    error: Option<String>,
}

/// What to do with jobs or workers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FarmOrder {
    deed: FarmDeed,
    /// Names of jobs, or of workers.
    #[schema(min_items = 1, max_items = 1000)]
    names: Vec<String>,
    /// The weight of a job, with `prioritise`.
    #[schema(minimum = 0.01, maximum = 1e6)]
    priority: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum FarmDeed {
    Pause,
    Resume,
    Cancel,
    Retry,
    Prioritise,
    Drain,
    Forgive,
}

/// What became of an order for one name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ordered {
    name: String,
    /// Why nothing was done, where nothing was.
    error: Option<String>,
}

/// Workers that would take part in a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crew {
    /// How many.
    pub workers: usize,
    /// Iterations a second of those that have measured themselves, together.
    pub speed: u64,
    /// How many have not.
    pub unmeasured: usize,
}

impl Farm {
    /// The farm of an address; nothing is asked yet.
    #[must_use]
    pub fn new(options: ConnectOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            seen: watch::Sender::default(),
        })
    }

    /// How it stands from now on.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Bytes> {
        self.seen.subscribe()
    }

    /// Asks the farm again and again while somebody watches.
    pub async fn look(self: Arc<Self>) {
        let mut control = None;
        loop {
            if self.seen.receiver_count() > 0 {
                let seen = self.once(&mut control).await.unwrap_or_else(|error| {
                    control = None;
                    Seen {
                        jobs: Vec::new(),
                        workers: Vec::new(),
                        error: Some(one_line(&error)),
                    }
                });
                let seen = serde_json::to_vec(&seen).unwrap_or_default();
                let event = [&b"data: "[..], &seen, b"\n\n"].concat();
                self.seen.send_replace(Bytes::from(event));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Asks it once, over a connection that is kept in `control`.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn once(&self, control: &mut Option<RedisControl>) -> Result<Seen, QueueError> {
        let control = match control {
            Some(control) => control,
            None => control.insert(RedisControl::connect(self.options.clone()).await?),
        };
        Ok(Seen {
            jobs: control.jobs().await?,
            workers: control.workers().await?,
            error: None,
        })
    }

    /// The workers that would take part in a job now.
    ///
    /// # Errors
    /// When the farm cannot be asked.
    pub async fn crew(&self) -> Result<Crew, Problem> {
        let control = RedisControl::connect(self.options.clone()).await?;
        let workers = control.workers().await?;
        let serving: Vec<_> = workers.iter().filter(|worker| serves(worker)).collect();
        let speeds = || serving.iter().map(|worker| worker.record.about.speed);
        Ok(Crew {
            workers: serving.len(),
            speed: speeds().sum(),
            unmeasured: speeds().filter(|speed| *speed == 0).count(),
        })
    }

    /// A job with all that is known of it.
    ///
    /// # Errors
    /// When the farm cannot be asked, or has no such job.
    pub async fn job(&self, name: &str) -> Result<JobDetails, Problem> {
        let unknown = || Problem::new(StatusCode::NOT_FOUND, "no such job on the farm");
        let id = JobId::parse(name).ok_or_else(unknown)?;
        let control = RedisControl::connect(self.options.clone()).await?;
        control.job(&id).await?.ok_or_else(unknown)
    }

    /// Does what an order says, name by name.
    ///
    /// # Errors
    /// When the order makes no sense, or the farm cannot be asked.
    pub async fn order(&self, order: &FarmOrder) -> Result<Vec<Ordered>, Problem> {
        let count = 1..=MOST_ORDERED;
        if !count.contains(&order.names.len()) {
            return Err(Problem::unfit(format!(
                "names: 1 to {MOST_ORDERED} of them"
            )));
        }
        let priority = order.priority.unwrap_or(1.0);
        if !(0.01..=1e6).contains(&priority) {
            return Err(Problem::unfit("priority: a number from 0.01 to 1000000"));
        }
        let control = RedisControl::connect(self.options.clone()).await?;
        let mut ordered = Vec::new();
        for name in &order.names {
            let error = match order.deed {
                FarmDeed::Drain => {
                    let drained = control.drain(name).await?;
                    drained.is_empty().then(|| "no such worker".to_owned())
                }
                FarmDeed::Forgive => {
                    let was_there = control.forgive(name).await?;
                    (!was_there).then(|| "it has no quarantine".to_owned())
                }
                deed => job_order(&control, name, deed, priority).await?,
            };
            let name = name.clone();
            ordered.push(Ordered { name, error });
        }
        Ok(ordered)
    }
}

/// Does something with a job; why not, where it was not done.
async fn job_order(
    control: &RedisControl,
    name: &str,
    deed: FarmDeed,
    priority: f64,
) -> Result<Option<String>, QueueError> {
    let Some(id) = JobId::parse(name) else {
        return Ok(Some("no such job".to_owned()));
    };
    let outcome = match deed {
        FarmDeed::Pause => control.pause(&id).await?,
        FarmDeed::Resume => control.resume(&id).await?,
        FarmDeed::Cancel => control.cancel(&id).await?,
        FarmDeed::Retry => control.retry(&id).await?,
        _ => control.prioritise(&id, priority).await?,
    };
    Ok(match outcome {
        OrderOutcome::Done => None,
        OrderOutcome::NoSuchJob => Some("no such job".to_owned()),
        OrderOutcome::Ended(state) => Some(format!("it is {} already", state.name())),
    })
}

fn one_line(error: &dyn std::error::Error) -> String {
    with_causes(error).replace(char::is_control, " ")
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, one_line(&error))
    }
}
