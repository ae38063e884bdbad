//! Strips in whatever order they come.

use super::*;
use fractal::{Arithmetic, Backend, Measure, Origin, Plane};
use proptest::prelude::*;

/// Bytes of a strip here.
const BYTES: u64 = 4;

fn buffer(strip: Strip) -> Arc<StripBuffer> {
    let origin = Origin {
        backend: Backend::Cpu,
        arithmetic: Arithmetic::F64,
        device: String::new(),
        kernel_id: 0,
    };
    Arc::new(StripBuffer {
        strip,
        width: 1,
        planes: vec![Plane::new(Measure::Iterations, vec![1_u32])],
        iterations_total: 0,
        settling: fractal::Settling::default(),
        origin,
        busy_secs: 0.0,
    })
}

fn index(next: &Next) -> u32 {
    match next {
        Next::Here(buffer) => buffer.strip.index,
        Next::Stored(strip) => strip.index,
    }
}

proptest! {
    #[test]
    fn every_strip_leaves_once_in_order_and_within_the_window(
        height in 1u32..200, strip_rows in 1u32..20, window in 0u32..12, picks in prop::collection::vec(any::<u32>(), 0..400),
    ) {
        let plan = StripPlan { height, strip_rows };
        let mut assembly = Assembly::new(plan, window, 0, []);
        let (mut underway, mut out, mut picks) = (Vec::new(), Vec::new(), picks.into_iter().cycle());
        while !assembly.is_complete() {
            underway.extend(assembly.strips_to_queue(0, false));
            prop_assert!(!underway.is_empty());
            prop_assert!(underway.len() <= window.max(1) as usize);
            let last = underway.iter().map(|strip: &Strip| strip.index).max().unwrap();
            prop_assert!(last < out.len() as u32 + window.max(1), "nor is more in memory");
            let pick = picks.next().unwrap_or(0) as usize % underway.len();
            let strip: Strip = underway.swap_remove(pick);
            prop_assert!(assembly.awaits(strip.index));
            prop_assert!(assembly.accept(buffer(strip)));
            prop_assert!(!assembly.accept(buffer(strip)), "a duplicate changes nothing");
            prop_assert!(!assembly.awaits(strip.index));
            while let Some(next) = assembly.next() {
                out.push(index(&next));
            }
        }
        prop_assert_eq!(out, (0..plan.count()).collect::<Vec<_>>());
        prop_assert!(assembly.strips_to_queue(0, false).is_empty());
    }

    #[test]
    fn with_a_journal_one_slow_strip_holds_up_no_other(
        count in 2u32..100, window in 1u32..12, budget in 0u64..6, slow: prop::sample::Index,
        stored in prop::collection::btree_set(0u32..100, 0..60), unread in prop::collection::btree_set(0u32..100, 0..10),
        picks in prop::collection::vec(any::<u32>(), 1..400),
    ) {
        let plan = StripPlan { height: count, strip_rows: 1 };
        let slow = slow.index(count as usize) as u32;
        let mut written = stored.clone();
        let mut assembly = Assembly::new(plan, window, budget * BYTES, stored.iter().copied());
        let (mut underway, mut out, mut picks) = (Vec::new(), Vec::new(), picks.into_iter().cycle());
        let mut queued = BTreeSet::new();
        let (mut unread, mut moved) = (unread, true);
        while !assembly.is_complete() {
            let still = !moved;
            moved = false;
            for strip in assembly.strips_to_queue(0, true) {
                queued.insert(strip.index);
                underway.push(strip);
                moved = true;
            }
            prop_assert!(underway.len() <= window as usize + 1, "and one that was not read back");
            // The slow one comes when nothing else does.
            let others: Vec<usize> = (0..underway.len()).filter(|at| underway[*at].index != slow).collect();
            let pick = picks.next().unwrap_or(0) as usize;
            let at = if others.is_empty() { 0 } else { others[pick % others.len()] };
            // ... and after all that can move without it.
            if !underway.is_empty() && (!others.is_empty() || still && !moved) {
                moved = true;
                let strip: Strip = underway.swap_remove(at);
                if strip.index == slow && window > 1 {
                    let done = (0..count).filter(|strip| written.contains(strip)).count() as u32;
                    prop_assert_eq!(done, count - 1, "all others are done");
                }
                prop_assert!(assembly.accept(buffer(strip)));
                written.insert(strip.index);
            }
            assembly.evict(|strip| written.contains(&strip));
            prop_assert!(assembly.early_bytes <= budget * BYTES);
            while let Some(next) = assembly.next() {
                moved = true;
                let index = index(&next);
                if matches!(next, Next::Stored(_)) && unread.remove(&index) {
                    written.remove(&index);
                    assembly.unread(index);
                    break;
                }
                out.push(index);
            }
        }
        prop_assert_eq!(out, (0..count).collect::<Vec<_>>());
    }
}

#[test]
fn what_was_never_queued_is_refused() {
    let plan = StripPlan {
        height: 10,
        strip_rows: 1,
    };
    let mut assembly = Assembly::new(plan, 2, 0, []);
    assembly.strips_to_queue(0, true);
    assert!(!assembly.accept(buffer(plan.strip(5).unwrap())));
}

#[test]
fn what_is_not_written_yet_counts_as_under_way() {
    let plan = StripPlan {
        height: 10,
        strip_rows: 1,
    };
    let mut assembly = Assembly::new(plan, 4, 0, []);
    assert_eq!(assembly.strips_to_queue(3, true).len(), 1);
    assert_eq!(assembly.strips_to_queue(3, true).len(), 0);
    assert_eq!(assembly.strips_to_queue(1, true).len(), 2);
}

#[test]
fn the_rest_goes_on_without_the_dead() {
    let plan = StripPlan {
        height: 6,
        strip_rows: 1,
    };
    let mut assembly = Assembly::new(plan, 2, 0, []);
    let first = assembly.strips_to_queue(0, true);
    assembly.give_up(0);
    assert!(!assembly.is_stuck(), "others are under way");
    let mut underway: Vec<Strip> = first.into_iter().filter(|s| s.index != 0).collect();
    while let Some(strip) = underway.pop() {
        assert!(assembly.accept(buffer(strip)));
        assembly.evict(|_| true);
        underway.extend(assembly.strips_to_queue(0, true));
    }
    assert!(assembly.is_stuck() && assembly.next().is_none());
    assert_eq!(assembly.dead().map(|s| s.index).collect::<Vec<_>>(), [0]);
    // Another try.
    assert!(!assembly.revoke([0]), "it never left");
    assert!(!assembly.is_stuck());
    let again = assembly.strips_to_queue(0, true);
    assert_eq!(again.len(), 1);
    assert!(assembly.accept(buffer(again[0])));
    let left = std::iter::from_fn(|| assembly.next()).map(|next| index(&next));
    assert_eq!(left.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn what_was_revoked_comes_anew_and_all_leave_once_more() {
    let plan = StripPlan {
        height: 8,
        strip_rows: 1,
    };
    let mut assembly = Assembly::new(plan, 3, 0, []);
    let come = |assembly: &mut Assembly, leave: bool| {
        let strips = assembly.strips_to_queue(0, true);
        for strip in &strips {
            assert!(assembly.accept(buffer(*strip)));
        }
        let mut left = Vec::new();
        while let Some(next) = leave.then(|| assembly.next()).flatten() {
            left.push(index(&next));
        }
        (strips.iter().map(|s| s.index).collect::<Vec<_>>(), left)
    };
    assert_eq!(come(&mut assembly, true).1, [0, 1, 2]);
    assert_eq!(come(&mut assembly, false).0, [3, 4, 5]);
    assert!(!assembly.revoke([4]));
    assert!(assembly.revoke([1, 4]), "1 had left");
    // 0 is in the journal, 2 is not.
    assembly.restart(|strip| strip == 0);
    assert_eq!(assembly.come(), 3);
    let (strips, left) = come(&mut assembly, true);
    assert_eq!((strips, left), (vec![1, 2], vec![0, 1, 2, 3]));
    let (strips, left) = come(&mut assembly, true);
    assert_eq!((strips, left), (vec![4, 6], vec![4, 5, 6]));
    assert_eq!(come(&mut assembly, true).1, [7]);
    assert!(assembly.is_complete() && assembly.all_queued());
}

#[test]
fn what_the_queue_holds_already_is_not_queued() {
    let plan = StripPlan {
        height: 5,
        strip_rows: 1,
    };
    let mut assembly = Assembly::new(plan, 4, 0, [1]);
    assembly.already([0, 1, 2]);
    let strips = assembly.strips_to_queue(0, true);
    assert_eq!(strips.iter().map(|s| s.index).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(assembly.under_way(), 4);
    assert_eq!(assembly.awaited().count(), 4);
}
