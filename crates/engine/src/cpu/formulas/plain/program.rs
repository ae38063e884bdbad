//! A formula as plain kernels run it.

use fractal::Formula;
use fractal::formula::{Fold, Instruction};

/// An operation on vectors of orbits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Plain {
    Square,
    /// z² + c, with one rounding less.
    SquareAdd,
    Store(usize),
    Multiply(usize),
    /// The parts' bits and these, and then turned by those: |x| and -x, of any number of folds.
    Fold {
        and: [u64; 2],
        xor: [u64; 2],
    },
    Rotate(usize),
    Add,
}

/// Steps of a block, at least; it has whole rounds of the phases.
const BLOCK: u64 = 16;

/// A share of a value that an operation rounds it by at most, with much to spare.
const ROUNDING: f64 = 1.0 / (1u64 << 40) as f64;

/// What a frame asks of the kernel.
pub(in crate::cpu::formulas) struct PlainPlan {
    pub(super) program: Vec<Vec<Plain>>,
    pub(in crate::cpu::formulas) rotations: Vec<[f64; 2]>,
    pub(in crate::cpu::formulas) limit: u64,
    pub(in crate::cpu::formulas) radius: f64,
    /// Steps between two looks.
    pub(super) block: u64,
    pub(super) is_parameter: bool,
}

impl PlainPlan {
    pub(in crate::cpu::formulas) fn new(
        formula: &Formula,
        rotations: Vec<[f64; 2]>,
        limit: u64,
        radius: f64,
        c_max: f64,
        is_parameter: bool,
    ) -> Self {
        let phases = formula.phases().len() as u64;
        Self {
            program: program(formula),
            rotations,
            limit,
            radius,
            // Orbits that may come back are looked at in each step.
            block: if formula.stays_outside(radius, c_max, ROUNDING) {
                BLOCK.next_multiple_of(phases)
            } else {
                1
            },
            is_parameter,
        }
    }

    /// Whether the steps of a block are whole rounds of the phases: then it ends where it began.
    pub(super) fn is_round(&self) -> bool {
        self.block.is_multiple_of(self.program.len() as u64)
    }
}

/// All bits but the sign.
const MODULUS: u64 = u64::MAX >> 1;
const SIGN: u64 = 1 << 63;

/// The operations of each phase.
fn program(formula: &Formula) -> Vec<Vec<Plain>> {
    let phases = formula.phases().iter();
    phases
        .map(|phase| operations(phase.instructions()))
        .collect()
}

fn operations(instructions: &[Instruction]) -> Vec<Plain> {
    let mut made: Vec<Plain> = Vec::new();
    let first = (instructions.iter())
        .find(|one| matches!(one, Instruction::Store(0) | Instruction::Multiply(0)));
    if first == Some(&Instruction::Multiply(0)) {
        // What is stored at first is z itself.
        made.push(Plain::Store(0));
    }
    for instruction in instructions {
        match *instruction {
            Instruction::Tap => {}
            Instruction::Square => made.push(Plain::Square),
            Instruction::Store(place) => made.push(Plain::Store(place)),
            Instruction::Multiply(place) => made.push(Plain::Multiply(place)),
            Instruction::Rotate(index) => made.push(Plain::Rotate(index)),
            Instruction::Add => match made.last_mut() {
                Some(last @ Plain::Square) => *last = Plain::SquareAdd,
                _ => made.push(Plain::Add),
            },
            Instruction::Fold(fold) => push_fold(&mut made, fold),
        }
    }
    made
}

/// Folds that follow each other are one.
fn push_fold(made: &mut Vec<Plain>, fold: Fold) {
    if !matches!(made.last(), Some(Plain::Fold { .. })) {
        made.push(Plain::Fold {
            and: [u64::MAX; 2],
            xor: [0; 2],
        });
    }
    if let Some(Plain::Fold { and, xor }) = made.last_mut() {
        match fold {
            Fold::AbsX | Fold::AbsY => {
                let part = usize::from(fold == Fold::AbsY);
                (and[part], xor[part]) = (MODULUS, 0);
            }
            Fold::NegX => xor[0] ^= SIGN,
            Fold::NegY => xor[1] ^= SIGN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_one_and_squares_take_c_along() {
        let of = |text: &str| program(&text.parse().unwrap());
        assert_eq!(of("mandelbrot"), [[Plain::SquareAdd]]);
        let [ship] = &of("absx negx absy sqr add")[..] else {
            panic!()
        };
        let fold = Plain::Fold {
            and: [MODULUS; 2],
            xor: [SIGN, 0],
        };
        assert_eq!(ship, &[fold, Plain::SquareAdd]);
        let [back] = &of("negx absx sqr negy add")[..] else {
            panic!()
        };
        assert_eq!(
            back[0],
            Plain::Fold {
                and: [MODULUS, u64::MAX],
                xor: [0; 2]
            }
        );
        assert_eq!(
            back[1..],
            [
                Plain::Square,
                Plain::Fold {
                    and: [u64::MAX; 2],
                    xor: [0, SIGN]
                },
                Plain::Add
            ]
        );
    }
}
