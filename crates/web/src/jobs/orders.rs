//! What can be done with jobs.

use hyper::StatusCode;

use super::queue::{Brief, Jobs, remove_folder};
use super::record::{JobState, now};
use crate::answer::Problem;

impl Jobs {
    /// Cancels a job that is not done.
    ///
    /// # Errors
    /// When it is done, or the disk fails.
    pub fn cancel(&self, job: &str) -> Result<(), Problem> {
        let mut record = self.job(job)?.record;
        let mut state = self.state();
        if let Some(running) = state.running.get_mut(job) {
            // Whoever makes it says its end.
            running.is_cancelled = true;
            running.stop.request();
            return Ok(());
        }
        let brief = state.all.get(job).map(|brief| brief.state);
        if brief != Some(JobState::Queued) {
            return Err(Problem::new(StatusCode::CONFLICT, "it is not under way"));
        }
        record.state = JobState::Cancelled;
        record.ended = Some(now());
        self.store.put(std::slice::from_ref(&record))?;
        state.waiting.remove(job);
        state.all.insert(job.to_owned(), Brief::of(&record));
        drop(state);
        remove_folder(&self.work(job));
        self.note();
        Ok(())
    }

    /// Queues a job again that failed or was cancelled; what was kept of it is not computed again.
    ///
    /// # Errors
    /// When it did not, or there is no room for it.
    pub fn retry(&self, job: &str) -> Result<(), Problem> {
        let mut record = self.job(job)?.record;
        if !matches!(record.state, JobState::Failed | JobState::Cancelled) {
            let line = "it neither failed nor was it cancelled";
            return Err(Problem::new(StatusCode::CONFLICT, line));
        }
        record.state = JobState::Queued;
        record.ended = None;
        record.error = None;
        self.admit(&record, false)
    }

    /// Forgets a job that is done, failed or cancelled, with what is kept of it. Its files stay.
    ///
    /// # Errors
    /// When it is not, or the disk fails.
    pub fn forget(&self, job: &str) -> Result<(), Problem> {
        let record = self.job(job)?.record;
        if record.state == JobState::Queued {
            return Err(Problem::new(StatusCode::CONFLICT, "cancel it first"));
        }
        let mut state = self.state();
        self.store.remove(&[job.to_owned()])?;
        state.all.remove(job);
        drop(state);
        remove_folder(&self.work(job));
        self.note();
        Ok(())
    }
}
