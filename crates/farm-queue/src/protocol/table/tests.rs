//! The table by itself: every rule once, and random steps.

use std::time::Duration;

use super::*;
use crate::job::{LEASE, MAX_DELIVERIES};
use crate::queue::LeaseState;

fn table(slots: u32) -> JobTable<&'static str, &'static str> {
    let mut table = JobTable::new(Limits::default());
    table.create();
    assert!(table.enqueue((0..slots).map(Entry::plain)));
    table
}

const T0: Duration = Duration::from_secs(100);

#[test]
fn a_strip_goes_its_way() {
    let mut table = table(2);
    let taken = table.lease(&"a", T0).unwrap();
    assert_eq!((taken.attempt, taken.entry.slot), (1, 0));
    assert_eq!(table.commit(taken.id, 0), CommitOutcome::NoBuffer);
    assert_eq!(table.heartbeat(&"a", &taken, T0), LeaseState::Held);
    assert!(table.store(0, "bytes"));
    assert!(!table.store(0, "others"));
    assert_eq!(table.commit(taken.id, 0), CommitOutcome::First);
    assert_eq!(table.commit(taken.id, 0), CommitOutcome::Duplicate);
    assert_eq!(table.heartbeat(&"a", &taken, T0), LeaseState::Lost);
    let announced: Vec<_> = table.announced(0).collect();
    assert_eq!(announced.len(), 1);
    assert_eq!(table.take(0, announced[0].0), Some("bytes"));
    assert_eq!(table.announced(0).count(), 0);
    // A late buffer of a collected slot does not stay.
    assert!(table.store(0, "late"));
    assert_eq!(table.commit(taken.id, 0), CommitOutcome::Duplicate);
    assert_eq!(table.stored().count(), 0);
    table.finish();
    assert_eq!(table.lease(&"a", T0), None);
    assert!(table.store(1, "late") && table.commit(2, 1) == CommitOutcome::JobGone);
    assert_eq!(table.stored().count(), 0);
}

#[test]
fn leases_run_out_and_zombies_change_nothing() {
    let mut table = table(1);
    let old = table.lease(&"zombie", T0).unwrap();
    assert_eq!(table.next_expiry(), Some(T0 + LEASE));
    assert_eq!(table.claim(&"b", T0 + LEASE / 2, &[]), None);
    let new = table.claim(&"b", T0 + LEASE, &[]).unwrap();
    assert_eq!(new.attempt, 2);
    let before = table.clone();
    assert_eq!(table.heartbeat(&"zombie", &old, T0), LeaseState::Lost);
    assert!(!table.release(&"zombie", &old));
    assert!(!table.fail(&"zombie", &old, "late"));
    assert_eq!(table, before);
    assert_eq!(table.reasons(0), ["zombie: no heartbeat"]);
    // Who holds something stays known; who does not is forgotten.
    assert!(!table.leave(&"b") && table.leave(&"zombie"));
    assert!(table.release(&"b", &new));
    assert_eq!(table.claim(&"c", T0, &[]).unwrap().attempt, 2);
}

#[test]
fn too_many_deliveries_are_the_end() {
    let mut table = table(1);
    let mut taken = table.lease(&"a", T0).unwrap();
    for attempt in 2..=MAX_DELIVERIES {
        assert!(table.fail(&"a", &taken, "a: no"));
        taken = table.claim(&"a", T0, &[]).unwrap();
        assert_eq!(taken.attempt, attempt);
    }
    assert_eq!(table.claim(&"b", T0 + LEASE, &[]), None);
    let (id, letter) = table.letters(0).next().unwrap();
    assert_eq!((letter.slot, letter.reasons.len()), (0, 4));
    assert_eq!(table.missing(&[0, 1]), [1]);
    assert!(table.remove_letter(id).is_some());
    assert_eq!(table.missing(&[0, 1]), [0, 1]);
}

#[test]
fn an_entry_is_kept_from_a_worker() {
    let mut table = table(0);
    let not_a = Entry {
        not: Some("a"),
        ..Entry::plain(0)
    };
    table.enqueue([not_a, Entry::plain(1)]);
    assert_eq!(table.lease(&"a", T0).unwrap().entry.slot, 1);
    assert_eq!(table.claim(&"a", T0 + LEASE, &[]).unwrap().entry.slot, 1);
    let taken = table.claim(&"b", T0, &[]).unwrap();
    assert_eq!((taken.entry.slot, taken.attempt), (0, 1));
}

#[test]
fn an_entry_is_left_to_others_until_they_had_it() {
    let mut table = table(1);
    let taken = table.lease(&"a", T0).unwrap();
    assert!(table.fail(&"a", &taken, "a: no"));
    let passed = [(taken.id, 2)];
    assert_eq!(table.claim(&"a", T0, &passed), None);
    let taken = table.claim(&"b", T0, &[]).unwrap();
    assert_eq!(taken.attempt, 2);
    assert!(table.fail(&"b", &taken, "b: no"));
    assert_eq!(table.claim(&"a", T0, &passed).unwrap().attempt, 3);
}

#[test]
fn the_first_copy_wins() {
    let mut table = table(1);
    let slow = table.lease(&"slow", T0).unwrap();
    let copy = Entry {
        extra: true,
        not: Some("slow"),
        ..Entry::plain(0)
    };
    table.enqueue([copy]);
    let fast = table.lease(&"fast", T0).unwrap();
    table.store(0, "fast");
    assert_eq!(table.commit(fast.id, 0), CommitOutcome::First);
    assert_eq!(table.heartbeat(&"slow", &slow, T0), LeaseState::Lost);
    assert_eq!(table.under_way().count(), 0);
    table.store(0, "slow");
    assert_eq!(table.commit(slow.id, 0), CommitOutcome::Duplicate);
    assert_eq!(table.result(0), Some(&"fast"));
}

#[test]
fn what_a_server_lost_is_missing() {
    let mut table = table(1);
    let earlier = table.clone();
    table.enqueue([Entry::plain(1)]);
    let taken = table.lease(&"a", T0).unwrap();
    table.store(0, "bytes");
    table.commit(taken.id, 0);
    table.roll_back_to(earlier);
    assert_eq!(table.missing(&[0, 1]), [1]);
    assert_eq!(table.lease(&"b", T0).unwrap().entry.slot, 0);
    // Names are not used twice.
    table.enqueue([Entry::plain(1)]);
    assert!(table.lease(&"b", T0).unwrap().id > taken.id);
}

#[test]
fn a_cap_is_kept() {
    let mut table = table(1);
    assert!(table.join(&"a", 1, T0, T0 + LEASE) && !table.join(&"b", 1, T0, T0 + LEASE));
    assert!(table.join(&"a", 1, T0 + LEASE / 2, T0 + 2 * LEASE));
    assert!(!table.join(&"b", 1, T0 + LEASE, T0 + 2 * LEASE));
    assert!(table.join(&"b", 1, T0 + 2 * LEASE, T0 + 3 * LEASE));
}
