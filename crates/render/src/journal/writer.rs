//! The thread that writes a journal, and reads strips back.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use farm_queue::JobSpec;
use farm_queue::protocol::blob::{self, DecodedBlob};
use fractal::{Strip, StripBuffer};
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;

use super::plan_file::SavedPlan;
use super::records::{self, JobEvent, Place};
use super::store::Store;

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
    Event(JobEvent),
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) job: Arc<JobSpec>,
    /// Of its records' digests.
    pub(super) seed: u64,
    /// Where strips are that were written.
    pub(super) places: Mutex<HashMap<u32, Place>>,
    /// Strips of which nothing counts that was handed over before they were revoked.
    pub(super) revoked: Mutex<HashSet<u32>>,
    /// The file, for reading, and its folder; once there is one. Held also while the file is written: both
    /// have one position in it.
    pub(super) file: Mutex<Option<(File, PathBuf)>>,
    /// Strips that were handed over and are not written yet.
    pub(super) unwritten: AtomicU32,
    /// A strip was written, or never will be.
    pub(super) written: Notify,
    /// It is on the disk.
    pub(super) begun: AtomicBool,
    /// It could not be written any more.
    pub(super) ended: AtomicBool,
    /// It holds what is not to be used.
    pub(super) spoilt: AtomicBool,
    /// Nobody will want it: what is not written need not be.
    pub(super) discard: AtomicBool,
    /// Its job failed, and is kept to be taken up again.
    pub(super) failed: AtomicBool,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How the thread begins.
pub(super) enum Start {
    New {
        store: Store,
        saved: Box<SavedPlan>,
        held: u64,
        until: Instant,
    },
    At(RecordFile),
}

/// The file as it is written.
pub(super) struct RecordFile {
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

impl RecordFile {
    pub(super) fn new(file: File, folder: PathBuf, end: u64) -> Self {
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
    pub(super) fn run(
        &self,
        runtime: &tokio::runtime::Handle,
        start: Start,
        mut receiver: Receiver<Entry>,
    ) {
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

    fn begin(&self, store: &Store, saved: &SavedPlan) -> io::Result<RecordFile> {
        store.tidy();
        let (folder, file) = store.begin(saved)?;
        *lock(&self.file) = Some((file.try_clone()?, folder.clone()));
        self.begun.store(true, Ordering::Relaxed);
        Ok(RecordFile::new(file, folder, 0))
    }

    fn give_up(&self, error: &io::Error) {
        self.ended.store(true, Ordering::Relaxed);
        tracing::warn!(%error, "the journal is not written any more; what comes from now on could not be resumed");
    }

    /// Writes one entry, where there is something to write to.
    fn take(&self, output: &mut Option<RecordFile>, entry: &Entry) {
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

    fn write(&self, output: &mut RecordFile, entry: &Entry) -> io::Result<()> {
        output.record.clear();
        match entry {
            Entry::Strip {
                buffer,
                worker,
                attempt,
            } => {
                let index = buffer.strip.index;
                let parts = blob::parts(&self.job.id, buffer, worker, *attempt);
                let maker = records::maker(worker);
                records::strip(&mut output.record, self.seed, index, maker, parts.pieces());
                let place = Place {
                    at: output.end + records::HEADER_BYTES as u64,
                    bytes: (output.record.len() - records::HEADER_BYTES) as u32,
                    maker,
                };
                self.append(output)?;
                let revoked = lock(&self.revoked);
                if !revoked.contains(&index) {
                    lock(&self.places).insert(index, place);
                }
            }
            Entry::Event(event) => {
                records::event(&mut output.record, self.seed, event);
                self.append(output)?;
                if let JobEvent::Revoked(strips) = event {
                    let mut revoked = lock(&self.revoked);
                    for strip in strips {
                        revoked.remove(strip);
                    }
                }
            }
        }
        Ok(())
    }

    fn append(&self, output: &mut RecordFile) -> io::Result<()> {
        let _position = lock(&self.file);
        output.append()
    }

    pub(super) fn read(&self, strip: Strip) -> Result<DecodedBlob, String> {
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
            Self::Strip { buffer, .. } => buffer.bytes(),
            Self::Event(_) => 0,
        }
    }
}
