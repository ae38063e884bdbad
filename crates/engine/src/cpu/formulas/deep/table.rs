//! The blocks of one reference orbit: two steps, four, eight and so on, each starting at a multiple of its length beyond the
//! first step.

use fractal::Formula;

use super::linear::{Block, Making};
use super::real::Real;

/// log2 of the steps of the shortest blocks: a block of one costs as much as the step.
const SHORTEST_LOG2: u32 = 1;

/// Blocks of one orbit, level by level.
#[derive(Clone, Debug)]
pub(super) struct Table<R> {
    levels: Vec<Vec<Block<R>>>,
    /// The squares of their radii, apart: most of them are only looked at.
    radii2: Vec<Vec<R>>,
}

impl<R: Real> Table<R> {
    /// The blocks of an orbit; `goes_on` is asked now and then, and `None` comes when it says no.
    pub(super) fn new(
        making: &Making<'_, R>,
        formula: &Formula,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Self> {
        /// Steps between two looks.
        const CHUNK: usize = 1 << 12;
        let (phase, steps) = (making.orbit.phase, making.orbit.steps);
        let of = |step: usize| making.step(formula.phase((phase + step) as u64), step);
        // The first step starts at the critical point, where no delta is small: blocks begin after it.
        let mut first = Vec::with_capacity(steps / 2);
        for step in (1..steps.saturating_sub(1)).step_by(2) {
            if step.is_multiple_of(CHUNK + 1) && !goes_on() {
                return None;
            }
            first.push(of(step).then(&of(step + 1), making.c_max));
        }
        let mut levels = vec![first];
        loop {
            let last = levels.last().map(Vec::as_slice).unwrap_or_default();
            let joined: Vec<Block<R>> = last
                .chunks_exact(2)
                .map(|pair| pair[0].then(&pair[1], making.c_max))
                .collect();
            // Where none is good for any delta, longer ones are not either.
            if !joined.iter().any(|block| block.radius > R::ZERO) {
                break;
            }
            levels.push(joined);
        }
        if !goes_on() {
            return None;
        }
        Some(Self::of(levels))
    }

    fn of(levels: Vec<Vec<Block<R>>>) -> Self {
        let squares = |level: &Vec<Block<R>>| {
            (level.iter())
                .map(|block| block.radius * block.radius)
                .collect()
        };
        Self {
            radii2: levels.iter().map(squares).collect(),
            levels,
        }
    }

    /// In other numbers, with offsets in a unit of 2^`unit_log2`.
    pub(super) fn narrowed<S: Real>(&self, unit_log2: i64) -> Table<S> {
        let level = |level: &Vec<Block<R>>| {
            level
                .iter()
                .map(|block| block.narrowed(unit_log2))
                .collect()
        };
        Table::of(self.levels.iter().map(level).collect())
    }

    /// The square of the largest radius of all.
    pub(super) fn largest2(&self) -> R {
        let shortest = self.radii2.first().map(Vec::as_slice).unwrap_or_default();
        shortest.iter().fold(R::ZERO, |most, one| most.larger(*one))
    }

    /// The longest block from `step` on that is good for |z|² = `norm2` and has no more than `most` steps.
    #[inline(always)]
    pub(super) fn find(&self, step: usize, norm2: R, most: u64) -> Option<(&Block<R>, u64)> {
        let at = step.wrapping_sub(1);
        let mut found = None;
        let aligned = at.trailing_zeros();
        for (level, radii2) in self.radii2.iter().enumerate() {
            let log2 = level as u32 + SHORTEST_LOG2;
            if log2 > aligned {
                break;
            }
            match radii2.get(at >> log2) {
                Some(radius2) if norm2 < *radius2 && 1u64 << log2 <= most => {
                    found = Some((level, at >> log2));
                }
                _ => break,
            }
        }
        found.map(|(level, at)| {
            (
                &self.levels[level][at],
                1u64 << (level as u32 + SHORTEST_LOG2),
            )
        })
    }
}
