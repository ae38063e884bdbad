//! A worker's connection to the farm, and the tasks that keep it.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::shared::{Inner, WorkerState};
use crate::job::LEASE;
use crate::protocol::choice::Chooser;
use crate::protocol::failures::Failures;
use crate::protocol::lines;
use crate::protocol::signing::FarmKey;
use crate::queue::QueueError;
use crate::redis::connect::{ConnectOptions, Link, Server, check_server};
use crate::redis::wake::{self, HintCounts};
use crate::status::{WorkerAbout, WorkerFigures};

/// A worker's end of the queue in Redis.
pub struct RedisWorkerQueue {
    pub(super) inner: Arc<Inner>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for RedisWorkerQueue {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl RedisWorkerQueue {
    /// Joins the farm of `options` (an address, at least) as `worker_name`, after checking that the server is fit for it.
    ///
    /// # Errors
    /// What is wrong with the address or the server; nothing within about 3 seconds is an error, too.
    pub async fn connect(
        options: impl Into<ConnectOptions>,
        worker_name: &str,
    ) -> Result<Self, QueueError> {
        Self::connect_with_lease(options, worker_name, LEASE).await
    }

    /// [`Self::connect`] with leases of another length, for tests; all workers of a farm should agree.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_with_lease(
        options: impl Into<ConnectOptions>,
        worker_name: &str,
        lease: Duration,
    ) -> Result<Self, QueueError> {
        let server = Server::parse(&options.into())?;
        let name = lines::worker_name(worker_name);
        if name.trim().is_empty() {
            // Audits and quarantines go by it.
            return Err(QueueError::Options("a worker's name is empty".to_owned()));
        }
        if let Some(own) = server.farm_key().and_then(FarmKey::worker)
            && own != name
        {
            return Err(QueueError::Options(format!(
                "the farm key is that of the worker {own:?}, and this one's name is {name:?}"
            )));
        }
        let control = Link::new(Arc::clone(&server));
        check_server(&control).await?;
        let random = RandomState::new().hash_one(std::process::id());
        // Never used twice: entries of a dead process must not look like this one's.
        let consumer = format!("{name}.{}.{random:016x}", std::process::id());
        let heard = Arc::new(watch::Sender::new(HintCounts::default()));
        let inner = Arc::new(Inner {
            name,
            consumer,
            lease,
            start: Instant::now(),
            control,
            bulk: Link::new(Arc::clone(&server)),
            heard: Arc::clone(&heard),
            state: Mutex::new(WorkerState {
                chooser: Chooser::new(random),
                jobs: HashMap::new(),
                held: HashSet::new(),
                failures: Failures::default(),
                lost_answers: HashSet::new(),
                last_lease: None,
                listed: None,
                offered: HashSet::new(),
                foreign_builds: HashSet::new(),
                about: WorkerAbout::default(),
                figures: WorkerFigures::default(),
                quarantined_until: None,
                depth: None,
                claims_seen: 0,
                urgent_seen: 0,
            }),
            leave_order: watch::Sender::new(None),
            broken: watch::Sender::new(None),
            malformed: AtomicU64::new(0),
            left: AtomicBool::new(false),
            signs: AsyncMutex::new(()),
        });
        let shown = match inner.show_presence().await {
            // A submitter will send them when it comes; there is nothing to do before anyway.
            Err(error @ QueueError::Scripts { .. }) => {
                tracing::warn!("{error}");
                false
            }
            shown => shown.map(|()| true)?,
        };
        let tell = |helper| EndNotice {
            helper,
            broken: inner.broken.clone(),
        };
        let listening = tell("the task that listens to hints");
        let showing = tell("the task that shows signs of life");
        let keep_presence = Inner::keep_presence(Arc::clone(&inner), shown);
        let tasks = [
            tokio::spawn(async move {
                let _tell = listening;
                wake::listen(server, heard).await;
            }),
            tokio::spawn(async move {
                let _tell = showing;
                keep_presence.await;
            }),
        ];
        Ok(Self { inner, tasks })
    }

    /// Malformed entries and specs that were dropped so far.
    #[must_use]
    pub fn malformed(&self) -> u64 {
        self.inner.malformed.load(Ordering::Relaxed)
    }
}

/// Tells of a task that ended: its own end drops it, a panic too.
struct EndNotice {
    helper: &'static str,
    broken: watch::Sender<Option<&'static str>>,
}

impl Drop for EndNotice {
    fn drop(&mut self) {
        self.broken.send_replace(Some(self.helper));
    }
}
