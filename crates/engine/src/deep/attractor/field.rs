//! From one cycle to all squares of a picture whose samples are proved by it and by those near to it.

use super::course::Course;
use super::cycle::Cycle;
use crate::deep::square::Square;

/// A square of this size or less around whose middle no cycle is found is given up.
const SEARCHED: u32 = 4;
/// Passes through a period that the proof of a square takes.
pub(crate) const PASSES: u64 = 5;

/// A picture of which samples are to be proved.
pub(crate) trait Field {
    /// Its columns and rows.
    fn extent(&self) -> (u32, u32);
    /// Whether nothing of a square is left to be proved.
    fn is_known(&self, square: Square) -> bool;
    /// A point amid the c of a square's samples, and how far they may be from it.
    fn disc(&self, square: Square) -> ([f64; 2], f64);
    /// A square's samples are proved, which saves about so many steps of each.
    fn mark(&mut self, square: Square, saved: u64);
    /// Whether so many steps of a proof may be made; if so, they are spent.
    fn pays(&mut self, steps: u64) -> bool;
}

/// Marks what is proved around `square` of a cycle's component, in larger and larger squares up to the size `largest`, as
/// long as there is any.
pub(crate) fn add_around(
    field: &mut impl Field,
    course: &Course<'_>,
    cycle: Cycle,
    square: Square,
    largest: u32,
) {
    let mut known = square;
    while known.size < largest {
        let around = known.parent();
        let mut found = false;
        for part in around.quarters(field.extent()) {
            found |= part != known && add_component(field, course, cycle, part);
        }
        if !found {
            return;
        }
        known = around;
    }
}

/// Marks the samples of `square` of which cycles near to `cycle` prove that they are inside, as long as it pays; whether
/// there are any.
pub(crate) fn add_component(
    field: &mut impl Field,
    course: &Course<'_>,
    cycle: Cycle,
    square: Square,
) -> bool {
    let mut any = false;
    let mut waiting = vec![(square, cycle)];
    while let Some((square, near)) = waiting.pop() {
        if field.is_known(square) {
            continue;
        }
        if !field.pays(PASSES * near.period) {
            break;
        }
        let (c, spread) = field.disc(square);
        let found = course.cycle_from(&near, c);
        if let Some(cycle) = found
            && course.is_inside(&cycle, spread)
        {
            field.mark(square, cycle.settles());
            any = true;
            continue;
        }
        let may_hold = match found {
            Some(cycle) => square.size > 1 && cycle.may_attract(spread),
            None => square.size > SEARCHED,
        };
        if may_hold {
            let near = found.filter(Cycle::attracts).unwrap_or(near);
            waiting.extend(square.quarters(field.extent()).map(|part| (part, near)));
        }
    }
    any
}
