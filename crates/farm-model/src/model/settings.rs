//! The farms that are checked: their size, what may go wrong on them, and what is changed in the protocol.

/// What is changed in the protocol, so that the checker can be seen to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// The protocol as it is.
    Sound,
    /// A strip is acknowledged before its bytes are stored.
    AcknowledgedFirst,
    /// A heartbeat takes the entry, whoever has it.
    UnguardedHeartbeat,
    /// A worker that leaves is forgotten, whatever it holds.
    UnguardedLeave,
    /// A worker takes what it failed at as if there were no others.
    FailedAtOnce,
    /// A repair reads on where the submitter was, instead of from the start.
    ReadOnce,
}

/// How often each fault may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    /// All of them together.
    pub total: u8,
    /// A worker's process dies and another one starts.
    pub crashes: u8,
    /// A lease runs out.
    pub expiries: u8,
    /// The answer to a lease or to a commit gets lost.
    pub lost_answers: u8,
    /// A worker fails at what it has.
    pub failures: u8,
    /// A worker is told to stop: gives back what it has, and leaves.
    pub drains: u8,
    /// A copy of what is under way is queued.
    pub copies: u8,
    /// The server comes back with what it knew some steps before.
    pub rollbacks: u8,
    /// The server comes back empty.
    pub flushes: u8,
    /// The submitter dies and goes on from its disk.
    pub restarts: u8,
    /// An operator cancels the job.
    pub cancels: u8,
}

/// A farm to check.
#[derive(Clone, Debug)]
pub struct Model {
    /// What is changed.
    pub variant: Variant,
    /// Workers.
    pub workers: u8,
    /// Strips.
    pub strips: u32,
    /// Most strips on the queue.
    pub window: usize,
    /// Deliveries after which a strip is given up.
    pub deliveries: u32,
    /// Most steps of the server that a rollback undoes.
    pub unsaved: u8,
    /// What may go wrong.
    pub faults: Faults,
}

impl Model {
    /// Two workers and three strips; nothing goes wrong.
    #[must_use]
    pub fn quiet(variant: Variant) -> Self {
        Self {
            variant,
            workers: 2,
            strips: 3,
            window: 3,
            deliveries: 2,
            unsaved: 3,
            faults: Faults::default(),
        }
    }

    /// The farms that are checked, by name: together they have every fault, and most pairs of them.
    #[must_use]
    pub fn farms(variant: Variant) -> Vec<(&'static str, Self)> {
        let quiet = Self::quiet(variant);
        vec![
            (
                "workers that die, pause and lose answers",
                Self {
                    faults: Faults {
                        total: 3,
                        crashes: 1,
                        expiries: 2,
                        lost_answers: 1,
                        ..Faults::default()
                    },
                    ..quiet
                },
            ),
            (
                "copies, failures and drained workers",
                Self {
                    window: 2,
                    faults: Faults {
                        total: 2,
                        expiries: 2,
                        failures: 2,
                        lost_answers: 1,
                        drains: 1,
                        copies: 1,
                        ..Faults::default()
                    },
                    ..quiet
                },
            ),
            (
                "a submitter that dies, a job that is cancelled",
                Self {
                    window: 2,
                    faults: Faults {
                        total: 2,
                        crashes: 1,
                        expiries: 2,
                        copies: 1,
                        restarts: 1,
                        cancels: 1,
                        ..Faults::default()
                    },
                    ..quiet
                },
            ),
            (
                "a server that comes back empty",
                Self {
                    window: 2,
                    faults: Faults {
                        total: 2,
                        flushes: 1,
                        restarts: 1,
                        ..Faults::default()
                    },
                    ..quiet
                },
            ),
            (
                "a server that comes back with older data",
                Self {
                    window: 2,
                    // Whoever fails once, or falls silent, is the last: dead letters that come back are in it.
                    deliveries: 1,
                    unsaved: 2,
                    faults: Faults {
                        total: 2,
                        failures: 1,
                        rollbacks: 1,
                        ..Faults::default()
                    },
                    ..quiet
                },
            ),
        ]
    }
}
