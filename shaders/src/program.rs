//! Programs: which pieces make up which kernel.

use fractal::Arithmetic;

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
}

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
            (Kernel::EscapeWithDerivative, arithmetic) if arithmetic.is_delta() => 48,
            (Kernel::Escape | Kernel::Stability, Arithmetic::F32) => 16,
            (Kernel::EscapeWithDerivative, Arithmetic::F32) => 24,
            (Kernel::Escape | Kernel::EscapeWithDerivative | Kernel::Stability, _) => 32,
            (Kernel::ProveOrbit | Kernel::ProveOperations | Kernel::Limit, _) => 0,
        }
    }

    /// Identifies the algorithm: FNV-1a of the whole source, which contains every choice but the host's
    /// schedule, and that changes no value.
    #[must_use]
    pub fn id(&self) -> u64 {
        /// Raise when the host's part in the values changes: coordinates, start, or the final formulas.
        const HOST_VERSION: u8 = 1;
        /// The same for deltas: their coordinates, and the blocks of steps, how they are made and where they hold.
        const DELTA_HOST_VERSION: u8 = 2;
        let version = match self.arithmetic.is_delta() {
            true => DELTA_HOST_VERSION,
            false => HOST_VERSION,
        };
        let prime = 0x0000_0100_0000_01b3u64;
        self.source
            .bytes()
            .chain([version, self.arithmetic as u8])
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(prime)
            })
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
        })
    }
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
