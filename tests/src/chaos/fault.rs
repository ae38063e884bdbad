//! What can go wrong, by name.

use super::dice::Dice;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A worker is killed (SIGKILL); another one comes.
    WorkerKilled,
    /// A worker is stopped (SIGSTOP) for 5 to 20 seconds, then wakes.
    WorkerFrozen,
    /// A worker is told to stop (SIGTERM); another one comes.
    WorkerTerminated,
    /// A worker is drained by an operator; another one comes.
    WorkerDrained,
    /// The server is killed and comes back with its log.
    RedisKilled,
    /// The server is killed and comes back empty.
    RedisEmptied,
    /// The server is killed and comes back without the end of its log.
    RedisTorn,
    /// `FLUSHALL`.
    Flushed,
    /// `SCRIPT FLUSH`.
    ScriptsFlushed,
    /// `XGROUP DESTROY`.
    GroupDestroyed,
    /// The server's memory is at its limit for a while.
    OutOfMemory,
    /// The server throws away what was not used for long, for a while.
    Evicting,
    /// The server is told to be a replica of one that is not there, for a while (READONLY, MASTERDOWN).
    RedisDemoted,
    /// A replica comes, takes the server's data and its place: by `FAILOVER`, or promoted, also while the server is dead.
    RedisFollowed,
    /// Whoever waits for an answer is told that nothing comes (UNBLOCKED).
    Unblocked,
    /// A script keeps the server from everything else for a while (BUSY).
    Busy,
    /// The server cannot save and takes no writes for a while (MISCONF).
    Unsaved,
    /// Replicas that writes wait for are missing for a while (NOREPLICAS).
    ReplicasMissing,
    /// Somebody's connections are cut, and stay so for a while.
    NetworkCut,
    /// Somebody hears no answers for a while.
    NetworkHalfOpen,
    /// Somebody's bytes vanish for a while.
    NetworkSilent,
    /// Somebody's network is slow for a while.
    NetworkSlow,
    /// Somebody's connections are reset.
    NetworkReset,
    /// Somebody's connections break in the middle of messages for a while.
    NetworkTorn,
    /// Garbage among a job's keys.
    Planted,
    /// The submitter is killed (SIGKILL); its job is resumed.
    SubmitterKilled,
    /// The same, and the server is emptied meanwhile.
    SubmitterAndRedis,
    /// An operator pauses the job for a while.
    Paused,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 28] = [
        Self::WorkerKilled,
        Self::WorkerFrozen,
        Self::WorkerTerminated,
        Self::WorkerDrained,
        Self::RedisKilled,
        Self::RedisEmptied,
        Self::RedisTorn,
        Self::Flushed,
        Self::ScriptsFlushed,
        Self::GroupDestroyed,
        Self::OutOfMemory,
        Self::Evicting,
        Self::RedisDemoted,
        Self::RedisFollowed,
        Self::Unblocked,
        Self::Busy,
        Self::Unsaved,
        Self::ReplicasMissing,
        Self::NetworkCut,
        Self::NetworkHalfOpen,
        Self::NetworkSilent,
        Self::NetworkSlow,
        Self::NetworkReset,
        Self::NetworkTorn,
        Self::Planted,
        Self::SubmitterKilled,
        Self::SubmitterAndRedis,
        Self::Paused,
    ];

    /// Its name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WorkerKilled => "worker-killed",
            Self::WorkerFrozen => "worker-frozen",
            Self::WorkerTerminated => "worker-terminated",
            Self::WorkerDrained => "worker-drained",
            Self::RedisKilled => "redis-killed",
            Self::RedisEmptied => "redis-emptied",
            Self::RedisTorn => "redis-torn",
            Self::Flushed => "flushed",
            Self::ScriptsFlushed => "scripts-flushed",
            Self::GroupDestroyed => "group-destroyed",
            Self::OutOfMemory => "out-of-memory",
            Self::Evicting => "evicting",
            Self::RedisDemoted => "redis-demoted",
            Self::RedisFollowed => "redis-followed",
            Self::Unblocked => "unblocked",
            Self::Busy => "busy",
            Self::Unsaved => "unsaved",
            Self::ReplicasMissing => "replicas-missing",
            Self::NetworkCut => "network-cut",
            Self::NetworkHalfOpen => "network-half-open",
            Self::NetworkSilent => "network-silent",
            Self::NetworkSlow => "network-slow",
            Self::NetworkReset => "network-reset",
            Self::NetworkTorn => "network-torn",
            Self::Planted => "planted",
            Self::SubmitterKilled => "submitter-killed",
            Self::SubmitterAndRedis => "submitter-and-redis",
            Self::Paused => "paused",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it may cost a strip one of its deliveries: a worker that has it dies, or its answers are lost.
    #[must_use]
    pub fn costs_deliveries(self) -> bool {
        !matches!(
            self,
            Self::WorkerTerminated
                | Self::WorkerDrained
                | Self::ScriptsFlushed
                | Self::SubmitterKilled
                | Self::Paused
        )
    }

    /// One of `from`.
    #[must_use]
    pub fn draw(from: &[Self], dice: &mut Dice) -> Self {
        dice.pick(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
        }
        assert_eq!(Kind::parse("nothing"), None);
    }
}
