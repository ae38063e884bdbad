//! All jobs of a server: those that wait, those that are under way, and those that are done.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use disk::homes::make_private_folder;
use disk::pending::free_space;
use farm_queue::JobId;
use hyper::StatusCode;
use render::Stop;
use requests::FarmMeans;
use tokio::sync::{Notify, watch};

use super::grown::{Grown, Snapshot};
use super::growth::{Figures, Growth};
use super::record::{JobState, Record, now};
use super::request::{JobRequest, PlannedJob};
use super::store::{Store, StoreError};
use crate::answer::Problem;
use crate::limits::{MOST_HISTORY, MOST_QUEUED, SPARE_BYTES};

/// Where jobs are kept within the server's folder: no file of a job may begin with a dot.
const OWN: &str = ".mandelfarm";

/// Where jobs go, and by what they are made.
#[derive(Clone, Default)]
pub struct JobsSettings {
    /// The folder for their files.
    pub folder: PathBuf,
    /// Where and by what they are computed.
    pub farm: FarmMeans,
    /// Bytes of the disk that jobs may take together, those that are done and those that are not.
    pub most_bytes: Option<u64>,
}

/// All jobs.
pub struct Jobs {
    pub(super) settings: JobsSettings,
    pub(super) store: Store,
    state: Mutex<State>,
    /// Wakes whoever takes up jobs.
    pub(super) wake: Notify,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
pub(super) struct State {
    /// All that are kept, by name: the oldest first.
    pub(super) all: BTreeMap<String, Brief>,
    pub(super) running: HashMap<String, Running>,
    /// Those that the farm did not answer for, until when, and why.
    pub(super) waiting: HashMap<String, (Instant, String)>,
}

/// What is known of every job without a look at the disk.
#[derive(Clone, Debug)]
pub(super) struct Brief {
    pub(super) state: JobState,
    /// What is searched, in small letters.
    text: String,
    /// Bytes that it may need, or takes.
    bytes: u64,
    /// Names of files that it will write.
    names: Vec<String>,
}

/// A job that is under way.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) growth: Arc<Growth>,
    pub(super) stop: Stop,
    pub(super) is_cancelled: bool,
}

/// A job with what is known of it now.
pub struct Known {
    /// What is kept.
    pub record: Record,
    /// How far it is, where it is under way.
    pub figures: Option<Figures>,
    /// What the farm calls it, where it is under way there.
    pub farm_job: Option<String>,
    /// Why it waits, where the farm did not answer.
    pub waits: Option<String>,
}

/// Which jobs are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those that became this.
    pub state: Option<JobState>,
    /// Those whose name or title has this in it.
    pub find: String,
    /// Those that are older than this one.
    pub before: Option<String>,
    /// So many.
    pub most: usize,
}

/// Why jobs cannot be collected, in one line.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// There is no such folder, and none can be made.
    #[error("--output {}: {reason}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// What is in it cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error)
    }
}

impl Brief {
    pub(super) fn of(record: &Record) -> Self {
        let is_open = record.state == JobState::Queued;
        Self {
            state: record.state,
            text: format!("{} {}", record.job, record.request.title()).to_lowercase(),
            bytes: if is_open { record.need } else { record.bytes() },
            names: if is_open {
                record.request.outputs.clone()
            } else {
                Vec::new()
            },
        }
    }
}

impl Jobs {
    /// The jobs of a folder, which is made where it is missing.
    ///
    /// # Errors
    /// When it cannot be used, or another process has it.
    pub fn open(mut settings: JobsSettings) -> Result<Arc<Self>, JobsError> {
        let folder = |reason| JobsError::Folder {
            path: settings.folder.clone(),
            reason,
        };
        let own = settings.folder.join(OWN);
        std::fs::create_dir_all(&settings.folder).map_err(folder)?;
        make_private_folder(&own.join("work")).map_err(folder)?;
        let path = settings.folder.canonicalize().map_err(folder)?;
        settings.folder = path;
        let store = Store::open(&own.join("jobs.redb"))?;
        let mut all = BTreeMap::new();
        store.each(|record| {
            all.insert(record.job.clone(), Brief::of(&record));
        })?;
        let jobs = Self {
            settings,
            store,
            state: Mutex::new(State {
                all,
                ..State::default()
            }),
            wake: Notify::new(),
            changed: watch::Sender::default(),
        };
        jobs.remove_orphans();
        Ok(Arc::new(jobs))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.settings.folder
    }

    /// Where what is unfinished of a job is kept.
    #[must_use]
    pub fn work(&self, job: &str) -> PathBuf {
        self.settings.folder.join(OWN).join("work").join(job)
    }

    /// Counts up whenever a job comes, goes or changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Removes what is unfinished of jobs that are no more.
    fn remove_orphans(&self) {
        let Ok(entries) = std::fs::read_dir(self.settings.folder.join(OWN).join("work")) else {
            return;
        };
        let state = self.state();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_wanted =
                |brief: &Brief| matches!(brief.state, JobState::Queued | JobState::Failed);
            let brief = name.to_str().and_then(|name| state.all.get(name));
            if !brief.is_some_and(is_wanted) {
                remove_folder(&entry.path());
            }
        }
    }

    /// Takes a job in. It is kept when this returns. Blocks while the disk is written to.
    ///
    /// # Errors
    /// When it cannot be, or is over a limit.
    pub fn submit(&self, request: JobRequest) -> Result<Record, Problem> {
        let planned = request.plan(self.folder(), &self.settings.farm)?;
        let need = planned.file_bytes().saturating_add(planned.work_bytes());
        let record = Record {
            job: JobId::generate().to_string(),
            state: JobState::Queued,
            submitted: now(),
            ended: None,
            seconds: 0.0,
            size: planned.size(),
            need,
            iterations: 0.0,
            error: None,
            outputs: Vec::new(),
            workers: BTreeMap::new(),
            request,
        };
        self.admit(&record, true)?;
        Ok(record)
    }

    /// The plan of a job that is not taken in.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn plan(&self, request: &JobRequest) -> Result<PlannedJob, Problem> {
        request.plan(self.folder(), &self.settings.farm)
    }

    /// Puts a job among those that wait, once there is room for it.
    pub(super) fn admit(&self, record: &Record, is_new: bool) -> Result<(), Problem> {
        let mut state = self.state();
        let open = || (state.all.values()).filter(|brief| brief.state == JobState::Queued);
        if open().count() >= MOST_QUEUED {
            let line = format!("{MOST_QUEUED} jobs wait already");
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, line));
        }
        for name in &record.request.outputs {
            let is_there = self.folder().join(name).symlink_metadata().is_ok();
            let same = |other: &String| other.to_lowercase() == name.to_lowercase();
            if is_there || open().any(|brief| brief.names.iter().any(same)) {
                let line = format!("outputs: there is a {name} already; choose another name");
                return Err(Problem::new(StatusCode::CONFLICT, line));
            }
        }
        let reserved: u64 = open().map(|brief| brief.bytes).sum();
        let wanted = reserved.saturating_add(record.need);
        let free = free_space(self.folder()).unwrap_or(u64::MAX);
        let most = self.settings.most_bytes.map(|most| {
            let done = (state.all.values()).filter(|brief| brief.state != JobState::Queued);
            most.saturating_sub(done.map(|brief| brief.bytes).sum())
        });
        let room = free
            .saturating_sub(SPARE_BYTES)
            .min(most.unwrap_or(u64::MAX));
        if wanted > room {
            let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
            let line = format!(
                "no room on the server's disk: this job and those before it may need {} MB, and {} MB are theirs",
                megabytes(wanted),
                room / 1_000_000
            );
            return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, line));
        }
        self.store.put(std::slice::from_ref(record))?;
        state.all.insert(record.job.clone(), Brief::of(record));
        drop(state);
        self.wake.notify_one();
        if is_new {
            self.forget_oldest();
        }
        self.note();
        Ok(())
    }

    /// Tells whoever watches that something changed.
    pub(super) fn note(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Forgets the oldest jobs of too long a history. Their files stay.
    fn forget_oldest(&self) {
        let mut state = self.state();
        let over = state.all.len().saturating_sub(MOST_HISTORY);
        let done = (state.all.iter()).filter(|(_, brief)| brief.state != JobState::Queued);
        let gone: Vec<String> = done.take(over).map(|(job, _)| job.clone()).collect();
        if gone.is_empty() {
            return;
        }
        match self.store.remove(&gone) {
            Ok(()) => gone.iter().for_each(|job| {
                state.all.remove(job);
            }),
            Err(error) => tracing::warn!(%error, "the history is too long"),
        }
    }

    /// A job.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn job(&self, job: &str) -> Result<Known, Problem> {
        let unknown = || Problem::new(StatusCode::NOT_FOUND, "no such job on this server");
        if !self.state().all.contains_key(job) {
            return Err(unknown());
        }
        let record = self.store.get(job)?.ok_or_else(unknown)?;
        Ok(self.known(record))
    }

    fn known(&self, record: Record) -> Known {
        let state = self.state();
        let running = state.running.get(&record.job);
        Known {
            figures: running.map(|running| running.growth.figures()),
            farm_job: running.and_then(|_| self.farm_job(&record.job)),
            waits: (state.waiting.get(&record.job)).map(|(_, why)| why.clone()),
            record,
        }
    }

    /// The newest jobs that are wanted, and whether there are more of them.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn list(&self, wanted: &Wanted) -> Result<(Vec<Known>, bool), Problem> {
        let find = wanted.find.to_lowercase();
        let names: Vec<String> = {
            let state = self.state();
            let is_wanted = |(job, brief): &(&String, &Brief)| {
                wanted.state.is_none_or(|state| state == brief.state)
                    && (wanted.before.as_ref()).is_none_or(|before| *job < before)
                    && brief.text.contains(&find)
            };
            let found = state.all.iter().rev().filter(is_wanted);
            found
                .map(|(job, _)| job.clone())
                .take(wanted.most + 1)
                .collect()
        };
        let has_more = names.len() > wanted.most;
        let mut jobs = Vec::new();
        for job in names.iter().take(wanted.most) {
            // Forgotten meanwhile: left out.
            if let Some(record) = self.store.get(job)? {
                jobs.push(self.known(record));
            }
        }
        Ok((jobs, has_more))
    }

    /// How many jobs are in each state, and how many of those that wait are under way.
    #[must_use]
    pub fn counts(&self) -> (BTreeMap<&'static str, usize>, usize) {
        let state = self.state();
        let mut counts = BTreeMap::new();
        for brief in state.all.values() {
            *counts.entry(brief.state.name()).or_default() += 1;
        }
        (counts, state.running.len())
    }

    /// The picture of a job that is under way, as it is now.
    ///
    /// # Errors
    /// When it is not under way, or nothing has come.
    pub fn snapshot(&self, job: &str) -> Result<Snapshot, Problem> {
        let none = || Problem::new(StatusCode::NOT_FOUND, "nothing has come of that job");
        let running = self.state().running.get(job).cloned().ok_or_else(none)?;
        let grown = running.growth.grown();
        grown.as_ref().and_then(Grown::snapshot).ok_or_else(none)
    }

    /// The farm's name for a job of a picture that is under way there: its journal has it.
    pub(super) fn farm_job(&self, job: &str) -> Option<String> {
        self.settings.farm.redis.as_ref()?;
        let mut journals = std::fs::read_dir(self.work(job).join("journal")).ok()?;
        let name = journals.next()?.ok()?.file_name();
        JobId::parse(name.to_str()?).map(|job| job.to_string())
    }

    /// The small picture of a job, PNG.
    ///
    /// # Errors
    /// When it has none.
    pub fn thumbnail(&self, job: &str) -> Result<Vec<u8>, Problem> {
        let none = || Problem::new(StatusCode::NOT_FOUND, "no small picture of that job");
        self.store.thumbnail(job)?.ok_or_else(none)
    }

    /// The oldest job that waits and may be taken up now; it counts as under way from now on.
    pub(super) fn take(&self, stop: &Stop) -> Option<(String, Running)> {
        if stop.is_requested() {
            return None;
        }
        let mut state = self.state();
        let now = Instant::now();
        let is_ready = |(job, brief): &(&String, &Brief)| {
            brief.state == JobState::Queued
                && !state.running.contains_key(*job)
                && (state.waiting.get(*job)).is_none_or(|(until, _)| *until <= now)
        };
        let job = state.all.iter().find(is_ready)?.0.clone();
        let running = Running {
            growth: Arc::new(Growth::new()),
            stop: Stop::new(),
            is_cancelled: false,
        };
        state.running.insert(job.clone(), running.clone());
        Some((job, running))
    }

    /// Lets a job wait until then, as the farm does not answer.
    pub(super) fn wait(&self, job: &str, until: Instant, why: String) {
        let mut state = self.state();
        state.running.remove(job);
        state.waiting.insert(job.to_owned(), (until, why));
        drop(state);
        self.note();
    }

    /// When the next of those may be taken up that the farm did not answer for.
    pub(super) fn next_try(&self) -> Option<Instant> {
        self.state().waiting.values().map(|(until, _)| *until).min()
    }

    /// A job is no more under way: `end` says what became of it, by whether it was cancelled.
    pub(super) fn end(&self, job: &str, end: impl FnOnce(&mut Record, bool)) {
        let mut state = self.state();
        let running = state.running.remove(job);
        state.waiting.remove(job);
        let is_cancelled = running.is_some_and(|running| running.is_cancelled);
        let kept = match self.store.get(job) {
            Ok(Some(mut record)) => {
                end(&mut record, is_cancelled);
                state.all.insert(job.to_owned(), Brief::of(&record));
                self.store.put_or_hold(record)
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        drop(state);
        if let Err(error) = kept {
            // It is kept as soon as the disk takes anything; it is made again if the server ends before.
            tracing::error!(%job, %error, "what became of a job could not be kept");
        }
        self.note();
    }

    /// Stops all that is under way; it is taken up again by the next server.
    pub(super) fn stop_all(&self) {
        for running in self.state().running.values() {
            running.stop.request();
        }
    }
}

/// Where a server with this folder writes its address.
#[must_use]
pub fn address_file(folder: &Path) -> PathBuf {
    folder.join(OWN).join("address")
}

/// Removes a folder with all that is in it, where it is there.
pub(super) fn remove_folder(path: &Path) {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(%error, path = %path.display(), "a folder could not be removed");
        }
        _ => {}
    }
}
