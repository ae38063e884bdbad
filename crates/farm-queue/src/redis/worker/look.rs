//! One look for a strip: among the leases that ran out, then in the queues of the jobs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::{Pipeline, cmd};
use tokio::time::Instant;

use super::shared::{Inner, KnownJob, MAX_LISTED};
use crate::job::{JobId, JobSpec, MAX_DELIVERIES};
use crate::protocol::choice::MAX_JOBS;
use crate::protocol::keys::{self, JobKeys};
use crate::protocol::{entry, spec};
use crate::queue::{AcceptedBackends, Lease, QueueError};
use crate::redis::connect::{CONTROL_TIMEOUT, SendError, is_no_group};
use crate::redis::lifetimes::{JOB_LIFETIME, millis};
use crate::redis::{reply, scripts};

/// How long a job whose spec is bad, or gone, is not looked at again.
const BAD_SPEC_WAIT: Duration = Duration::from_secs(10);
const GONE_SPEC_WAIT: Duration = Duration::from_secs(2);
/// How long a worker takes it that the job which it serves is still offered.
const LIST_INTERVAL: Duration = Duration::from_secs(1);
/// Most jobs whose specs are kept.
const MAX_KNOWN_JOBS: usize = 2 * MAX_LISTED;
/// Most entries that are remembered as this worker's own; a lane holds two at most, so more are forgotten ones.
const MAX_HELD: usize = 4096;
/// Most malformed entries that one look drops.
const MAX_DROPS: usize = 64;

impl Inner {
    fn reject(&self, what: &str, error: &dyn std::fmt::Display) {
        self.malformed.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("{what}: {error}");
    }

    /// One look for a strip.
    pub(super) async fn try_lease(
        self: &Arc<Self>,
        accepts: AcceptedBackends,
    ) -> Result<Option<Lease>, QueueError> {
        let (current, current_turn) = {
            let mut state = self.state();
            let (claims, urgent) = {
                let heard = self.heard.borrow();
                (heard.claims, heard.urgent)
            };
            if state
                .quarantined_until
                .is_some_and(|until| Instant::now() < until)
            {
                return Ok(None);
            }
            if state.claims_seen != claims {
                state.claims_seen = claims;
                let now = Instant::now();
                for known in state.jobs.values_mut() {
                    if let KnownJob::Good { next_scan, .. } = known {
                        *next_scan = now;
                    }
                }
            }
            if state.urgent_seen != urgent {
                // The job that is served may have to wait.
                state.urgent_seen = urgent;
                state.listed = None;
            }
            // A job that is paused is listed no more.
            let listed = state.listed.is_some_and(|at| at.elapsed() < LIST_INTERVAL);
            let turn = state.chooser.current().cloned();
            (turn.clone().filter(|_| listed), turn)
        };
        // While a turn lasts, the list of jobs is seldom asked for: one round trip a strip.
        if let Some(job) = &current
            && let Some(lease) = self.lease_from(job, accepts).await?
        {
            return Ok(Some(lease));
        }
        let offered = self.jobs().await?;
        if let Some(job) = &current_turn
            && !offered.iter().any(|(name, _)| name == job)
        {
            self.state().chooser.note_idle(job);
        }
        // Jobs that it cannot serve are known without asking; however many of them there are, the others have their turn.
        let servable = (offered.into_iter())
            .filter(|(job, _)| self.may_serve(job, accepts))
            .collect();
        let order = self.state().chooser.order(servable);
        // Drawn anew each time: whoever is left out has its turn in another look.
        for job in order.into_iter().take(MAX_JOBS) {
            if current.as_ref() != Some(&job)
                && let Some(lease) = self.lease_from(&job, accepts).await?
            {
                return Ok(Some(lease));
            }
        }
        Ok(None)
    }

    /// The farm's jobs by priority.
    async fn jobs(&self) -> Result<Vec<(JobId, f64)>, QueueError> {
        let mut ask = cmd("ZREVRANGE");
        ask.arg(keys::JOBS)
            .arg(0)
            .arg(MAX_LISTED - 1)
            .arg("WITHSCORES");
        let named: Vec<(String, f64)> = self.control.query(&ask, CONTROL_TIMEOUT).await?;
        let named = named.into_iter();
        let named: Vec<_> = named
            .filter_map(|(name, score)| Some((JobId::parse(&name)?, score)))
            .collect();
        let mut state = self.state();
        state.listed = Some(Instant::now());
        state.offered = named.iter().map(|(job, _)| job.clone()).collect();
        Ok(named)
    }

    /// Whether a strip of `job` may be had, as far as is known without asking.
    fn may_serve(&self, job: &JobId, accepts: AcceptedBackends) -> bool {
        let state = self.state();
        match state.jobs.get(job) {
            None => true,
            Some(KnownJob::Skip { until, .. }) => *until <= Instant::now(),
            Some(KnownJob::Good { spec, .. }) => {
                let own = state.about.build;
                accepts.admits(spec.backend)
                    && (own == 0 || own == spec.build)
                    && state.about.has_tag(spec.on.as_deref())
            }
        }
    }

    /// One look for a strip of `job`.
    async fn lease_from(
        self: &Arc<Self>,
        job: &JobId,
        accepts: AcceptedBackends,
    ) -> Result<Option<Lease>, QueueError> {
        let Some((spec, keys)) = self.spec(job).await? else {
            return Ok(None);
        };
        if !accepts.admits(spec.backend) || !self.is_of_its_build(&spec) {
            return Ok(None);
        }
        if !self.state().about.has_tag(spec.on.as_deref()) {
            return Ok(None);
        }
        if !self.joins(&spec, &keys).await? {
            self.state().chooser.note_idle(job);
            return Ok(None);
        }
        for _ in 0..MAX_DROPS {
            let Some(((id, fields), attempt)) = self.next_entry(job, &keys).await? else {
                break;
            };
            match entry::order(&fields, spec.strips) {
                Ok(order) if order.not.as_deref() == Some(&self.name) => {
                    // For somebody else: given back, and passed over from now on.
                    self.give_back(&keys, &id, attempt).await?;
                }
                Ok(order) => {
                    let mut state = self.state();
                    if state.held.len() >= MAX_HELD {
                        state.held.clear();
                    }
                    state.held.insert((job.clone(), id.clone()));
                    state.chooser.note_served(job);
                    state.last_lease = Some(Instant::now());
                    return Ok(Some(Lease {
                        job: spec,
                        strip: order.strip,
                        issue: order.issue,
                        attempt,
                        entry: id,
                    }));
                }
                Err(error) => {
                    self.reject("dropped a malformed strip", &error);
                    let mut drop = Pipeline::new();
                    drop.cmd("XACK").arg(&keys.queue).arg(keys::GROUP).arg(&id);
                    drop.cmd("XDEL").arg(&keys.queue).arg(&id);
                    self.control.pipeline(&drop, CONTROL_TIMEOUT).await?;
                }
            }
        }
        self.state().chooser.note_idle(job);
        Ok(None)
    }

    /// Whether this worker has the kernels that the job wants.
    fn is_of_its_build(&self, spec: &JobSpec) -> bool {
        let mut state = self.state();
        let own = state.about.build;
        let fits = own == 0 || own == spec.build;
        if !fits && state.foreign_builds.insert(spec.build) {
            tracing::warn!(
                job = %spec.id, wanted = format!("{:016x}", spec.build), own = format!("{own:016x}"),
                "a job wants kernels of another build; it is left to workers that have them"
            );
            if state.foreign_builds.len() > MAX_KNOWN_JOBS {
                state.foreign_builds.clear();
            }
        }
        fits
    }

    /// Takes, or keeps, one of a job's places for workers, where it has only so many.
    pub(super) async fn joins(&self, spec: &JobSpec, keys: &JobKeys) -> Result<bool, QueueError> {
        let Some(most) = spec.max_workers else {
            return Ok(true);
        };
        let call = (scripts::JOIN.call(&[&keys.crew, &keys.queue]))
            .arg(&self.consumer)
            .arg(most)
            .arg(millis(2 * self.lease));
        Ok(self.control.script::<i64>(&call).await? == 1)
    }

    /// The next entry of a job: one that is ours unknown to us, one whose lease ran out, or a new one.
    async fn next_entry(
        &self,
        job: &JobId,
        keys: &JobKeys,
    ) -> Result<Option<(reply::Entry, u32)>, QueueError> {
        if self.state().lost_answers.contains(job) {
            let found = self.adopt(job, keys).await?;
            if found.is_some() {
                return Ok(found);
            }
            self.state().lost_answers.remove(job);
        }
        if self.scan_is_due(job) {
            let passed = self.left_to_others(job).await?;
            let mut call = scripts::CLAIM
                .call(&[&keys.queue, &keys.dead, &keys.why, &keys.bits])
                .arg(keys::GROUP)
                .arg(&self.consumer)
                .arg(millis(self.lease))
                .arg(MAX_DELIVERIES)
                .arg(entry::ENTRY_VERSION)
                .arg(millis(JOB_LIFETIME))
                .arg(keys::RELEASED)
                .arg(keys::FAILED)
                .arg(&self.name);
            for (entry, until) in passed {
                call = call.arg(entry).arg(until);
            }
            let claimed = reply::taken_over(self.control.script(&call).await?);
            if claimed.is_some() {
                // There may be more.
                return Ok(claimed);
            }
            self.scanned(job);
        }
        let mut ask = cmd("XREADGROUP");
        ask.arg("GROUP").arg(keys::GROUP).arg(&self.consumer);
        ask.arg("COUNT")
            .arg(1)
            .arg("STREAMS")
            .arg(&keys.queue)
            .arg(">");
        match self.control.query_once(&ask, CONTROL_TIMEOUT).await {
            Ok(value) => {
                let first = reply::streams(value)
                    .into_iter()
                    .flat_map(|(_, entries)| entries)
                    .next();
                Ok(first.map(|entry| (entry, 1)))
            }
            Err(SendError::Redis(error)) if is_no_group(&error) => {
                self.forget(job);
                Ok(None)
            }
            Err(error) => {
                if matches!(error, SendError::Redis(_)) {
                    let mut state = self.state();
                    // Jobs that end meanwhile stay. A forgotten strip is another's when its lease runs out.
                    if state.lost_answers.len() >= MAX_KNOWN_JOBS {
                        state.lost_answers.clear();
                    }
                    state.lost_answers.insert(job.clone());
                }
                Err(error.plain(self.control.server()))
            }
        }
    }

    /// Entries at which this worker failed and that are the others' turn, each with the deliveries after which they have.
    async fn left_to_others(&self, job: &JobId) -> Result<Vec<(String, u32)>, QueueError> {
        let now = self.start.elapsed();
        // One that has left is not to appear again.
        if self.state().failures.next_end(job, now).is_none() || self.left.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        // Asked each time: as soon as the others are gone, the strip is this worker's again.
        let (_, alive) = self.appear().await?;
        Ok((self.state().failures).passed_over(job, alive.saturating_sub(1), now))
    }

    async fn adopt(
        &self,
        job: &JobId,
        keys: &JobKeys,
    ) -> Result<Option<(reply::Entry, u32)>, QueueError> {
        let mut call = (scripts::ADOPT.call(&[&keys.queue]))
            .arg(keys::GROUP)
            .arg(&self.consumer);
        for (_, entry) in self.state().held.iter().filter(|(of, _)| of == job) {
            call = call.arg(entry);
        }
        Ok(reply::taken_over(self.control.script(&call).await?))
    }

    fn scan_is_due(&self, job: &JobId) -> bool {
        matches!(self.state().jobs.get(job), Some(KnownJob::Good { next_scan, .. }) if *next_scan <= Instant::now())
    }

    /// The next look among the leases: every quarter of one, at times that differ between workers.
    fn scanned(&self, job: &JobId) {
        let mut state = self.state();
        let jitter = 0.75 + 0.25 * state.chooser.uniform();
        if let Some(KnownJob::Good { next_scan, .. }) = state.jobs.get_mut(job) {
            *next_scan = Instant::now() + (self.lease / 4).mul_f64(jitter);
        }
    }

    fn forget(&self, job: &JobId) {
        let mut state = self.state();
        state.chooser.note_idle(job);
        state.held.retain(|(of, _)| of != job);
        state.lost_answers.remove(job);
        let until = Instant::now() + GONE_SPEC_WAIT;
        state.jobs.insert(
            job.clone(),
            KnownJob::Skip {
                until,
                refused: None,
            },
        );
    }

    /// A job's spec, from memory or from the server; `None` where there is none that can be used.
    async fn spec(&self, job: &JobId) -> Result<Option<(Arc<JobSpec>, Arc<JobKeys>)>, QueueError> {
        match self.state().jobs.get(job) {
            Some(KnownJob::Good { spec, keys, .. }) => {
                return Ok(Some((Arc::clone(spec), Arc::clone(keys))));
            }
            Some(KnownJob::Skip { until, .. }) if Instant::now() < *until => return Ok(None),
            _ => {}
        }
        let keys = Arc::new(JobKeys::new(job));
        let mut ask = cmd("GETRANGE");
        // One byte over the limit, so that an oversized spec is seen to be one without being read.
        ask.arg(&keys.spec).arg(0).arg(spec::MAX_SPEC_BYTES);
        let text: Vec<u8> = match self.control.query(&ask, CONTROL_TIMEOUT).await {
            Ok(text) => text,
            // Something else lies under the spec's name.
            Err(QueueError::Server(reason)) => reason.into_bytes(),
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        let farm_key = self.control.server().farm_key();
        let read = spec::decode(&text, farm_key).map_err(|error| error.to_string());
        let read = read.and_then(|read| match read.id == *job {
            true => Ok(read),
            false => Err("it is another's".to_owned()),
        });
        let mut state = self.state();
        let known = match &read {
            _ if text.is_empty() => KnownJob::Skip {
                until: now + GONE_SPEC_WAIT,
                refused: None,
            },
            Ok(spec) => KnownJob::Good {
                spec: Arc::new(spec.clone()),
                keys: Arc::clone(&keys),
                next_scan: now,
            },
            Err(error) => {
                // Said once, not each time that it is looked at again.
                let said = state.jobs.get(job);
                if !matches!(said, Some(KnownJob::Skip { refused: Some(said), .. }) if said == error)
                {
                    self.reject(&format!("job {job} is skipped"), error);
                }
                KnownJob::Skip {
                    until: now + BAD_SPEC_WAIT,
                    refused: Some(error.clone()),
                }
            }
        };
        if state.jobs.len() >= MAX_KNOWN_JOBS {
            // Whatever is still of use is read again.
            state.jobs.clear();
        }
        let spec = match &known {
            KnownJob::Good { spec, .. } => Some(Arc::clone(spec)),
            KnownJob::Skip { .. } => None,
        };
        state.jobs.insert(job.clone(), known);
        Ok(spec.map(|spec| (spec, keys)))
    }
}
