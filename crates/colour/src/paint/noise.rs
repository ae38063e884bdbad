//! Blue noise: thresholds that take the place of rounding, each used as often as every other, and so laid out that no
//! pattern or clump of them is seen.
//!
//! Made by void and cluster (Robert Ulichney, "The void-and-cluster method for dither array generation", 1993) on a
//! square that closes at its edges. Deterministic: it starts from a fixed pattern.

use std::sync::OnceLock;

/// Side of the square, a power of two.
const SIDE: usize = 64;
const CELLS: usize = SIDE * SIDE;
/// Cells that the first pattern sets: one of so many.
const SPARSE: usize = 10;
/// Width of the neighbourhood that cells feel, in cells.
const SIGMA: f64 = 1.5;
/// Where green and blue read the square, away from red: their noise should not be the same.
const CHANNELS: [(usize, usize); 3] = [(0, 0), (37, 11), (17, 47)];

/// The thresholds of a picture.
#[derive(Clone, Copy, Debug)]
pub struct Noise(&'static [f32]);

impl Noise {
    /// Made when first asked for.
    #[must_use]
    pub fn get() -> Self {
        static CELLS: OnceLock<Vec<f32>> = OnceLock::new();
        Self(CELLS.get_or_init(thresholds))
    }

    /// What is added to the channels of a pixel before they are rounded down: within 0 and 1, and 1/2 on average.
    #[inline]
    #[must_use]
    pub fn at(self, row: u32, column: u32) -> [f32; 3] {
        CHANNELS.map(|(down, right)| {
            let row = (row as usize + down) % SIDE;
            let column = (column as usize + right) % SIDE;
            self.0[row * SIDE + column]
        })
    }
}

/// Ranks of cells, spread over 0 to 1.
fn thresholds() -> Vec<f32> {
    let mut ranks = vec![0usize; CELLS];
    let mut first = Pattern::sparse();
    first.relax();
    let set = first.is_set.iter().filter(|is_set| **is_set).count();
    // Backwards from the first pattern: its tightest cluster goes last.
    let mut pattern = first.clone();
    for rank in (0..set).rev() {
        let cell = pattern.tightest_cluster();
        pattern.flip(cell);
        ranks[cell] = rank;
    }
    let mut pattern = first;
    for rank in set..CELLS {
        let cell = pattern.largest_void();
        pattern.flip(cell);
        ranks[cell] = rank;
    }
    let share = |rank: usize| (rank as f32 + 0.5) / CELLS as f32;
    ranks.into_iter().map(share).collect()
}

/// Cells that are set, and how many each has around it.
#[derive(Clone)]
struct Pattern {
    is_set: Vec<bool>,
    crowd: Vec<f64>,
    /// What a cell adds to one so far down and right of it.
    weight: Vec<f64>,
}

impl Pattern {
    /// Cells without order.
    fn sparse() -> Self {
        let distance = |step: usize| step.min(SIDE - step) as f64;
        let weight = (0..CELLS).map(|cell| {
            let (down, right) = (distance(cell / SIDE), distance(cell % SIDE));
            libm::exp(-(down * down + right * right) / (2.0 * SIGMA * SIGMA))
        });
        let mut pattern = Self {
            is_set: vec![false; CELLS],
            crowd: vec![0.0; CELLS],
            weight: weight.collect(),
        };
        let mut state = 1u32;
        let mut left = CELLS / SPARSE;
        while left > 0 {
            // Numerical Recipes' generator: its upper bits do for this.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let cell = (state >> 20) as usize % CELLS;
            if !pattern.is_set[cell] {
                pattern.flip(cell);
                left -= 1;
            }
        }
        pattern
    }

    /// Moves cells from the tightest cluster to the largest void until that changes nothing.
    fn relax(&mut self) {
        loop {
            let from = self.tightest_cluster();
            self.flip(from);
            let to = self.largest_void();
            self.flip(to);
            if from == to {
                return;
            }
        }
    }

    fn flip(&mut self, cell: usize) {
        self.is_set[cell] = !self.is_set[cell];
        let sign = if self.is_set[cell] { 1.0 } else { -1.0 };
        let (row, column) = (cell / SIDE, cell % SIDE);
        for down in 0..SIDE {
            let weights = &self.weight[down * SIDE..][..SIDE];
            let crowd = &mut self.crowd[(row + down) % SIDE * SIDE..][..SIDE];
            let (wrapped, straight) = crowd.split_at_mut(column);
            let (near, far) = weights.split_at(SIDE - column);
            for (crowd, weight) in straight
                .iter_mut()
                .zip(near)
                .chain(wrapped.iter_mut().zip(far))
            {
                *crowd += sign * weight;
            }
        }
    }

    /// The set cell with most around it.
    fn tightest_cluster(&self) -> usize {
        self.extreme(true, |crowd, best| crowd > best)
    }

    /// The cell that is not set with least around it.
    fn largest_void(&self) -> usize {
        self.extreme(false, |crowd, best| crowd < best)
    }

    fn extreme(&self, of_set: bool, is_better: impl Fn(f64, f64) -> bool) -> usize {
        let mut best = None;
        for (cell, crowd) in self.crowd.iter().enumerate() {
            if self.is_set[cell] == of_set && best.is_none_or(|(_, best)| is_better(*crowd, best)) {
                best = Some((cell, *crowd));
            }
        }
        best.map_or(0, |(cell, _)| cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_is_used_once() {
        let mut seen: Vec<f32> = Noise::get().0.to_vec();
        seen.sort_by(f32::total_cmp);
        for (rank, threshold) in seen.iter().enumerate() {
            assert_eq!(*threshold, (rank as f32 + 0.5) / CELLS as f32);
        }
    }

    /// The mean over squares of eight strays far less than that of noise of any colour would, whose variance is
    /// 1/12 of each value's and falls with their number.
    #[test]
    fn it_is_blue() {
        let means = |at: &dyn Fn(usize, usize) -> f32| {
            let squares = (0..64).map(|square| {
                let (top, left) = (square / 8 * 8, square % 8 * 8);
                let cells = (0..64).map(|cell| at(top + cell / 8, left + cell % 8));
                cells.sum::<f32>() / 64.0
            });
            squares.map(|mean| (mean - 0.5).powi(2)).sum::<f32>() / 64.0
        };
        let noise = Noise::get();
        let white = 1.0 / 12.0 / 64.0;
        let blue = means(&|row, column| noise.0[row * SIDE + column]);
        assert!(blue < white / 8.0, "{blue} against {white}");
        // The same thresholds in another order: a control.
        let shuffled = means(&|row, column| noise.0[(row * SIDE + column) * 1597 % CELLS]);
        assert!(shuffled > white / 3.0, "{shuffled} against {white}");
    }
}
