//! A job's finished strips on the submitter's disk, so that it can go on after anything that ends it.
//!
//! A thread of its own appends strips as they come. Nothing touches the disk before a job is [`QUIET`] old or has
//! come to many bytes: a quick picture costs nothing and leaves nothing. A journal that cannot be written any
//! more ends, and the picture goes on without.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use farm_queue::JobSpec;
use farm_queue::protocol::blob::DecodedBlob;
use fractal::Strip;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Permit, Sender, channel};

use super::plan_file::SavedPlan;
use super::records::{self, maker};
use super::store::{self, Store, TakenJournal};
pub use super::writer::Entry;
use super::writer::{RecordFile, Shared, Start, lock};

/// How old a job becomes before its journal touches the disk.
const QUIET: Duration = Duration::from_secs(1);
/// Bytes of strips that are held until then at most.
const HELD_BYTES: u64 = 64 << 20;
/// Strips and events that may wait for the thread.
const WAITING: usize = 4;

/// The journal of one job, open.
#[derive(Debug)]
pub struct Journal {
    sender: Option<Sender<Entry>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How a journal begins.
#[derive(Debug)]
pub enum Begin {
    /// Anew, in this store.
    New(Store, Box<SavedPlan>),
    /// As it was.
    Taken(Box<TakenJournal>),
}

impl Journal {
    /// Opens the journal of `job`; holds back at most `held` bytes while the job is young. Call it within the
    /// runtime.
    ///
    /// # Errors
    /// When no thread can be started, or a taken journal's file cannot be used.
    pub fn open(begin: Begin, job: &Arc<JobSpec>, held: u64) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            job: Arc::clone(job),
            seed: records::seed(job),
            places: Mutex::default(),
            revoked: Mutex::default(),
            file: Mutex::default(),
            unwritten: AtomicU32::new(0),
            written: Notify::new(),
            begun: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            spoilt: AtomicBool::new(false),
            discard: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        });
        let (sender, receiver) = channel(WAITING);
        let start = match begin {
            Begin::New(store, saved) => Start::New {
                store,
                saved,
                held: held.min(HELD_BYTES),
                until: Instant::now() + QUIET,
            },
            Begin::Taken(taken) => {
                let TakenJournal {
                    folder,
                    file,
                    found,
                    ..
                } = *taken;
                *lock(&shared.places) = found.strips.into_iter().collect();
                *lock(&shared.file) = Some((file.try_clone()?, folder.clone()));
                shared.begun.store(true, Ordering::Relaxed);
                Start::At(RecordFile::new(file, folder, found.end))
            }
        };
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name("journal".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.run(&runtime, start, receiver)
        })?;
        Ok(Self {
            sender: Some(sender),
            shared,
            thread: Some(thread),
        })
    }

    /// A place for one entry; waits while the disk is behind.
    pub async fn place(&self) -> Option<Permit<'_, Entry>> {
        self.sender.as_ref()?.reserve().await.ok()
    }

    /// Counts a strip that will be handed over.
    pub fn announce(&self) {
        self.shared.unwritten.fetch_add(1, Ordering::Relaxed);
    }

    /// Strips that were announced and are not written yet.
    #[must_use]
    pub fn unwritten(&self) -> u32 {
        self.shared.unwritten.load(Ordering::Relaxed)
    }

    /// Whether another process could go on from it.
    #[must_use]
    pub fn is_on_disk(&self) -> bool {
        self.shared.begun.load(Ordering::Relaxed)
    }

    /// Waits until the next strip is written.
    pub async fn written(&self) {
        self.shared.written.notified().await;
    }

    /// Whether a strip can be read back.
    #[must_use]
    pub fn holds(&self, strip: u32) -> bool {
        lock(&self.shared.places).contains_key(&strip)
    }

    /// The strips that can be read back and that `worker` made.
    #[must_use]
    pub fn made_by(&self, worker: &str) -> Vec<u32> {
        let maker = maker(worker);
        let places = lock(&self.shared.places);
        let made = places.iter().filter(|(_, place)| place.maker == maker);
        made.map(|(strip, _)| *strip).collect()
    }

    /// What was handed over of these strips so far is not to be used: from now on, and after a
    /// [`JobEvent::Revoked`](super::records::JobEvent::Revoked) which has to be handed over next also for who resumes the job.
    pub fn revoke(&self, strips: &[u32]) {
        lock(&self.shared.revoked).extend(strips);
        let mut places = lock(&self.shared.places);
        for strip in strips {
            places.remove(strip);
        }
        if !self.works() {
            // It cannot say so any more.
            self.shared.spoilt.store(true, Ordering::Relaxed);
        }
    }

    /// A strip that was announced will not be handed over after all.
    pub fn withdraw(&self) {
        self.shared.unwritten.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether it is still written.
    #[must_use]
    pub fn works(&self) -> bool {
        !self.shared.ended.load(Ordering::Relaxed)
    }

    /// Reads a strip back; `None` when it is not there, or not what it was.
    pub fn reader(&self, strip: Strip) -> impl Future<Output = Option<DecodedBlob>> + use<> {
        let shared = Arc::clone(&self.shared);
        async move {
            let read = tokio::task::spawn_blocking({
                let shared = Arc::clone(&shared);
                move || shared.read(strip)
            });
            match read.await {
                Ok(Ok(decoded)) => Some(decoded),
                Ok(Err(reason)) => {
                    tracing::warn!(
                        strip = strip.index,
                        reason,
                        "strip not read back from the journal"
                    );
                    lock(&shared.places).remove(&strip.index);
                    None
                }
                Err(_) => None,
            }
        }
    }

    /// Its job failed: there will be a journal to take it up from, however young it is.
    pub fn job_failed(&self) {
        self.shared.failed.store(true, Ordering::Relaxed);
    }

    /// Ends it: writes what was handed over, or removes it all. Whether there is something to resume.
    #[must_use]
    pub fn end(mut self, keep: bool) -> bool {
        self.shared.discard.store(!keep, Ordering::Relaxed);
        self.join();
        let keep = keep && !self.shared.spoilt.load(Ordering::Relaxed);
        let file = lock(&self.shared.file).take();
        match file {
            Some((_, folder)) if !keep => {
                store::remove(&folder);
                false
            }
            file => file.is_some(),
        }
    }

    fn join(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal ended by a fault in the program");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.join();
    }
}
