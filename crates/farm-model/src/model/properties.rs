//! What must hold in every state, and what must be reached so that this means something.

use stateright::Property;

use super::breach::Breach;
use super::farm::Farm;
use super::settings::Model;

/// A committed strip's bytes are present or consumed.
pub const PRESENT: &str = "a committed strip's bytes are present or consumed";
/// Nothing vanishes from the farm.
pub const KEPT: &str = "what the submitter waits for is somewhere";
/// With no more faults the job gets done.
pub const COMPLETES: &str = "from here the job can be done";
/// A zombie changes nothing.
pub const ZOMBIE: &str = "a zombie changes nothing";
/// Announced bytes stay.
pub const OVERWRITTEN: &str = "announced bytes stay what they are";
/// A strip is never consumed twice with different bytes.
pub const TWICE: &str = "no strip comes twice with different bytes";
/// A bad worker does not use up a strip's deliveries.
pub const TURNS: &str = "nobody fails again before the others had their turn";
/// An ended job leaves nothing.
pub const RESIDUE: &str = "an ended job leaves nothing";
/// The job can be through.
pub const FINISHED: &str = "every strip is there";

fn present(model: &Model, farm: &Farm) -> bool {
    (0..model.strips).all(|slot| {
        !farm.table.is_committed(slot)
            || farm.table.result(slot).is_some()
            || farm.submitter.journal().contains_key(&slot)
    })
}

fn kept(_: &Model, farm: &Farm) -> bool {
    if farm.ended || farm.submitter.repair_due() || farm.table.queue().is_none() {
        return true;
    }
    let awaited: Vec<u32> = farm.submitter.awaited().iter().copied().collect();
    farm.table.missing(&awaited).is_empty()
}

fn residue(_: &Model, farm: &Farm) -> bool {
    let through = |worker: &Option<crate::worker::Worker<u8>>| {
        worker.as_ref().is_none_or(|worker| worker.hand.is_none())
    };
    !farm.ended
        || farm.died
        || !farm.workers.iter().all(through)
        || farm.table.stored().next().is_none()
}

pub(super) fn all() -> Vec<Property<Model>> {
    vec![
        Property::always(PRESENT, present),
        Property::always(KEPT, kept),
        Property::always(COMPLETES, |model: &Model, farm: &Farm| {
            farm.completes(model.variant)
        }),
        Property::always(ZOMBIE, |_, farm: &Farm| farm.breach != Some(Breach::Zombie)),
        Property::always(OVERWRITTEN, |_, farm: &Farm| {
            farm.breach != Some(Breach::Overwritten)
        }),
        Property::always(TWICE, |_, farm: &Farm| farm.breach != Some(Breach::Twice)),
        Property::always(TURNS, |_, farm: &Farm| {
            farm.breach != Some(Breach::OutOfTurn)
        }),
        Property::always(RESIDUE, residue),
        Property::sometimes(FINISHED, |_, farm: &Farm| {
            farm.ended && farm.submitter.is_complete()
        }),
    ]
}
