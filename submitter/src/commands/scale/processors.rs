//! Who had processors of their own: more workers than cores take turns, and whatever they gain is none of theirs.

use std::collections::BTreeMap;

use farm_queue::redis::control::WorkerSummary;

/// What workers compute with, as far as it is known.
#[derive(Clone, Debug)]
pub enum Processors {
    /// Workers of this process, each with so many threads, on so many cores.
    Here {
        /// Cores.
        cores: usize,
        /// Threads of each worker.
        threads: usize,
    },
    /// Workers of a farm, by name.
    Farm(BTreeMap<String, Bench>),
}

/// Where one worker computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bench {
    /// The machine.
    pub host: String,
    /// Cores of the machine that it may use; 0 where it does not tell.
    pub cores: u32,
    /// Threads that it computes with; 0 where it uses adapters only.
    pub threads: u32,
}

impl Processors {
    /// Those of a farm's workers.
    #[must_use]
    pub fn of(workers: &[WorkerSummary]) -> Self {
        let bench = |worker: &WorkerSummary| {
            let about = &worker.record.about;
            let bench = Bench {
                host: about.host.clone(),
                cores: about.cores,
                threads: about.threads,
            };
            (worker.record.name.clone(), bench)
        };
        Self::Farm(workers.iter().map(bench).collect())
    }

    /// Whether `workers` workers, those of `names`, each had cores enough for its threads.
    #[must_use]
    pub fn are_enough(&self, workers: u16, names: &[String]) -> bool {
        match self {
            Self::Here { cores, threads } => usize::from(workers) * threads <= *cores,
            Self::Farm(benches) => {
                let mut hosts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
                for bench in names.iter().filter_map(|name| benches.get(name)) {
                    let (cores, threads) = hosts.entry(&bench.host).or_default();
                    *cores = (*cores).max(bench.cores);
                    *threads = threads.saturating_add(bench.threads);
                }
                (hosts.values()).all(|(cores, threads)| *cores == 0 || threads <= cores)
            }
        }
    }

    /// One line for people: what there is.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Here { cores, threads } => format!(
                "{cores} {} here, {threads} {} a worker",
                plural(*cores, "core"),
                plural(*threads, "thread")
            ),
            Self::Farm(benches) => {
                let mut hosts: BTreeMap<&str, (u32, usize, u32)> = BTreeMap::new();
                for bench in benches.values() {
                    let (cores, workers, threads) = hosts.entry(&bench.host).or_default();
                    *cores = (*cores).max(bench.cores);
                    *workers += 1;
                    *threads = threads.saturating_add(bench.threads);
                }
                let hosts: Vec<_> = (hosts.iter())
                    .map(|(host, (cores, workers, threads))| {
                        let cores = match cores {
                            0 => "unknown cores".to_owned(),
                            cores => format!("{cores} {}", plural(*cores as usize, "core")),
                        };
                        format!(
                            "{host}: {cores}, {workers} {} with {threads} {} in all",
                            plural(*workers, "worker"),
                            plural(*threads as usize, "thread")
                        )
                    })
                    .collect();
                hosts.join("; ")
            }
        }
    }
}

/// The word for so many of a thing.
pub fn plural(count: usize, word: &str) -> String {
    format!("{word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn farm(workers: &[(&str, &str, u32, u32)]) -> Processors {
        let bench = |&(name, host, cores, threads): &(&str, &str, u32, u32)| {
            let host = host.to_owned();
            (
                name.to_owned(),
                Bench {
                    host,
                    cores,
                    threads,
                },
            )
        };
        Processors::Farm(workers.iter().map(bench).collect())
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn cores_are_counted_by_machine() {
        let here = Processors::Here {
            cores: 4,
            threads: 2,
        };
        assert!(here.are_enough(2, &[]) && !here.are_enough(3, &[]));
        let farm = farm(&[
            ("a-1", "a", 2, 1),
            ("a-2", "a", 2, 1),
            ("a-3", "a", 2, 1),
            ("b-1", "b", 8, 8),
            ("gpu", "a", 2, 0),
            ("mute", "c", 0, 16),
        ]);
        let enough = |who: &[&str]| farm.are_enough(who.len() as u16, &names(who));
        assert!(enough(&["a-1", "a-2", "b-1", "gpu", "mute"]));
        assert!(!enough(&["a-1", "a-2", "a-3"]));
        assert!(enough(&["a-1", "b-1"]));
        assert_eq!(
            farm.describe(),
            "a: 2 cores, 4 workers with 3 threads in all; b: 8 cores, 1 worker with 8 threads in all; c: unknown cores, 1 worker with 16 threads in all"
        );
    }
}
