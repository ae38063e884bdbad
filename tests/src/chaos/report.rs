//! All runs together: a table for people, JSON for everything else.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::ends::End;
use super::fault::Kind;
use super::run::{RunRecord, Settings};
use super::watch::Figures;

/// All runs.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Each of them, by seed.
    pub played: Vec<RunRecord>,
    /// How long they took together.
    pub secs: f64,
}

impl Summary {
    /// Whether all was as it has to be in all of them.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.played.iter().all(RunRecord::is_good)
    }

    /// Seeds of the runs in which it was not.
    #[must_use]
    pub fn bad_seeds(&self) -> Vec<u64> {
        let bad = self.played.iter().filter(|one| !one.is_good());
        bad.map(|one| one.seed).collect()
    }

    fn faults(&self) -> BTreeMap<Kind, u64> {
        let mut all = BTreeMap::new();
        for (kind, count) in self.played.iter().flat_map(|one| &one.faults) {
            *all.entry(*kind).or_default() += count;
        }
        all
    }

    fn ends(&self) -> BTreeMap<End, u64> {
        let mut all = BTreeMap::new();
        for (end, count) in self.played.iter().flat_map(|one| &one.ends) {
            *all.entry(*end).or_default() += count;
        }
        all
    }

    fn scenes(&self) -> BTreeMap<&'static str, u64> {
        let mut all = BTreeMap::new();
        for one in &self.played {
            *all.entry(one.scene).or_default() += 1;
        }
        all
    }

    fn sum(&self, of: impl Fn(&RunRecord) -> u64) -> u64 {
        self.played.iter().map(of).sum()
    }

    /// Seconds of all runs, sorted.
    fn sorted(&self, of: impl Fn(&Figures) -> &[f64]) -> Vec<f64> {
        let secs = self.played.iter().flat_map(|one| of(&one.figures));
        let mut all: Vec<f64> = secs.copied().collect();
        all.sort_by(f64::total_cmp);
        all
    }

    /// Strips that were computed beyond one each, as a share of those that had to be; what killed workers had in
    /// hand counts as computed.
    fn wasted(&self) -> f64 {
        let ended = || self.played.iter().filter(|one| one.broken.is_none());
        let strips: u64 = ended().map(|one| one.strips).sum();
        let more: u64 = ended()
            .map(|one| (one.work.computed + one.figures.killed).saturating_sub(one.strips))
            .sum();
        more as f64 / strips.max(1) as f64
    }

    /// As one JSON object.
    #[must_use]
    pub fn json(&self, settings: &Settings) -> Value {
        let seconds = |sorted: &[f64]| {
            json!({
                "strips": sorted.len(),
                "p50": quantile(sorted, 0.5),
                "p99": quantile(sorted, 0.99),
                "max": sorted.last(),
            })
        };
        let faults: serde_json::Map<String, Value> = (self.faults().into_iter())
            .map(|(kind, count)| (kind.name().to_owned(), count.into()))
            .collect();
        let failed: Vec<Value> = (self.played.iter().filter(|one| !one.is_good()))
            .map(|one| {
                json!({
                    "seed": one.seed,
                    "scene": one.scene,
                    "differing": one.differing,
                    "left": one.left,
                    "broken": one.broken,
                })
            })
            .collect();
        let ends: serde_json::Map<String, Value> = (self.ends().into_iter())
            .map(|(end, count)| (end.name().to_owned(), count.into()))
            .collect();
        json!({
            "scenes": self.scenes(),
            "runs": self.played.len(),
            "seed": settings.seed,
            "secs": self.secs,
            "faults": self.sum(|one| one.faults.values().sum()),
            "faults_by_kind": faults,
            "pictures": self.sum(|one| one.pictures),
            "pictures_differing": self.sum(|one| one.differing),
            "keys_left": self.sum(|one| one.left.len() as u64),
            "runs_broken": self.sum(|one| u64::from(one.broken.is_some())),
            "recovery_secs": seconds(&self.sorted(|figures| &figures.recoveries)),
            "recovery_secs_disturbed": seconds(&self.sorted(|figures| &figures.disturbed)),
            "not_recovered_within_a_minute": self.sum(|one| one.figures.abandoned),
            "strips": self.sum(|one| one.strips),
            "strips_computed": self.sum(|one| one.work.computed),
            "wasted_share": self.wasted(),
            "submitters_started": self.sum(|one| one.starts),
            "submitters_ended": ends,
            "run_secs": {
                "p50": quantile(&self.run_secs(), 0.5),
                "max": self.run_secs().last(),
            },
            "peak_redis_bytes": self.played.iter().map(|one| one.figures.peak_bytes).max(),
            "failed": failed,
        })
    }

    fn run_secs(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.played.iter().map(|one| one.secs).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    /// As a table.
    #[must_use]
    pub fn table(&self, settings: &Settings) -> String {
        let mut rows: Vec<(String, String)> = vec![
            ("runs".into(), self.played.len().to_string()),
            (
                "seeds".into(),
                format!(
                    "{} to {}",
                    settings.seed,
                    settings.seed.wrapping_add(settings.runs.saturating_sub(1))
                ),
            ),
            (
                "scenes".into(),
                (self.scenes().iter())
                    .map(|(name, count)| format!("{count} {name}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            (
                "faults".into(),
                self.sum(|one| one.faults.values().sum()).to_string(),
            ),
        ];
        rows.extend(
            (self.faults().into_iter())
                .map(|(kind, count)| (format!("  {}", kind.name()), count.to_string())),
        );
        rows.push((
            "submitters started".into(),
            self.sum(|one| one.starts).to_string(),
        ));
        rows.extend(
            (self.ends().into_iter())
                .map(|(end, count)| (format!("  ended: {}", end.name()), count.to_string())),
        );
        let seconds = |sorted: &[f64]| {
            let secs = |share| {
                quantile(sorted, share).map_or("-".to_owned(), |secs| format!("{secs:.1} s"))
            };
            let [half, most, all] = [0.5, 0.99, 1.0].map(secs);
            let strips = sorted.len();
            format!("p50 {half}, p99 {most}, longest {all} ({strips} strips)")
        };
        rows.extend([
            ("pictures".into(), self.sum(|one| one.pictures).to_string()),
            (
                "pictures that differ".into(),
                self.sum(|one| one.differing).to_string(),
            ),
            (
                "keys left over".into(),
                self.sum(|one| one.left.len() as u64).to_string(),
            ),
            (
                "runs that broke or did not end".into(),
                self.sum(|one| u64::from(one.broken.is_some())).to_string(),
            ),
            (
                "a dead worker's strip is another's after".into(),
                seconds(&self.sorted(|figures| &figures.recoveries)),
            ),
            (
                "  with other faults meanwhile".into(),
                seconds(&self.sorted(|figures| &figures.disturbed)),
            ),
            (
                "  not within a minute".into(),
                self.sum(|one| one.figures.abandoned).to_string(),
            ),
            (
                "strips computed beyond one each".into(),
                format!("{:.1} %", 100.0 * self.wasted()),
            ),
            (
                "peak of Redis' memory".into(),
                format!(
                    "{:.1} MiB above empty",
                    (self.played.iter().map(|one| one.figures.peak_bytes))
                        .max()
                        .unwrap_or(0) as f64
                        / f64::from(1 << 20)
                ),
            ),
            (
                "time".into(),
                format!(
                    "{:.0} s; a run {:.0} s, the longest {:.0} s",
                    self.secs,
                    quantile(&self.run_secs(), 0.5).unwrap_or(0.0),
                    self.run_secs().last().unwrap_or(&0.0)
                ),
            ),
        ]);
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut table = String::new();
        for (name, value) in rows {
            let _ = writeln!(table, "{name:width$}  {value}");
        }
        for one in self.played.iter().filter(|one| !one.is_good()) {
            let _ = writeln!(table, "{}", describe_outcome(one));
        }
        table
    }
}

/// One line about a run, and how to have it again where it went wrong.
#[must_use]
pub fn describe_outcome(one: &RunRecord) -> String {
    let count: u64 = one.faults.values().sum();
    let seed = one.seed;
    let scene = one.scene;
    if one.is_good() {
        return format!(
            "seed {seed} ({scene}): {count} faults, {:.1} s, the same bytes",
            one.secs
        );
    }
    let mut wrong = Vec::new();
    if one.differing > 0 {
        wrong.push("ANOTHER PICTURE".to_owned());
    }
    if !one.left.is_empty() {
        wrong.push(format!("keys left: {}", one.left.join(" ")));
    }
    wrong.extend(one.broken.clone());
    let faults: Vec<&str> = one.faults.keys().map(|kind| kind.name()).collect();
    format!(
        "seed {seed} ({scene}) FAILED after {}: {}\n  again: tests/chaos --runs 1 --seed {seed} --verbose",
        faults.join(", "),
        wrong.join("; ")
    )
}

/// The value below which so much of the sorted values lie.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * share).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::stage::WORKERS;
    use std::time::Duration;

    fn settings() -> Settings {
        Settings {
            runs: 2,
            seed: 5,
            parallel: 1,
            pretenders: WORKERS,
            strip_secs: 0.1,
            lie: false,
            faults_for: Duration::from_secs(1),
            limit: Duration::from_secs(1),
            kinds: Kind::ALL.to_vec(),
            verbose: false,
        }
    }

    #[test]
    fn whatever_is_wrong_makes_the_whole_bad_and_names_its_seed() {
        let good = RunRecord {
            seed: 5,
            strips: 10,
            ..RunRecord::default()
        };
        let bad = [
            RunRecord {
                differing: 1,
                ..good.clone()
            },
            RunRecord {
                left: vec!["mf:jobs".to_owned()],
                ..good.clone()
            },
            RunRecord {
                broken: Some("it hangs".to_owned()),
                ..good.clone()
            },
        ];
        for one in bad {
            let summary = Summary {
                played: vec![good.clone(), RunRecord { seed: 6, ..one }],
                secs: 1.0,
            };
            assert!(!summary.is_good());
            assert_eq!(summary.bad_seeds(), [6]);
            assert!(summary.table(&settings()).contains("--seed 6"));
            assert_eq!(summary.json(&settings())["failed"][0]["seed"], 6);
        }
        let summary = Summary {
            played: vec![good],
            secs: 1.0,
        };
        assert!(summary.is_good());
    }

    #[test]
    fn quantiles_of_few() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[1.0, 2.0, 9.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[1.0, 2.0, 9.0], 0.99), Some(9.0));
    }
}
