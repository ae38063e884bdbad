//! The farm as the model checker drives it: its first state, what may follow, and what must not.

use farm_queue::protocol::table::{JobTable, Limits};

use super::breach::Breach;
use super::farm::{Action, Farm};
use super::properties;
use super::settings::Model;
use crate::submitter::Submitter;
use crate::worker::{Stage, Worker};

impl stateright::Model for Model {
    type State = Farm;
    type Action = Action;

    fn init_states(&self) -> Vec<Farm> {
        let limits = Limits {
            deliveries: self.deliveries,
            reasons: 0,
            ..Limits::default()
        };
        let mut table = JobTable::new(limits);
        table.create();
        vec![Farm {
            table,
            saved: None,
            workers: (0..self.workers)
                .map(|at| Some(Worker::new(10 * at)))
                .collect(),
            submitter: Submitter::new(self.strips, self.window),
            left: self.faults,
            ended: false,
            died: false,
            lost: false,
            breach: None,
        }]
    }

    fn actions(&self, farm: &Farm, actions: &mut Vec<Action>) {
        if !farm.ended {
            if farm.submitter.repair_due() {
                actions.push(Action::Repair);
            } else {
                if farm.submitter.todo() > 0 && farm.submitter.awaited().len() < self.window {
                    actions.push(Action::Fill);
                }
                if farm.submitter.has_mail(&farm.table) {
                    actions.push(Action::Collect);
                }
            }
            if farm.submitter.is_complete() {
                actions.push(Action::Finish);
            }
        }
        for at in 0..farm.workers.len() {
            match farm.stage(at) {
                None if farm.is_idle(at) => {
                    if farm.table.queue().is_some() {
                        actions.extend([Action::Lease(at), Action::Claim(at), Action::Adopt(at)]);
                        if farm.may(|f| f.lost_answers) {
                            actions.push(Action::LoseLease(at));
                        }
                    }
                }
                None => continue,
                Some(stage) => {
                    if stage == Stage::Stored {
                        // Whatever its heartbeat says now, it announces what it stored.
                        actions.push(Action::Commit(at));
                        if farm.may(|f| f.lost_answers) {
                            actions.push(Action::LoseCommit(at));
                        }
                    } else {
                        actions.extend([Action::Beat(at), Action::Store(at)]);
                        if farm.may(|f| f.failures) {
                            actions.push(Action::Fail(at));
                        }
                    }
                    if farm.may(|f| f.crashes) {
                        actions.push(Action::Crash(at));
                    }
                }
            }
            // ... nor does it leave before.
            if farm.may(|f| f.drains) && farm.stage(at) != Some(Stage::Stored) {
                actions.push(Action::Drain(at));
            }
        }
        if farm.ended {
            return;
        }
        let pending = farm.table.queue().into_iter().flat_map(|q| q.all_pending());
        for (id, _) in pending.filter(|(_, pending)| pending.since.is_some()) {
            if farm.may(|f| f.expiries) {
                actions.push(Action::Expire(id));
            }
            if farm.may(|f| f.copies) {
                actions.push(Action::Copy(id));
            }
        }
        if farm.may(|f| f.rollbacks) {
            actions.push(if farm.saved.is_some() {
                Action::Rollback
            } else {
                Action::Save
            });
        }
        if farm.may(|f| f.flushes) {
            actions.push(Action::Flush);
        }
        if farm.may(|f| f.restarts) {
            actions.push(Action::Restart);
        }
        if farm.may(|f| f.cancels) {
            actions.push(Action::Cancel);
        }
    }

    fn next_state(&self, farm: &Farm, action: Action) -> Option<Farm> {
        let mut next = farm.clone();
        if !next.act(action, self.variant) || next == *farm {
            return None;
        }
        // Who has nothing changes nothing.
        let by_hand = match action {
            Action::Beat(at) | Action::Fail(at) => Some(at),
            Action::Drain(at) if farm.stage(at).is_some() => Some(at),
            _ => None,
        };
        if by_hand.is_some_and(|at| !farm.holds(at)) {
            let pending = |farm: &Farm| {
                let pending = farm.table.queue().into_iter().flat_map(|q| q.all_pending());
                pending.map(|(id, p)| (id, p.clone())).collect::<Vec<_>>()
            };
            if pending(farm) != pending(&next) {
                next.breach = Some(Breach::Zombie);
            }
        }
        // What was announced stays as it is until it is collected.
        if !matches!(action, Action::Rollback | Action::Flush) {
            for (_, slot) in farm.table.announced(0) {
                let (before, after) = (farm.table.result(slot), next.table.result(slot));
                if before.is_some() && after.is_some() && before != after {
                    next.breach = Some(Breach::Overwritten);
                }
            }
        }
        if let Some((_, age)) = &mut next.saved
            && farm.table != next.table
        {
            *age += 1;
            if *age > self.unsaved {
                // Too long ago: there is something newer on the disk.
                next.saved = None;
                next.left.rollbacks = 0;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        properties::all()
    }
}
