//! Small farms in virtual time, with far more faults than any day has: nothing is lost, whatever the seed. More seeds are
//! part of `tests/long/run`.

use std::collections::BTreeMap;
use std::time::Duration;

use farm_model::simulate::{Settings, Simulation};

#[test]
fn nothing_is_lost_on_any_bad_day() {
    const SEEDS: u64 = 27;
    let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let settings = Settings::bad_day(seed);
        let report = Simulation::new(&settings).run();
        let report = report.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        for (name, count) in report.faults {
            *faults.entry(name).or_default() += count;
        }
    }
    // Each kind of fault did happen, and each way out of it was taken.
    for name in [
        "crashes",
        "pauses",
        "lost answers",
        "server restarts",
        "repairs",
        "copies",
        "duplicates",
        "stopped",
    ] {
        assert!(
            faults.get(name).is_some_and(|count| *count > SEEDS / 4),
            "{name}: {faults:?}"
        );
    }
}

#[test]
fn a_run_follows_from_its_seed() {
    let run = |seed| Simulation::new(&Settings::bad_day(seed)).run().unwrap();
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn a_quiet_farm_is_busy_and_wastes_nothing() {
    let settings = Settings {
        slow_share: 0.0,
        ..Settings::new(1, 50, 10_000)
    };
    let report = Simulation::new(&settings.without_faults()).run().unwrap();
    assert!(report.efficiency() > 0.95, "{report:?}");
    assert!(report.wasted() < 0.005, "{report:?}");
    assert_eq!(report.steps[&farm_model::simulate::Step::Deliver], 10_000);
}

#[test]
fn copies_shorten_the_tail() {
    // One worker of ten is ten times slower than the others.
    let with = Settings {
        slow_share: 0.1,
        strip_secs: 5.0,
        ..Settings::new(3, 30, 900)
    };
    let with = with.without_faults();
    let without = Settings {
        speculation: false,
        ..with
    };
    let (with, without) = (
        Simulation::new(&with).run().unwrap(),
        Simulation::new(&without).run().unwrap(),
    );
    assert!(with.faults["copies"] > 0);
    assert!(with.secs < without.secs, "{} {}", with.secs, without.secs);
}

#[test]
fn control_a_farm_that_cannot_finish_is_called_off() {
    let settings = Settings {
        limit: Duration::from_secs(10),
        ..Settings::new(1, 2, 100)
    };
    assert!(Simulation::new(&settings).run().is_err());
}
