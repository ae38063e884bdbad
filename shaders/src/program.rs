//! Programs: which pieces make up which kernel.

use fractal::{Arithmetic, Formula};

use crate::formula as composed;
use crate::layout::BLOCK;

macro_rules! pieces {
    ($($name:ident),* $(,)?) => {
        $(
            #[allow(non_upper_case_globals)]
            const $name: Piece = Piece {
                name: stringify!($name),
                text: include_str!(concat!("../wgsl/", stringify!($name), ".wgsl")),
            };
        )*
        /// Every file of `wgsl/`, so that a test can tell a forgotten one.
        #[cfg(test)]
        pub(crate) const PIECES: &[Piece] = &[$($name),*];
    };
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

pieces! {
    round, append, escape, stability, state_plain, state_derivative,
    number_f32, number_double_single, number_f64, exact, exact_textbook,
    hide_uniform, hide_memory,
    proof, prove_single, prove_double, prove_orbit, limit,
    number_delta_double_single, number_delta_f64, delta_step, delta_data, delta_jets, delta_moves,
    state_delta_plain, state_delta_derivative, delta_escape, delta_stability, prove_delta,
    operations_f32, operations_double_single, operations_f64, orbit_plain, orbit_jacobian,
    plane_parameter, plane_julia, formula_round, formula_escape, formula_stability, formula_main,
    prove_formula,
}

/// What a program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Iterates until escape: counts, and |z|² if asked. In arithmetics of deltas with blocks of steps, as the
    /// other two that iterate.
    Escape,
    /// The same with the derivative, for the distance estimate.
    EscapeWithDerivative,
    /// Iterates to exactly N steps: |z_N|²; not in single precision.
    Stability,
    /// A short orbit of given points.
    ProveOrbit,
    /// Elementary operations on given numbers: those of single precision for [`Arithmetic::F32`], with the
    /// error-free transformations for [`Arithmetic::DoubleSingle`] too; those of double precision for
    /// [`Arithmetic::F64`].
    ProveOperations,
    /// Multiply-adds and nothing else; double-single is made of the single ones.
    Limit,
}

impl Kernel {
    /// All kernels.
    pub const ALL: [Self; 6] = [
        Self::Escape,
        Self::EscapeWithDerivative,
        Self::Stability,
        Self::ProveOrbit,
        Self::ProveOperations,
        Self::Limit,
    ];

    /// The name in labels and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Escape => "escape",
            Self::EscapeWithDerivative => "escape with derivative",
            Self::Stability => "stability",
            Self::ProveOrbit => "prove orbit",
            Self::ProveOperations => "prove operations",
            Self::Limit => "limit",
        }
    }
}

/// A composed WGSL program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Name for labels and messages.
    pub name: String,
    /// What it does.
    pub kernel: Kernel,
    /// In which number type.
    pub arithmetic: Arithmetic,
    /// The whole WGSL source.
    pub source: String,
    /// Steps between two tests for escape, where there are such: rounds that do not end at the limit are whole multiples of it.
    pub block: u32,
    /// Whether it is of a formula, see [`Program::of_formula`].
    is_of_formula: bool,
}

/// Uses every operation, in two phases: what formulas' programs are told apart by from those of another build.
const EXEMPLAR: &str = "store absx sqr mul rot{30} negy add / negx absy pow7 add";

impl Program {
    /// The program of `kernel` in `arithmetic`; `None` where there is none such (see [`Kernel`]).
    #[must_use]
    pub fn new(kernel: Kernel, arithmetic: Arithmetic) -> Option<Self> {
        let transformations = match arithmetic.is_delta() {
            true => [hide_memory, exact],
            false => [hide_uniform, exact],
        };
        Self::compose(kernel, arithmetic, &transformations)
    }

    /// The program of `kernel` in `arithmetic` for plain views of a formula, or of its Julia sets; `None` where there is none
    /// such: elementary operations and limits are no formula's, and its deltas are for processors.
    #[must_use]
    pub fn of_formula(
        kernel: Kernel,
        arithmetic: Arithmetic,
        formula: &Formula,
        is_julia: bool,
    ) -> Option<Self> {
        let (number, operations): (&[Piece], Piece) = match arithmetic {
            Arithmetic::F32 => (&[number_f32], operations_f32),
            Arithmetic::DoubleSingle => (
                &[hide_memory, exact, number_double_single],
                operations_double_single,
            ),
            Arithmetic::F64 => (&[number_f64], operations_f64),
            _ => return None,
        };
        let (told, orbit, entry): (Piece, Piece, &[Piece]) = match kernel {
            Kernel::Escape => (round, orbit_plain, &[append, formula_escape, formula_main]),
            Kernel::EscapeWithDerivative => (
                round,
                orbit_jacobian,
                &[append, formula_escape, formula_main],
            ),
            // As that of z² + c.
            Kernel::Stability if arithmetic == Arithmetic::F32 => return None,
            Kernel::Stability => (
                round,
                orbit_plain,
                &[append, formula_stability, formula_main],
            ),
            Kernel::ProveOrbit => (proof, orbit_plain, &[prove_formula]),
            Kernel::ProveOperations | Kernel::Limit => return None,
        };
        let plane = if is_julia {
            plane_julia
        } else {
            plane_parameter
        };
        let mut source = String::new();
        for piece in number.iter().chain(&[operations, plane, orbit, told]) {
            push(&mut source, *piece);
        }
        source += &composed::steps(formula, arithmetic);
        if kernel != Kernel::ProveOrbit {
            source += &composed::traced(formula.phases().len());
            push(&mut source, formula_round);
        }
        for piece in entry {
            push(&mut source, *piece);
        }
        Some(Self {
            name: format!("{} of {formula} in {}", kernel.name(), arithmetic.name()),
            kernel,
            arithmetic,
            source,
            block: composed::block_of(formula.phases().len()),
            is_of_formula: true,
        })
    }

    /// What [`Program::id`] is of all formulas' programs of a kernel in an arithmetic, where there are such.
    #[must_use]
    pub fn formula_id(kernel: Kernel, arithmetic: Arithmetic) -> Option<u64> {
        let exemplar = EXEMPLAR.parse().ok()?;
        let planes = [false, true].map(|is_julia| {
            Self::of_formula(kernel, arithmetic, &exemplar, is_julia).map(|program| program.source)
        });
        let [Some(parameter), Some(julia)] = planes else {
            return None;
        };
        Some(digest(parameter.bytes().chain(julia.bytes()), arithmetic))
    }

    /// The same with the textbook versions of the error-free transformations, which some drivers simplify
    /// back to single precision: a negative control for tests of proofs.
    #[must_use]
    pub fn textbook(kernel: Kernel) -> Option<Self> {
        let mut program = Self::compose(kernel, Arithmetic::DoubleSingle, &[exact_textbook])?;
        program.name.push_str(", textbook");
        Some(program)
    }

    /// Every program there is, without the negative controls.
    #[must_use]
    pub fn all() -> Vec<Self> {
        Kernel::ALL
            .into_iter()
            .flat_map(|kernel| {
                let all = Arithmetic::PLAIN.into_iter().chain(Arithmetic::DELTA);
                all.filter_map(move |a| Self::new(kernel, a))
            })
            .collect()
    }

    /// Bytes of one pixel's state between rounds; 0 for a program that keeps none.
    #[must_use]
    pub const fn state_bytes(&self) -> u32 {
        match (self.kernel, self.arithmetic) {
            (Kernel::EscapeWithDerivative, _) if self.is_of_formula => 48,
            (Kernel::EscapeWithDerivative, arithmetic) if arithmetic.is_delta() => 48,
            (Kernel::Escape | Kernel::Stability, Arithmetic::F32) => 16,
            (Kernel::EscapeWithDerivative, Arithmetic::F32) => 24,
            (Kernel::Escape | Kernel::EscapeWithDerivative | Kernel::Stability, _) => 32,
            (Kernel::ProveOrbit | Kernel::ProveOperations | Kernel::Limit, _) => 0,
        }
    }

    /// Identifies the algorithm: FNV-1a of the whole source, which contains every choice but the host's
    /// schedule, and that changes no value. Programs of formulas have that of one formula with all operations.
    #[must_use]
    pub fn id(&self) -> u64 {
        let of_formulas = || Self::formula_id(self.kernel, self.arithmetic);
        match self.is_of_formula.then(of_formulas).flatten() {
            Some(id) => id,
            None => digest(self.source.bytes(), self.arithmetic),
        }
    }

    fn compose(kernel: Kernel, arithmetic: Arithmetic, transformations: &[Piece]) -> Option<Self> {
        let number: &[Piece] = match arithmetic {
            Arithmetic::F32 => &[number_f32],
            Arithmetic::DoubleSingle => &[number_double_single],
            Arithmetic::F64 => &[number_f64],
            Arithmetic::DeltaDoubleSingle => &[number_delta_double_single],
            // One way for both: whatever becomes too small for a double's exponent gets one beside it.
            Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => &[number_delta_f64],
        };
        let transformations = match arithmetic {
            Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => transformations,
            _ => &[],
        };
        let (before, after): (&[Piece], &[Piece]) = match (kernel, arithmetic) {
            (Kernel::Escape, delta) if delta.is_delta() => (
                &[delta_step, round, delta_data, delta_jets],
                &[state_delta_plain, append, delta_escape, delta_moves],
            ),
            (Kernel::EscapeWithDerivative, delta) if delta.is_delta() => (
                &[delta_step, round, delta_data, delta_jets],
                &[state_delta_derivative, append, delta_escape, delta_moves],
            ),
            (Kernel::Stability, delta) if delta.is_delta() => (
                &[delta_step, round, delta_data, delta_jets],
                &[state_delta_plain, append, delta_stability, delta_moves],
            ),
            (Kernel::ProveOrbit, delta) if delta.is_delta() => {
                (&[delta_step, proof], &[prove_delta])
            }
            (Kernel::Escape, _) => (&[round], &[state_plain, append, escape]),
            (Kernel::EscapeWithDerivative, _) => (&[round], &[state_derivative, append, escape]),
            // Single precision is too short for a value that a chaotic orbit has after N steps.
            (Kernel::Stability, Arithmetic::F32) => return None,
            (Kernel::Stability, _) => (&[round], &[state_plain, append, stability]),
            (Kernel::ProveOrbit, _) => (&[proof], &[prove_orbit]),
            (Kernel::ProveOperations, Arithmetic::F64) => (&[proof], &[prove_double]),
            (Kernel::ProveOperations, Arithmetic::DoubleSingle) => (&[proof], &[prove_single]),
            // One program shows both.
            (Kernel::ProveOperations, Arithmetic::F32) => return None,
            (Kernel::Limit, Arithmetic::F32 | Arithmetic::F64) => (&[proof], &[limit]),
            (Kernel::Limit, Arithmetic::DoubleSingle) => return None,
            (Kernel::ProveOperations | Kernel::Limit, _) => return None,
        };
        let mut source = String::new();
        if kernel == Kernel::Limit {
            let real = if arithmetic == Arithmetic::F64 {
                "f64"
            } else {
                "f32"
            };
            source += &format!("alias Real = {real};\n");
        } else if kernel != Kernel::ProveOperations || arithmetic == Arithmetic::DoubleSingle {
            for piece in transformations.iter().chain(number) {
                push(&mut source, *piece);
            }
        }
        for piece in before.iter().chain(after) {
            push(&mut source, *piece);
        }
        Some(Self {
            name: format!("{} in {}", kernel.name(), arithmetic.name()),
            kernel,
            arithmetic,
            source,
            block: BLOCK,
            is_of_formula: false,
        })
    }
}

/// FNV-1a of a source's bytes, of the number type, and of the host's part in the values.
fn digest(source: impl Iterator<Item = u8>, arithmetic: Arithmetic) -> u64 {
    /// Raise when the host's part in the values changes: coordinates, start, or the final formulas.
    const HOST_VERSION: u8 = 1;
    /// The same for deltas: their coordinates, and the blocks of steps, how they are made and where they hold.
    const DELTA_HOST_VERSION: u8 = 2;
    let version = match arithmetic.is_delta() {
        true => DELTA_HOST_VERSION,
        false => HOST_VERSION,
    };
    let prime = 0x0000_0100_0000_01b3u64;
    source
        .chain([version, arithmetic as u8])
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(prime)
        })
}

fn push(source: &mut String, piece: Piece) {
    source.push_str("// ---- ");
    source.push_str(piece.name);
    source.push('\n');
    source.push_str(piece.text);
    source.push('\n');
}

#[cfg(test)]
mod tests;
