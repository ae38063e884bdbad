//! The proof of a formula's steps: its own program on points whose ends the host knows, with a bound of what rounding may do.
//!
//! What they are made of (see [`super::plain`]) has passed before.

use fractal::formula::{Fold, Instruction, Numbers, turns_of};
use fractal::{Arithmetic, Formula};
use shaders::layout::split;
use shaders::{Kernel, Program};

use super::cases::ORBIT_STEPS;
use super::run::{compiled, run_compiled};
use crate::gpu::session::context::Context;

/// z0 and c.
type Case = [[f64; 2]; 2];

/// Share of cases whose bound must be small enough to tell anything.
const TELLING: usize = 2;
/// A bound of an end's error beyond which its case tells nothing.
const VAGUE: f64 = 1.0 / 64.0;

/// A value with a bound of its error.
#[derive(Clone, Copy, Debug)]
struct Bounded {
    z: [f64; 2],
    error: f64,
}

impl Bounded {
    fn size(&self) -> f64 {
        self.z[0].hypot(self.z[1])
    }
}

/// Steps of a formula in doubles, with a bound of what numbers make of them that round by `unit`.
struct Steps<'a> {
    c: [f64; 2],
    turns: &'a [[f64; 2]],
    unit: f64,
}

impl Steps<'_> {
    fn product(&self, a: Bounded, b: Bounded) -> Bounded {
        let ([x, y], [u, v]) = (a.z, b.z);
        let exact = a.error * b.size() + a.size() * b.error + a.error * b.error;
        Bounded {
            z: [x * u - y * v, x * v + y * u],
            error: exact + a.size() * b.size() * self.unit,
        }
    }
}

impl Numbers for Steps<'_> {
    type Value = Bounded;

    fn square(&mut self, z: Bounded) -> Bounded {
        self.product(z, z)
    }

    fn multiply(&mut self, z: Bounded, stored: &Bounded) -> Bounded {
        self.product(z, *stored)
    }

    fn fold(&mut self, z: Bounded, fold: Fold) -> Bounded {
        let [x, y] = z.z;
        let folded = match fold {
            Fold::AbsX => [x.abs(), y],
            Fold::AbsY => [x, y.abs()],
            Fold::NegX => [-x, y],
            Fold::NegY => [x, -y],
        };
        Bounded { z: folded, ..z }
    }

    fn rotate(&mut self, z: Bounded, index: usize) -> Bounded {
        let turn = Bounded {
            z: self.turns[index],
            error: self.unit,
        };
        self.product(z, turn)
    }

    fn add(&mut self, z: Bounded) -> Bounded {
        let [x, y] = [z.z[0] + self.c[0], z.z[1] + self.c[1]];
        let sizes = z.size() + self.c[0].hypot(self.c[1]);
        Bounded {
            z: [x, y],
            error: z.error + sizes * self.unit,
        }
    }
}

/// The end of a case after so many cycles of the formula's phases.
fn end_of(formula: &Formula, turns: &[[f64; 2]], case: &Case, cycles: u32, unit: f64) -> Bounded {
    let mut steps = Steps {
        c: case[1],
        turns,
        unit,
    };
    let mut value = Bounded {
        z: case[0],
        error: 0.0,
    };
    for _ in 0..cycles {
        for phase in formula.phases() {
            value = phase.apply(&mut steps, value);
        }
    }
    value
}

/// Points in all quadrants. With c as small as it is here orbits from 0 stay near it, and come nearer to each other with each
/// step, whatever the formula: every power is a contraction there, and folds and turns are isometries. Those from elsewhere
/// make one cycle.
fn cases(formula: &Formula) -> [(u32, Vec<Case>); 2] {
    // Singles hold each of them.
    let rounded = |x: f64| (x * f64::from(1 << 18)).round() / f64::from(1 << 18);
    let at = |size: f64, turn: f64| {
        let (sin, cos) = libm::sincos(turn);
        [rounded(size * cos), rounded(size * sin)]
    };
    let adds = |instructions: &[Instruction]| {
        let is_add = |one: &&Instruction| **one == Instruction::Add;
        instructions.iter().filter(is_add).count()
    };
    let most = (formula.phases().iter()).map(|phase| adds(phase.instructions()));
    let c = 0.2 / most.max().unwrap_or(1).max(1) as f64;
    let turn = |index: u32| f64::from(index) * 0.83 + 0.2;
    let orbits = (0..16).map(|index| [[0.0; 2], at(c, turn(index))]);
    let cycles = ORBIT_STEPS.div_ceil(formula.phases().len() as u32);
    let single = (0..48).map(|index| {
        let size = 0.3 + 0.6 * f64::from(index % 7) / 6.0;
        [at(size, turn(index)), at(c, turn(5 * index + 1))]
    });
    [(cycles, orbits.collect()), (1, single.collect())]
}

/// What an operation of an arithmetic may be off by, in shares of its operands; far above what right ones are off by, and far
/// below what a shorter number type would be.
fn unit(arithmetic: Arithmetic) -> f64 {
    let bits = match arithmetic {
        Arithmetic::F32 => 20,
        Arithmetic::DoubleSingle => 42,
        // What the outcome holds of a double.
        _ => 45,
    };
    1.0 / (1u64 << bits) as f64
}

/// Proves a formula's steps in an arithmetic.
pub(in crate::gpu) fn prove(
    context: &Context,
    formula: &Formula,
    arithmetic: Arithmetic,
) -> Result<(), String> {
    let program = Program::of_formula(Kernel::ProveOrbit, arithmetic, formula, false);
    let pipeline = compiled(context, program)?;
    for (cycles, cases) in cases(formula) {
        let nothing = [0.0; 2];
        let values = (cases.iter()).flat_map(|[z, c]| [*z, *c, nothing].into_iter().flatten());
        let bytes: Vec<u8> = match arithmetic {
            Arithmetic::F64 => values.flat_map(f64::to_ne_bytes).collect(),
            _ => values
                .flat_map(|x| bytemuck::cast::<_, [u8; 8]>(split(x)))
                .collect(),
        };
        let ends: Vec<[f32; 4]> = run_compiled(context, &pipeline, &bytes, cases.len(), cycles)?;
        check(formula, arithmetic, cycles, &cases, &ends)?;
    }
    Ok(())
}

fn check(
    formula: &Formula,
    arithmetic: Arithmetic,
    cycles: u32,
    cases: &[Case],
    ends: &[[f32; 4]],
) -> Result<(), String> {
    let turns = turns_of(formula);
    let mut telling = 0;
    for (case, end) in cases.iter().zip(ends) {
        let known = end_of(formula, &turns, case, cycles, unit(arithmetic));
        if known.error.is_nan() || known.error > VAGUE {
            continue;
        }
        telling += 1;
        let whole = |at: usize| f64::from(end[at]) + f64::from(end[at + 1]);
        let error = (whole(0) - known.z[0]).hypot(whole(2) - known.z[1]);
        // Not `>`, so that NaN fails.
        if error <= known.error {
            continue;
        }
        let [z, c] = case;
        return Err(format!(
            "{formula} from {z:?} with c {c:?} is off by {error:.1e} after {cycles} cycles"
        ));
    }
    if telling * TELLING < cases.len() {
        return Err(format!("no orbit of {formula} tells what is right"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMULAS: [&str; 4] = [
        "burning-ship",
        "multibrot-9",
        "store absx sqr mul rot{30} negy add / negx absy pow7 add",
        "sqr add add add",
    ];

    #[test]
    fn what_is_slightly_wrong_is_refused() {
        for formula in FORMULAS {
            let formula: Formula = formula.parse().unwrap();
            let turns = turns_of(&formula);
            for arithmetic in Arithmetic::PLAIN {
                for (cycles, cases) in cases(&formula) {
                    let exact: Vec<[f32; 4]> = (cases.iter())
                        .map(|case| {
                            let end = end_of(&formula, &turns, case, cycles, 0.0);
                            let [re, im] = end.z.map(split);
                            [re[0], re[1], im[0], im[1]]
                        })
                        .collect();
                    let check =
                        |ends: &[[f32; 4]]| check(&formula, arithmetic, cycles, &cases, ends);
                    assert_eq!(check(&exact), Ok(()));
                    // One end of another sign, or cut to single precision, or none at all.
                    let changed = |change: &dyn Fn(&mut [f32; 4])| {
                        let mut ends = exact.clone();
                        change(&mut ends[3]);
                        check(&ends)
                    };
                    assert!(changed(&|end| end[0] = -end[0]).is_err(), "{formula}");
                    assert!(changed(&|end| end[2] = f32::NAN).is_err());
                    if arithmetic != Arithmetic::F32 {
                        assert!(changed(&|end| (end[1], end[3]) = (0.0, 0.0)).is_err());
                    }
                }
            }
        }
    }

    #[test]
    fn the_ends_are_those_of_other_formulas_only_for_those() {
        let own: Formula = "burning-ship".parse().unwrap();
        let other: Formula = "tricorn".parse().unwrap();
        let (cycles, cases) = cases(&own)[0].clone();
        let ends: Vec<[f32; 4]> = (cases.iter())
            .map(|case| {
                let [re, im] = end_of(&other, &[], case, cycles, 0.0).z.map(split);
                [re[0], re[1], im[0], im[1]]
            })
            .collect();
        assert!(check(&own, Arithmetic::F32, cycles, &cases, &ends).is_err());
        assert!(check(&other, Arithmetic::F32, cycles, &cases, &ends).is_ok());
    }
}
