//! The two faces of a queue: a worker's and a submitter's.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use fractal::{BackendChoice, ReferenceOrbit, Strip, StripBuffer};

use crate::job::{JobId, JobSpec};
use crate::orbit::SharedOrbit;
use crate::order::{Issue, Order};
use crate::status::{JobOrders, JobReport, LeaveOrder, UnderWay, WorkerAbout, WorkerFigures};

/// Most strips whose failures are told at a time.
pub const SAMPLED_FAILURES: usize = 16;

/// What a worker's lane can compute: it is offered only jobs that admit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedBackends {
    /// It can use the processor.
    pub cpu: bool,
    /// It can use an adapter.
    pub gpu: bool,
}

impl AcceptedBackends {
    /// Whether a job with this choice may be offered.
    #[must_use]
    pub fn admits(self, choice: BackendChoice) -> bool {
        match choice {
            BackendChoice::Auto => self.cpu || self.gpu,
            BackendChoice::Cpu => self.cpu,
            BackendChoice::Gpu => self.gpu,
        }
    }
}

/// A strip that is this worker's until its heartbeats stop.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The strip's job.
    pub job: Arc<JobSpec>,
    /// The strip.
    pub strip: Strip,
    /// What it is wanted for.
    pub issue: Issue,
    /// How often it was delivered, this time included; from 1.
    pub attempt: u32,
    /// The queue's own name for the entry.
    pub entry: String,
}

impl Lease {
    /// The place of its result among those of its job.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.issue.slot(self.strip, self.job.strips)
    }
}

/// Answer to a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// Still this worker's, for another [`crate::job::LEASE`].
    Held,
    /// Somebody else's by now, or done by somebody else: stop.
    Lost,
    /// The job is finished or cancelled: stop.
    JobGone,
}

/// Answer to a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The first buffer of this strip.
    First,
    /// Somebody else was first; nothing changed.
    Duplicate,
    /// The job is finished or cancelled; nothing was kept.
    JobGone,
}

/// What a submitter finds.
#[derive(Debug)]
pub enum Collected {
    /// A strip's first, checked buffer.
    Strip {
        /// The buffer; it fits its strip and the job's frame.
        buffer: Arc<StripBuffer>,
        /// Name of the worker that made it.
        worker: String,
        /// Deliveries that it took, from 1.
        attempt: u32,
        /// What it was wanted for.
        issue: Issue,
        /// Names of workers that failed at it before, each as often as it did.
        failed_workers: Vec<String>,
    },
    /// A result that was malformed, truncated, oversized or foreign; counted and thrown away. The
    /// submitter enqueues the strip again.
    Rejected {
        /// The strip, where the message named one of the job.
        strip: Option<Strip>,
        /// One line.
        reason: String,
    },
    /// A strip that was delivered more than [`crate::job::MAX_DELIVERIES`] times without a result.
    Dead {
        /// The strip.
        strip: Strip,
        /// What it was wanted for.
        issue: Issue,
        /// Why, as far as workers said so.
        reasons: Vec<String>,
    },
}

/// Why the queue did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The server cannot be reached or broke the connection; may pass.
    #[error("cannot reach Redis at {address}: {reason}")]
    Unreachable {
        /// Host and port, or path of the socket, without credentials.
        address: String,
        /// What the connection said.
        reason: String,
    },
    /// The server wants other credentials.
    #[error("Redis at {address} refused the credentials: {reason}")]
    Denied {
        /// Host and port, or path of the socket, without credentials.
        address: String,
        /// What the server said, and how they are given.
        reason: String,
    },
    /// The server is set up in a way in which strips could be lost, or is too old.
    #[error("Redis at {address} cannot be used: {reason}")]
    Unfit {
        /// Host and port, or path of the socket, without credentials.
        address: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The address is none.
    #[error("'{given}' is not a Redis address: {reason} (like redis://127.0.0.1:6379)")]
    Address {
        /// As given, without credentials.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What was given for connecting does not fit together, or would show secrets; nothing was opened.
    #[error("{0}")]
    Options(String),
    /// The server does not know the farm's scripts, and this user may not send them; passes when a submitter does.
    #[error(
        "Redis at {address} does not know the farm's scripts, and this user may not send them: waiting for a submitter to do so"
    )]
    Scripts {
        /// Host and port, or path of the socket, without credentials.
        address: String,
    },
    /// The server is out of memory; may pass when submitters collect.
    #[error("Redis is out of memory: {0}")]
    OutOfMemory(String),
    /// An operator cancelled the job.
    #[error("job {0} was cancelled")]
    Cancelled(JobId),
    /// The queue holds no such job: it was finished, expired or flushed away.
    #[error("the queue does not know job {0} any more")]
    JobGone(JobId),
    /// A job's reference orbit has more values than were asked for.
    #[error("a reference orbit of {0} values")]
    LongOrbit(u64),
    /// The job may not be computed; nothing was queued.
    #[error("the queue refused the job: {0}")]
    Spec(String),
    /// Anything else that the server answered.
    #[error("Redis answered: {0}")]
    Server(String),
}

/// A queue as a worker sees it. All calls may be made from several tasks at once.
pub trait WorkerQueue: Send + Sync + 'static {
    /// A strip that `accepts` admits; waits up to `wait` for one. Cancel-safe: a dropped call leaks no strip.
    fn lease(
        &self,
        accepts: AcceptedBackends,
        wait: Duration,
    ) -> impl Future<Output = Result<Option<Lease>, QueueError>> + Send;

    /// Keeps a lease alive; call it at least every third of [`crate::job::LEASE`].
    fn heartbeat(
        &self,
        lease: &Lease,
    ) -> impl Future<Output = Result<LeaseState, QueueError>> + Send;

    /// Hands over the buffer of a leased strip. Idempotent: when its outcome is unknown, call it again.
    fn deliver(
        &self,
        lease: &Lease,
        buffer: Arc<StripBuffer>,
    ) -> impl Future<Output = Result<DeliveryOutcome, QueueError>> + Send;

    /// Gives a strip back at once and uncounted (a worker that is told to stop).
    fn release(&self, lease: &Lease) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Gives a strip back at once after a failure that counts as a delivery; `reason` is kept for the dead letters.
    fn fail(
        &self,
        lease: &Lease,
        reason: &str,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// How long the queue takes to answer, of late.
    fn trip(&self) -> Duration {
        Duration::ZERO
    }

    /// Leaves all strips of a job to other workers for a while, where this one cannot do it.
    fn leave_to_others(&self, job: &JobId) -> impl Future<Output = ()> + Send;

    /// The reference orbit of a job, of `most` values at most; `None` where the queue does not hold it (any more).
    /// `piece` is called whenever some of it has come.
    fn orbit(
        &self,
        job: &JobSpec,
        most: u64,
        piece: &(dyn Fn() + Sync),
    ) -> impl Future<Output = Result<Option<Arc<ReferenceOrbit>>, QueueError>> + Send;

    /// Leaves the farm: forgets this worker, unless it still holds strips.
    fn leave(&self) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Resolves at the next hint that a lease may have ended, because its job did: beat at once then. A
    /// hint may get lost.
    fn hint(&self) -> impl Future<Output = ()> + Send;

    /// Resolves when an operator asks this worker to leave; says how.
    fn leave_order(&self) -> impl Future<Output = LeaveOrder> + Send;

    /// Resolves when a task of the queue's own has ended, which none does as long as the queue is used; names it.
    fn broken(&self) -> impl Future<Output = &'static str> + Send {
        std::future::pending()
    }

    /// Says what this worker is; it is given only jobs of its build from then on.
    fn describe(&self, about: WorkerAbout);

    /// Strips on the queue that this worker knows of, those under way included, as last seen with a sign of life;
    /// `None` before the first.
    fn depth(&self) -> Option<u64>;

    /// Says what this worker has done so far; goes out with its next sign of life.
    fn tell(&self, figures: WorkerFigures);
}

/// A queue as a submitter sees it.
pub trait JobQueue: Send + Sync + 'static {
    /// Most bytes of buffers that may be queued, leased or waiting to be collected at once.
    fn window_bytes(&self) -> u64;

    /// Makes a job known to workers; nothing is queued yet. A job that is known already is taken up as it is:
    /// so a submitter that was restarted goes on.
    fn create(&self, job: Arc<JobSpec>) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Makes the reference orbit of a created job known to workers, before anything of it is queued. It is kept, and
    /// put back where the server lost it, until the job ends.
    fn share_orbit(
        &self,
        job: &JobId,
        orbit: SharedOrbit,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// From now on another process could go on with a job: it outlives its submitter's last sign of life by an hour,
    /// and not by half a minute only.
    fn outlive(&self, job: &JobId) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Queues strips of a job, in this order.
    fn enqueue(
        &self,
        job: &JobId,
        orders: &[Order],
    ) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// What workers have delivered since the last call; waits up to `wait` for something. Each strip's
    /// buffer is handed out once and is gone from the queue then.
    fn collect(
        &self,
        job: &JobId,
        wait: Duration,
    ) -> impl Future<Output = Result<Vec<Collected>, QueueError>> + Send;

    /// Makes whole what the queue lost of a job (its server came back empty or with older data), and says
    /// which of the `awaited` strips it does not hold any more: neither to do, nor under way, nor done, nor dead.
    fn repair(
        &self,
        job: &JobId,
        awaited: &[Strip],
    ) -> impl Future<Output = Result<Vec<Strip>, QueueError>> + Send;

    /// The submitter's sign of life, about once a second: how the job stands; and what operators want of it.
    fn report(
        &self,
        job: &JobId,
        report: &JobReport,
    ) -> impl Future<Output = Result<JobOrders, QueueError>> + Send;

    /// Which of the job's strips wait, and who has the others.
    fn under_way(&self, job: &JobId) -> impl Future<Output = Result<UnderWay, QueueError>> + Send;

    /// Some of the reasons that workers gave for failing at the job's strips, each with its worker; [`SAMPLED_FAILURES`]
    /// strips' at most.
    fn failures(&self, job: &JobId)
    -> impl Future<Output = Result<Vec<String>, QueueError>> + Send;

    /// Keeps a worker, by its name, from getting strips of any job: for a minute, and each time twice as long, up to
    /// an hour. Its record is forgotten after a day.
    fn quarantine(
        &self,
        worker: &str,
        reason: &str,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Ends a job, finished or not: removes all that the queue holds of it, and tells its workers.
    fn finish(&self, job: &JobId) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// Ends a job as failed: like [`JobQueue::finish`], but its last report stays readable for a day.
    fn fail(
        &self,
        job: &JobId,
        report: &JobReport,
    ) -> impl Future<Output = Result<(), QueueError>> + Send;

    /// How many workers are alive, as far as the queue knows.
    fn workers(&self) -> impl Future<Output = Result<usize, QueueError>> + Send;
}
