//! What the server takes for each step.

/// A step that the server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// One strip queued.
    Enqueue,
    /// A look for a new strip.
    Lease,
    /// A look among the leases.
    Claim,
    /// A look for what was leased in an answer that got lost.
    Adopt,
    /// A heartbeat.
    Heartbeat,
    /// A buffer stored and announced.
    Deliver,
    /// A buffer read and removed.
    Collect,
    /// A worker's sign of life.
    Presence,
    /// The submitter's report and its look at what is under way.
    Report,
}

/// Seconds of the server for each step, and of the submitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// One strip queued among many.
    pub enqueue: f64,
    /// XREADGROUP, with or without an entry; and its share of asking for the list of jobs.
    pub lease: f64,
    /// A script that changes one entry.
    pub script: f64,
    /// SET and the commit, without the buffer's bytes.
    pub deliver: f64,
    /// Its share of XREAD and the taking, and GETRANGE, without the buffer's bytes.
    pub collect: f64,
    /// A byte in or out.
    pub byte: f64,
    /// The submitter's own time for one strip.
    pub submitter: f64,
}

impl Costs {
    /// As measured on redis-server 7.0.15: `docs/scale.md` says how.
    #[must_use]
    pub fn measured() -> Self {
        Self {
            enqueue: 2.2e-6,
            lease: 23e-6,
            script: 24e-6,
            deliver: 32e-6,
            collect: 9e-6,
            byte: 0.16e-9,
            submitter: 50e-6,
        }
    }

    /// Seconds of the server for `step` with a buffer of `bytes`.
    #[must_use]
    pub fn of(&self, step: Step, bytes: u64) -> f64 {
        let bytes = bytes as f64 * self.byte;
        match step {
            Step::Enqueue => self.enqueue,
            Step::Lease => self.lease,
            Step::Claim | Step::Adopt | Step::Heartbeat | Step::Presence => self.script,
            Step::Deliver => self.deliver + bytes,
            Step::Collect => self.collect + bytes,
            Step::Report => 2.0 * self.script,
        }
    }
}
