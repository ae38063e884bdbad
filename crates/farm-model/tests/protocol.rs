//! The protocol holds in every state of the small farms, and what breaks it is found.

use farm_model::model::{Model, Variant, properties};
use stateright::{Checker, HasDiscoveries, Model as _};

/// Checks one farm whole.
fn holds(name: &str, states: usize) {
    let farms = Model::farms(Variant::Sound).into_iter();
    let (_, farm) = farms.into_iter().find(|(of, _)| *of == name).unwrap();
    let checker = farm.checker().spawn_bfs().join();
    for (property, path) in checker.discoveries() {
        assert_eq!(property, properties::FINISHED, "{:#?}", path.into_actions());
    }
    assert!(checker.discoveries().contains_key(properties::FINISHED));
    // A model that lost most of its actions would hold, too.
    assert!(checker.unique_state_count() > states);
    eprintln!("{name}: {} states", checker.unique_state_count());
}

/// Some farm shows what is wrong with a broken protocol, and as what.
fn is_found(variant: Variant) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (name, farm) in Model::farms(variant) {
        let builder = farm.checker().finish_when(HasDiscoveries::AnyFailures);
        let checker = builder.target_state_count(400_000).spawn_bfs().join();
        let discoveries = checker.discoveries().into_iter();
        let wrong = discoveries.filter(|(property, _)| *property != properties::FINISHED);
        for (property, path) in wrong {
            eprintln!("{name}: not so: {property}: {:?}", path.into_actions());
            found.push(property);
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

#[test]
fn workers_may_die_pause_and_lose_answers() {
    holds("workers that die, pause and lose answers", 300_000);
}

#[test]
fn copies_failures_and_drains_do_no_harm() {
    holds("copies, failures and drained workers", 200_000);
}

#[test]
fn submitters_may_die_and_jobs_be_cancelled() {
    holds("a submitter that dies, a job that is cancelled", 150_000);
}

#[test]
fn servers_may_come_back_empty() {
    holds("a server that comes back empty", 250_000);
}

#[test]
fn servers_may_come_back_with_older_data() {
    holds("a server that comes back with older data", 800_000);
}

#[test]
fn control_acknowledging_before_storing_is_found() {
    assert!(is_found(Variant::AcknowledgedFirst).contains(&properties::KEPT));
}

#[test]
fn control_an_unguarded_heartbeat_is_found() {
    assert!(is_found(Variant::UnguardedHeartbeat).contains(&properties::ZOMBIE));
}

#[test]
fn control_an_unguarded_leave_is_found() {
    assert!(is_found(Variant::UnguardedLeave).contains(&properties::COMPLETES));
}

#[test]
fn control_a_worker_that_fails_again_at_once_is_found() {
    assert!(is_found(Variant::FailedAtOnce).contains(&properties::TURNS));
}

#[test]
fn control_a_repair_that_does_not_read_again_is_found() {
    assert!(is_found(Variant::ReadOnce).contains(&properties::COMPLETES));
}
