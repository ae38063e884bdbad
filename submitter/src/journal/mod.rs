//! A job's finished strips on the submitter's disk, so that it can go on after anything that ends it.
//!
//! A thread of its own appends strips as they come. Nothing touches the disk before a job is [`QUIET`] old or has
//! come to many bytes: a quick picture costs nothing and leaves nothing. A journal that cannot be written any
//! more ends, and the picture goes on without.
//!
//! - [`record`]: what the file holds; [`saved`]: a job's plan; [`store`]: the folder of all journals

pub mod record;
pub mod saved;
pub mod store;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use farm_queue::JobSpec;
use farm_queue::protocol::blob::{self, DecodedBlob};
use fractal::{Strip, StripBuffer};
use tokio::sync::Notify;
use tokio::sync::mpsc::{Permit, Receiver, Sender, channel};

use record::Place;
pub use record::{Event, maker};
pub use saved::Saved;
pub use store::{Store, StoreError, Taken};

/// How old a job becomes before its journal touches the disk.
const QUIET: Duration = Duration::from_secs(1);
/// Bytes of strips that are held until then at most.
const HELD_BYTES: u64 = 64 << 20;
/// Strips and events that may wait for the thread.
const WAITING: usize = 4;
/// How often what was written is made safe from a power cut.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Bytes after which the space of the disk is looked at again, and what a journal leaves free of it.
const LOOK_EVERY: u64 = 64 << 20;
const SPARE: u64 = 1 << 30;

/// What the journal is told.
#[derive(Debug)]
pub enum Entry {
    /// A strip's first buffer.
    Strip {
        /// The buffer.
        buffer: Arc<StripBuffer>,
        /// Name of the worker that made it.
        worker: String,
        /// Deliveries that it took.
        attempt: u32,
    },
    /// Something else.
    Event(Event),
}

/// The journal of one job, open.
#[derive(Debug)]
pub struct Journal {
    sender: Option<Sender<Entry>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    job: Arc<JobSpec>,
    /// Of its records' digests.
    seed: u64,
    /// Where strips are that were written.
    places: Mutex<HashMap<u32, Place>>,
    /// Strips of which nothing counts that was handed over before they were revoked.
    revoked: Mutex<HashSet<u32>>,
    /// The file, for reading, and its folder; once there is one. Held also while the file is written: both
    /// have one position in it.
    file: Mutex<Option<(File, PathBuf)>>,
    /// Strips that were handed over and are not written yet.
    unwritten: AtomicU32,
    /// A strip was written, or never will be.
    written: Notify,
    /// It is on the disk.
    begun: AtomicBool,
    /// It could not be written any more.
    ended: AtomicBool,
    /// It holds what is not to be used.
    spoilt: AtomicBool,
    /// Nobody will want it: what is not written need not be.
    discard: AtomicBool,
    /// Its job failed, and is kept to be taken up again.
    failed: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a journal begins.
#[derive(Debug)]
pub enum Begin {
    /// Anew, in this store.
    New(Store, Box<Saved>),
    /// As it was.
    Taken(Box<Taken>),
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
            seed: record::seed(job),
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
                let Taken {
                    folder,
                    file,
                    found,
                    ..
                } = *taken;
                *lock(&shared.places) = found.strips.into_iter().collect();
                *lock(&shared.file) = Some((file.try_clone()?, folder.clone()));
                shared.begun.store(true, Ordering::Relaxed);
                Start::At(Output::new(file, folder, found.end))
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
    /// [`Event::Revoked`] which has to be handed over next also for who resumes the job.
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

enum Start {
    New {
        store: Store,
        saved: Box<Saved>,
        held: u64,
        until: Instant,
    },
    At(Output),
}

/// The file as it is written.
struct Output {
    file: File,
    folder: PathBuf,
    end: u64,
    /// One record.
    record: Vec<u8>,
    /// When the space of the disk is looked at next.
    look_at: u64,
    synced: Instant,
    syncing: Option<SyncSender<()>>,
}

impl Output {
    fn new(file: File, folder: PathBuf, end: u64) -> Self {
        Self {
            file,
            folder,
            end,
            record: Vec::new(),
            look_at: end,
            synced: Instant::now(),
            syncing: None,
        }
    }

    /// Appends `self.record`.
    fn append(&mut self) -> io::Result<()> {
        if self.end >= self.look_at {
            self.look_at = self.end + LOOK_EVERY;
            if fs4::available_space(&self.folder).is_ok_and(|free| free < SPARE) {
                return Err(io::Error::other("less than 1 GiB is free on its disk"));
            }
        }
        let written = (self.file.seek(SeekFrom::Start(self.end)))
            .and_then(|_| self.file.write_all(&self.record));
        if let Err(error) = written {
            // A torn record would only be skipped, but need not stay.
            let _ = self.file.set_len(self.end);
            return Err(error);
        }
        self.end += self.record.len() as u64;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.synced = Instant::now();
            self.sync()?;
        }
        Ok(())
    }

    /// Has the disk told to keep what was written, without waiting for it: that takes seconds on a busy one.
    fn sync(&mut self) -> io::Result<()> {
        if self.syncing.is_none() {
            let file = self.file.try_clone()?;
            let (wanted, wishes) = sync_channel(1);
            std::thread::Builder::new()
                .name("journal-sync".into())
                .spawn(move || {
                    for () in wishes {
                        if let Err(error) = file.sync_data() {
                            tracing::warn!(%error, "the journal would not survive a power cut");
                        }
                    }
                })?;
            self.syncing = Some(wanted);
        }
        // One wish stands for all.
        let _ = self.syncing.as_ref().map(|wanted| wanted.try_send(()));
        Ok(())
    }
}

impl Shared {
    fn run(&self, runtime: &tokio::runtime::Handle, start: Start, mut receiver: Receiver<Entry>) {
        let mut early = Vec::new();
        let output = match start {
            Start::At(output) => Ok(output),
            Start::New {
                store,
                saved,
                held,
                until,
            } => {
                let mut bytes = 0;
                while bytes < held {
                    let next =
                        async { tokio::time::timeout_at(until.into(), receiver.recv()).await };
                    match runtime.block_on(next) {
                        Ok(Some(entry)) => {
                            bytes += entry.bytes();
                            early.push(entry);
                        }
                        // Over before it was worth a journal, unless it is to be taken up.
                        Ok(None) if !self.failed.load(Ordering::Relaxed) => return,
                        Ok(None) => break,
                        Err(_) => break,
                    }
                }
                self.begin(&store, &saved)
            }
        };
        let mut output = match output {
            Ok(output) => Some(output),
            Err(error) => {
                self.give_up(&error);
                None
            }
        };
        for entry in early {
            self.take(&mut output, &entry);
        }
        while let Some(entry) = receiver.blocking_recv() {
            self.take(&mut output, &entry);
        }
        if let Some(output) = output
            && !self.discard.load(Ordering::Relaxed)
            && let Err(error) = output.file.sync_data()
        {
            tracing::warn!(%error, "the journal would not survive a power cut");
        }
    }

    fn begin(&self, store: &Store, saved: &Saved) -> io::Result<Output> {
        store.tidy();
        let (folder, file) = store.begin(saved)?;
        *lock(&self.file) = Some((file.try_clone()?, folder.clone()));
        self.begun.store(true, Ordering::Relaxed);
        Ok(Output::new(file, folder, 0))
    }

    fn give_up(&self, error: &io::Error) {
        self.ended.store(true, Ordering::Relaxed);
        tracing::warn!(%error, "the journal is not written any more; what comes from now on could not be resumed");
    }

    /// Writes one entry, where there is something to write to.
    fn take(&self, output: &mut Option<Output>, entry: &Entry) {
        let is_strip = matches!(entry, Entry::Strip { .. });
        if let Some(open) = output
            && !self.discard.load(Ordering::Relaxed)
            && let Err(error) = self.write(open, entry)
        {
            self.give_up(&error);
            *output = None;
        }
        if is_strip {
            self.unwritten.fetch_sub(1, Ordering::Relaxed);
            self.written.notify_one();
        }
    }

    fn write(&self, output: &mut Output, entry: &Entry) -> io::Result<()> {
        output.record.clear();
        match entry {
            Entry::Strip {
                buffer,
                worker,
                attempt,
            } => {
                let index = buffer.strip.index;
                let parts = blob::parts(&self.job.id, buffer, worker, *attempt);
                let maker = record::maker(worker);
                record::strip(&mut output.record, self.seed, index, maker, parts.pieces());
                let place = Place {
                    at: output.end + record::HEADER_BYTES as u64,
                    bytes: (output.record.len() - record::HEADER_BYTES) as u32,
                    maker,
                };
                self.append(output)?;
                let revoked = lock(&self.revoked);
                if !revoked.contains(&index) {
                    lock(&self.places).insert(index, place);
                }
            }
            Entry::Event(event) => {
                record::event(&mut output.record, self.seed, event);
                self.append(output)?;
                if let Event::Revoked(strips) = event {
                    let mut revoked = lock(&self.revoked);
                    for strip in strips {
                        revoked.remove(strip);
                    }
                }
            }
        }
        Ok(())
    }

    fn append(&self, output: &mut Output) -> io::Result<()> {
        let _position = lock(&self.file);
        output.append()
    }

    fn read(&self, strip: Strip) -> Result<DecodedBlob, String> {
        let place = (lock(&self.places).get(&strip.index).copied()).ok_or("it is not there")?;
        // Within the job's limits, as it was written or found.
        let mut bytes = vec![0; place.bytes as usize];
        {
            let mut file = lock(&self.file);
            let (file, _) = file.as_mut().ok_or("there is no file")?;
            (file.seek(SeekFrom::Start(place.at)))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(|error| error.to_string())?;
        }
        blob::decode(&bytes, &self.job, strip).map_err(|error| error.to_string())
    }
}

impl Entry {
    fn bytes(&self) -> u64 {
        match self {
            Self::Strip { buffer, .. } => {
                let planes = buffer.planes.iter().map(|plane| plane.bytes().len() as u64);
                planes.sum()
            }
            Self::Event(_) => 0,
        }
    }
}
