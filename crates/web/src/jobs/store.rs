//! Where jobs are kept: an embedded database, which is whole after any end of the process, and one process's at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::record::Record;

/// Records by the names of their jobs, as JSON.
const JOBS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("jobs");
/// Small pictures of them, PNG.
const THUMBNAILS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("thumbnails");
/// Bytes that the database may keep in memory.
const CACHE_BYTES: usize = 8 << 20;

/// All jobs of a server's folder.
pub struct Store {
    path: PathBuf,
    /// None after a failure of the disk until it can be opened again.
    database: RwLock<Option<Database>>,
    /// What could not be kept yet: written with whatever is next.
    held: Mutex<BTreeMap<String, Record>>,
}

/// Why jobs cannot be kept, in one line.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the folder.
    #[error("{}: another server has this folder", .0.display())]
    Held(PathBuf),
    /// The database or the disk failed.
    #[error("the jobs of this server cannot be kept: {0}")]
    Database(Box<redb::Error>),
    /// A record is none.
    #[error("a job of this server cannot be read: {0}")]
    Record(#[from] serde_json::Error),
}

impl<E: Into<redb::Error>> From<Failed<E>> for StoreError {
    fn from(Failed(error): Failed<E>) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// Whatever the database says of a failure.
struct Failed<E>(E);

impl Store {
    /// Opens the database at `path`, which is made where it is missing.
    ///
    /// # Errors
    /// When another process has it, or it is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.to_owned(),
            database: RwLock::new(Some(opened(path)?)),
            held: Mutex::default(),
        })
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the database; once more with one that is opened anew where the disk has failed, after which a
    /// database refuses everything.
    fn with<T>(&self, deed: impl Fn(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(database) = &*self.database.read().unwrap_or_else(PoisonError::into_inner) {
            match deed(database) {
                Err(StoreError::Database(error)) if is_of_the_disk(&error) => {}
                done => return done,
            }
        }
        let mut held = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Closed first: nobody else may have the file.
        *held = None;
        let database = opened(&self.path)?;
        let done = deed(&database);
        *held = Some(database);
        done
    }

    /// Keeps these records, over what was kept of the same jobs; all of them or none.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn put(&self, records: &[Record]) -> Result<(), StoreError> {
        // Those that could not be kept before come first, and give way to newer ones.
        let mut held = self.held();
        self.with(|database| {
            let put = database.begin_write().map_err(Failed)?;
            {
                let mut jobs = put.open_table(JOBS).map_err(Failed)?;
                for record in held.values().chain(records) {
                    let text = serde_json::to_vec(record)?;
                    jobs.insert(&*record.job, &*text).map_err(Failed)?;
                }
            }
            Ok(put.commit().map_err(Failed)?)
        })?;
        held.clear();
        Ok(())
    }

    /// Keeps a record, or holds it until the disk takes it: it is what is known of its job from now on.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn put_or_hold(&self, record: Record) -> Result<(), StoreError> {
        let kept = self.put(std::slice::from_ref(&record));
        if kept.is_err() {
            self.held().insert(record.job.clone(), record);
        }
        kept
    }

    /// Keeps a small picture of a job.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn put_thumbnail(&self, job: &str, png: &[u8]) -> Result<(), StoreError> {
        self.with(|database| {
            let put = database.begin_write().map_err(Failed)?;
            {
                let mut thumbnails = put.open_table(THUMBNAILS).map_err(Failed)?;
                thumbnails.insert(job, png).map_err(Failed)?;
            }
            Ok(put.commit().map_err(Failed)?)
        })
    }

    /// Forgets jobs with their small pictures.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn remove(&self, jobs: &[String]) -> Result<(), StoreError> {
        self.with(|database| {
            let removal = database.begin_write().map_err(Failed)?;
            {
                let mut records = removal.open_table(JOBS).map_err(Failed)?;
                let mut thumbnails = removal.open_table(THUMBNAILS).map_err(Failed)?;
                for job in jobs {
                    records.remove(&**job).map_err(Failed)?;
                    thumbnails.remove(&**job).map_err(Failed)?;
                }
            }
            Ok(removal.commit().map_err(Failed)?)
        })?;
        self.held().retain(|job, _| !jobs.contains(job));
        Ok(())
    }

    /// A job; `None` where there is none of that name.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn get(&self, job: &str) -> Result<Option<Record>, StoreError> {
        if let Some(record) = self.held().get(job) {
            return Ok(Some(record.clone()));
        }
        self.with(|database| {
            let read = database.begin_read().map_err(Failed)?;
            let jobs = read.open_table(JOBS).map_err(Failed)?;
            let found = jobs.get(job).map_err(Failed)?;
            Ok(match found {
                Some(text) => Some(serde_json::from_slice(text.value())?),
                None => None,
            })
        })
    }

    /// The small picture of a job, PNG, where it has one.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn thumbnail(&self, job: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|database| {
            let read = database.begin_read().map_err(Failed)?;
            let thumbnails = read.open_table(THUMBNAILS).map_err(Failed)?;
            let found = thumbnails.get(job).map_err(Failed)?;
            Ok(found.map(|png| png.value().to_vec()))
        })
    }

    /// Shows all jobs, the oldest first; what cannot be read of them, as after a change of versions, is left out.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn each(&self, show: impl FnMut(Record)) -> Result<(), StoreError> {
        let show = std::cell::RefCell::new(show);
        self.with(|database| {
            let read = database.begin_read().map_err(Failed)?;
            let jobs = read.open_table(JOBS).map_err(Failed)?;
            for entry in jobs.iter().map_err(Failed)? {
                let (job, text) = entry.map_err(Failed)?;
                match serde_json::from_slice(text.value()) {
                    Ok(record) => (show.borrow_mut())(record),
                    Err(error) => {
                        tracing::warn!(job = job.value(), %error, "a job of the history cannot be read");
                    }
                }
            }
            Ok(())
        })
    }
}

/// Opens the database at `path`, which is made where it is missing.
fn opened(path: &Path) -> Result<Database, StoreError> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    let database = builder.create(path).map_err(|error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StoreError::Held(path.to_owned()),
        other => Failed(other).into(),
    })?;
    let made = database.begin_write().map_err(Failed)?;
    made.open_table(JOBS).map_err(Failed)?;
    made.open_table(THUMBNAILS).map_err(Failed)?;
    made.commit().map_err(Failed)?;
    Ok(database)
}

/// Whether the disk failed, or has before.
fn is_of_the_disk(error: &redb::Error) -> bool {
    use redb::Error::{DatabaseClosed, Io, PreviousIo};
    matches!(error, Io(_) | PreviousIo | DatabaseClosed)
}
