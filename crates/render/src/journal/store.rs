//! The folder of all journals: one folder a job, in it `plan.json` and `strips`.
//!
//! A lock on `strips` marks a journal whose submitter lives; the system lets go of it when the submitter ends,
//! however that happens. Old journals that nobody came back for are removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use disk::homes::make_private_folder;
use disk::limited::read_limited;
use disk::lock::{Lock, LockError, is_held};
use farm_queue::JobId;

use super::plan_file::{MAX_PLAN_BYTES, SavedPlan, SavedPlanError};
use super::records::{self, Found, Reading};

/// Journals that nobody came back for are kept this long.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);
/// All journals together keep at most about this many bytes; the oldest go first.
const MAX_TOTAL_BYTES: u64 = 64 << 30;
/// Journals that are looked at.
const MAX_JOURNALS: usize = 10_000;

const PLAN: &str = "plan.json";
const STRIPS: &str = "strips";

/// Why a journal was not taken up.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system has no place for journals.
    #[error("there is no folder for journals; name one with --journal")]
    NoFolder,
    /// No journal's name begins so.
    #[error("no journal of a job '{given}' in {}; `submitter resume` lists what is there", folder.display())]
    Unknown {
        /// What was asked for.
        given: String,
        /// Where journals are.
        folder: PathBuf,
    },
    /// Several do.
    #[error("'{given}' begins the names of {count} jobs; `submitter resume` lists them")]
    Ambiguous {
        /// What was asked for.
        given: String,
        /// How many.
        count: usize,
    },
    /// Its submitter lives.
    #[error("job {0} is still under way in another submitter")]
    Live(JobId),
    /// Its plan cannot be used.
    #[error("the journal of job {job} cannot be used")]
    Plan {
        /// The job.
        job: JobId,
        /// Why.
        source: SavedPlanError,
    },
    /// The disk failed.
    #[error("the journal of job {job} cannot be read")]
    Io {
        /// The job.
        job: JobId,
        /// What the system said.
        source: io::Error,
    },
}

/// All journals of a user.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A journal that this process has taken up, and nobody else can.
#[derive(Debug)]
pub struct TakenJournal {
    /// Its plan.
    pub saved: SavedPlan,
    /// Its folder.
    pub folder: PathBuf,
    /// Its file of records, locked.
    pub file: File,
    /// What that holds.
    pub found: Found,
}

/// One journal, for a list.
#[derive(Debug)]
pub struct JournalEntry {
    /// Its plan.
    pub saved: SavedPlan,
    /// Strips that it holds.
    pub strips: usize,
    /// Bytes of its file.
    pub bytes: u64,
    /// Whether its submitter lives.
    pub live: bool,
}

impl Store {
    /// Journals in `folder`, which need not be there yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Jobs that have a folder, the oldest first.
    fn jobs(&self) -> Vec<JobId> {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let name = |entry: io::Result<fs::DirEntry>| {
            let name = entry.ok()?.file_name();
            JobId::try_from(name.into_string().ok()?).ok()
        };
        let mut jobs: Vec<JobId> = entries.take(MAX_JOURNALS).filter_map(name).collect();
        jobs.sort();
        jobs
    }

    fn folder_of(&self, job: &JobId) -> PathBuf {
        self.folder.join(job.as_str())
    }

    fn saved(&self, job: &JobId) -> Result<SavedPlan, StoreError> {
        let bytes = read_limited(&self.folder_of(job).join(PLAN), MAX_PLAN_BYTES);
        let bytes = bytes.map_err(|error| StoreError::Io {
            job: job.clone(),
            source: error.into(),
        })?;
        let saved = SavedPlan::decode(&bytes).and_then(|saved| {
            let own = saved.job.id == *job;
            own.then_some(saved).ok_or(SavedPlanError::Field("name"))
        });
        saved.map_err(|source| StoreError::Plan {
            job: job.clone(),
            source,
        })
    }

    /// The journals that can be read, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<JournalEntry> {
        let listed = |job: JobId| {
            let saved = self.saved(&job).ok()?;
            let mut file = File::open(self.folder_of(&job).join(STRIPS)).ok()?;
            let live = is_held(&file);
            let found = records::scan(&mut file, Reading::of(&saved.job, false)).ok()?;
            Some(JournalEntry {
                strips: found.strips.len(),
                bytes: file.metadata().map_or(0, |metadata| metadata.len()),
                live,
                saved,
            })
        };
        self.jobs().into_iter().filter_map(listed).collect()
    }

    /// The one job whose name begins with `given`.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn find(&self, given: &str) -> Result<JobId, StoreError> {
        let upper = given.to_ascii_uppercase();
        let mut jobs = self.jobs();
        jobs.retain(|job| job.as_str().starts_with(&upper));
        match (jobs.len(), jobs.pop()) {
            (1, Some(job)) => Ok(job),
            (0, _) | (_, None) => Err(StoreError::Unknown {
                given: given.to_owned(),
                folder: self.folder.clone(),
            }),
            (count, _) => Err(StoreError::Ambiguous {
                given: given.to_owned(),
                count,
            }),
        }
    }

    /// Takes up the journal of `job`.
    ///
    /// # Errors
    /// When its submitter lives, or it cannot be read.
    pub fn take(&self, job: &JobId) -> Result<TakenJournal, StoreError> {
        let folder = self.folder_of(job);
        let io = |source| StoreError::Io {
            job: job.clone(),
            source,
        };
        let path = folder.join(STRIPS);
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let lock = Lock::of(file.map_err(io)?, &path).map_err(|error| match error {
            LockError::Held(_) => StoreError::Live(job.clone()),
            LockError::Io { reason, .. } | LockError::NoLocks { reason, .. } => io(reason),
        })?;
        let mut file = lock.into_file();
        // Read under the lock: what was removed in between is not taken up.
        let saved = self.saved(job)?;
        let found = records::scan(&mut file, Reading::of(&saved.job, true)).map_err(io)?;
        if found.damage > 0 {
            tracing::warn!(%job, places = found.damage, "the journal is damaged; what is lost is computed again");
        }
        // What was torn off is written over.
        file.set_len(found.end).map_err(io)?;
        Ok(TakenJournal {
            saved,
            folder,
            file,
            found,
        })
    }

    /// The newest journal with this fingerprint that nobody holds, taken up.
    #[must_use]
    pub fn same(&self, fingerprint: &str) -> Option<TakenJournal> {
        self.jobs().into_iter().rev().find_map(|job| {
            let saved = self.saved(&job).ok()?;
            (saved.fingerprint == fingerprint).then_some(())?;
            self.take(&job).ok()
        })
    }

    /// Begins the journal of a job: its folder, its locked file of records, and its plan at last.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(&self, saved: &SavedPlan) -> io::Result<(PathBuf, File)> {
        let folder = self.folder_of(&saved.job.id);
        make_private_folder(&folder)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(folder.join(STRIPS))?;
        file.try_lock()?;
        let plan = saved.encode().map_err(io::Error::other)?;
        let mut beside = tempfile::NamedTempFile::new_in(&folder)?;
        beside.write_all(&plan)?;
        beside
            .persist(folder.join(PLAN))
            .map_err(|error| error.error)?;
        Ok((folder, file))
    }

    /// Removes journals that nobody came back for: over [`MAX_AGE`], and the oldest of those that are together
    /// over [`MAX_TOTAL_BYTES`].
    pub fn tidy(&self) {
        let mut total = 0;
        // The newest first: what comes over the limit is older.
        for job in self.jobs().into_iter().rev() {
            let folder = self.folder_of(&job);
            let Ok(metadata) = fs::metadata(folder.join(STRIPS)) else {
                continue;
            };
            total += metadata.len();
            let age = metadata.modified().ok();
            let age = age.and_then(|then| SystemTime::now().duration_since(then).ok());
            let old = age.is_some_and(|age| age > MAX_AGE);
            if !old && total <= MAX_TOTAL_BYTES {
                continue;
            }
            let Ok(file) = File::open(folder.join(STRIPS)) else {
                continue;
            };
            if Lock::of(file, &folder).is_ok() {
                let why = if old {
                    "older than 30 days"
                } else {
                    "the oldest of more than 64 GiB"
                };
                tracing::warn!(%job, "journal removed: {why}");
                remove(&folder);
                total -= metadata.len();
            }
        }
    }
}

/// Removes a journal: its plan first, so that nobody takes up the rest.
pub fn remove(folder: &Path) {
    for name in [PLAN, STRIPS] {
        if let Err(error) = fs::remove_file(folder.join(name)) {
            tracing::warn!(%error, folder = %folder.display(), "journal not removed");
        }
    }
    if let Err(error) = fs::remove_dir_all(folder) {
        tracing::warn!(%error, folder = %folder.display(), "journal not removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::plans::{plan, saved};

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("jobs"));
        (folder, store)
    }

    #[test]
    fn a_journal_is_taken_up_by_one_alone() {
        let (_folder, store) = store();
        let saved = saved(&plan(&["a.png"]));
        let job = saved.job.id.clone();
        let (_, file) = store.begin(&saved).unwrap();
        assert!(store.list()[0].live);
        assert!(matches!(store.take(&job), Err(StoreError::Live(_))));
        assert!(store.same(&saved.fingerprint).is_none());
        drop(file);
        assert!(!store.list()[0].live);
        let taken = store.same(&saved.fingerprint).unwrap();
        assert_eq!(taken.saved, saved);
        assert!(store.same(&saved.fingerprint).is_none());
        remove(&taken.folder);
        assert!(store.list().is_empty());
        assert!(fs::read_dir(&store.folder).unwrap().next().is_none());
    }

    #[test]
    fn a_job_is_found_by_the_beginning_of_its_name() {
        let (_folder, store) = store();
        assert!(matches!(store.find(""), Err(StoreError::Unknown { .. })));
        let (one, other) = (saved(&plan(&["a.png"])), saved(&plan(&["b.png"])));
        store.begin(&one).unwrap();
        let name = one.job.id.as_str();
        assert_eq!(store.find(&name[..3].to_lowercase()).unwrap(), one.job.id);
        store.begin(&other).unwrap();
        assert_eq!(store.find(name).unwrap(), one.job.id);
        assert!(matches!(
            store.find(&name[..2]),
            Err(StoreError::Ambiguous { count: 2, .. })
        ));
        assert!(matches!(store.find("X"), Err(StoreError::Unknown { .. })));
    }

    #[test]
    fn foreign_things_in_the_folder_are_left_alone() {
        let (_folder, store) = store();
        let (folder, _) = store.begin(&saved(&plan(&["a.png"]))).unwrap();
        let other = store.folder_of(&JobId::generate());
        fs::create_dir(&other).unwrap();
        fs::write(other.join(STRIPS), "x").unwrap();
        fs::write(other.join(PLAN), "{}").unwrap();
        fs::write(store.folder.join("note"), "x").unwrap();
        assert_eq!(store.list().len(), 1);
        // Another job's plan in this one's folder.
        fs::copy(folder.join(PLAN), other.join(PLAN)).unwrap();
        assert_eq!(store.list().len(), 1);
        store.tidy();
        assert!(other.exists() && folder.exists());
    }

    #[test]
    fn what_nobody_came_back_for_goes_after_a_month() {
        let (_folder, store) = store();
        let (old, file) = store.begin(&saved(&plan(&["a.png"]))).unwrap();
        let long_ago = SystemTime::now() - 2 * MAX_AGE;
        file.set_modified(long_ago).unwrap();
        store.tidy();
        assert!(old.exists(), "its submitter lives");
        drop(file);
        store.tidy();
        assert!(!old.exists());
    }
}
