//! What is simulated: a farm, its work and its faults.

use std::time::Duration;

use super::costs::Costs;

/// A farm, its work and its faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// From which everything follows.
    pub seed: u64,
    /// Workers, with one lane each.
    pub workers: u32,
    /// Strips.
    pub strips: u32,
    /// Seconds that a strip takes on a worker of speed 1, on average.
    pub strip_secs: f64,
    /// Spread of strips' times: sigma of a log-normal distribution.
    pub strip_spread: f64,
    /// Spread of workers' speeds: sigma of a log-normal distribution.
    pub speed_spread: f64,
    /// Share of the workers that are ten times slower than that.
    pub slow_share: f64,
    /// Bytes of a strip's buffer as it travels.
    pub strip_bytes: u64,
    /// Most strips on the queue, under way and not collected.
    pub window: usize,
    /// A lease that shows no heartbeat for this long is given to somebody else.
    pub lease: Duration,
    /// One way through the network, at most times.
    pub network: Duration,
    /// Crashes of one worker an hour.
    pub crashes_per_hour: f64,
    /// Pauses of one worker an hour; each lasts up to four leases.
    pub pauses_per_hour: f64,
    /// Share of answers that get lost.
    pub lost_answers: f64,
    /// Seconds between restarts of the server, each of which forgets up to a second; 0: none.
    pub restart_secs: f64,
    /// Whether strips that are late are issued once more when nothing else is to be done.
    pub speculation: bool,
    /// Whether idle workers wait longer each time they find nothing, and a hint wakes no more than there is work for;
    /// otherwise all wake at every hint.
    pub gentle: bool,
    /// What the server and the submitter take.
    pub costs: Costs,
    /// Longest virtual time before the run is called off.
    pub limit: Duration,
    /// Whether nothing being lost is checked all the time; slow.
    pub check: bool,
}

impl Settings {
    /// A farm of that size with all faults, at rates that a bad day has.
    #[must_use]
    pub fn new(seed: u64, workers: u32, strips: u32) -> Self {
        Self {
            seed,
            workers,
            strips,
            strip_secs: 10.0,
            strip_spread: 0.3,
            speed_spread: 0.4,
            slow_share: 0.01,
            strip_bytes: 16 << 10,
            window: 2 * workers as usize,
            lease: farm_queue::job::LEASE,
            network: Duration::from_micros(250),
            crashes_per_hour: 0.2,
            pauses_per_hour: 0.2,
            lost_answers: 1e-4,
            restart_secs: 300.0,
            speculation: true,
            gentle: false,
            costs: Costs::measured(),
            limit: Duration::from_secs(30 * 24 * 3600),
            check: false,
        }
    }

    /// A small farm on which far more goes wrong than on any day, and nothing may be lost; `seed` chooses the strips' size
    /// and the window as well.
    #[must_use]
    pub fn bad_day(seed: u64) -> Self {
        Self {
            strip_secs: [0.2, 3.0, 20.0][(seed % 3) as usize],
            window: [3, 16, 64][(seed / 3 % 3) as usize],
            slow_share: 0.1,
            crashes_per_hour: 20.0,
            pauses_per_hour: 20.0,
            lost_answers: 0.01,
            restart_secs: 20.0,
            limit: Duration::from_secs(24 * 3600),
            check: true,
            ..Self::new(seed, 12, 300)
        }
    }

    /// The same farm on a day on which nothing goes wrong.
    #[must_use]
    pub fn without_faults(self) -> Self {
        Self {
            crashes_per_hour: 0.0,
            pauses_per_hour: 0.0,
            lost_answers: 0.0,
            restart_secs: 0.0,
            ..self
        }
    }
}
