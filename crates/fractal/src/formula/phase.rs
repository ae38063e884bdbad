//! One step of a formula, in any numbers.

use super::numbers::{Fold, Numbers};
use super::operation::Operation;

/// What a phase is made of once powers are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// See [`Numbers::tap`].
    Tap,
    /// z²
    Square,
    /// Keeps z in one of two places: 0 is the formula's, 1 that of powers.
    Store(usize),
    /// z times what is kept.
    Multiply(usize),
    /// At an axis.
    Fold(Fold),
    /// By the formula's `n`th angle.
    Rotate(usize),
    /// z + c
    Add,
}

/// One step of a formula: what leads from z_(n-1) to z_n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    instructions: Vec<Instruction>,
    degree: u32,
    taps: usize,
}

impl Phase {
    /// From its operations; `rotations` is the number of those of earlier phases, and is counted on. Its degree may be over all
    /// limits: then it is the largest number.
    pub(super) fn new(operations: &[Operation], rotations: &mut usize) -> Self {
        let mut phase = Self {
            instructions: vec![Instruction::Tap],
            degree: 1,
            taps: 1,
        };
        let mut is_tapped = true;
        let mut stored = 1u32;
        // Where something is multiplied by what was kept last before anything was, that is the z that the phase begins with.
        let keeps =
            |operation: &&Operation| matches!(operation, Operation::Multiply | Operation::Store);
        if let Some(Operation::Multiply) = operations.iter().find(keeps) {
            phase.instructions.push(Instruction::Store(0));
        }
        for operation in operations {
            match operation {
                Operation::Square => {
                    phase.push_tapped(Instruction::Square, &mut is_tapped);
                    phase.degree = phase.degree.saturating_mul(2);
                }
                Operation::Power(power) => {
                    phase.push_power(*power, &mut is_tapped);
                    phase.degree = phase.degree.saturating_mul(*power);
                }
                Operation::Multiply => {
                    phase.push_tapped(Instruction::Multiply(0), &mut is_tapped);
                    phase.degree = phase.degree.saturating_add(stored);
                }
                Operation::Store => {
                    phase.push_tapped(Instruction::Store(0), &mut is_tapped);
                    is_tapped = true;
                    stored = phase.degree;
                }
                Operation::AbsX => phase.push_fold(Fold::AbsX, &mut is_tapped),
                Operation::AbsY => phase.push_fold(Fold::AbsY, &mut is_tapped),
                Operation::NegX => phase.instructions.push(Instruction::Fold(Fold::NegX)),
                Operation::NegY => phase.instructions.push(Instruction::Fold(Fold::NegY)),
                Operation::Rotate(_) => {
                    phase.instructions.push(Instruction::Rotate(*rotations));
                    *rotations += 1;
                    is_tapped = false;
                }
                Operation::Add => {
                    phase.instructions.push(Instruction::Add);
                    is_tapped = false;
                }
            }
        }
        phase
    }

    /// `instruction` with z tapped before it; after it z is another one.
    fn push_tapped(&mut self, instruction: Instruction, is_tapped: &mut bool) {
        if !*is_tapped {
            self.instructions.push(Instruction::Tap);
            self.taps += 1;
        }
        self.instructions.push(instruction);
        *is_tapped = false;
    }

    /// A fold of a value that is tapped leaves one that is as good as tapped: only signs change.
    fn push_fold(&mut self, fold: Fold, is_tapped: &mut bool) {
        self.push_tapped(Instruction::Fold(fold), is_tapped);
        *is_tapped = true;
    }

    /// By the bits of the power, from the second highest on: squares, and z where a bit is set.
    fn push_power(&mut self, power: u32, is_tapped: &mut bool) {
        if !power.is_power_of_two() {
            self.push_tapped(Instruction::Store(1), is_tapped);
            *is_tapped = true;
        }
        for bit in (0..power.ilog2()).rev() {
            self.push_tapped(Instruction::Square, is_tapped);
            if power >> bit & 1 != 0 {
                self.push_tapped(Instruction::Multiply(1), is_tapped);
            }
        }
    }

    /// What it is made of.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// By what power of |z| it grows where |z| is large.
    #[must_use]
    pub fn degree(&self) -> u32 {
        self.degree
    }

    /// How often z is tapped in it; the first time before all else.
    #[must_use]
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// Whether z is folded anywhere: then it is no analytic map.
    #[must_use]
    pub fn folds(&self) -> bool {
        (self.instructions.iter()).any(|one| matches!(one, Instruction::Fold(_)))
    }

    /// One step, in any numbers.
    #[inline(always)]
    pub fn apply<N: Numbers>(&self, numbers: &mut N, z: N::Value) -> N::Value {
        let mut kept = [z.clone(), z.clone()];
        let mut z = z;
        for instruction in &self.instructions {
            z = match *instruction {
                Instruction::Tap => numbers.tap(z),
                Instruction::Square => numbers.square(z),
                Instruction::Store(place) => {
                    kept[place] = z.clone();
                    z
                }
                Instruction::Multiply(place) => numbers.multiply(z, &kept[place]),
                Instruction::Fold(fold) => numbers.fold(z, fold),
                Instruction::Rotate(index) => numbers.rotate(z, index),
                Instruction::Add => numbers.add(z),
            };
        }
        z
    }
}
