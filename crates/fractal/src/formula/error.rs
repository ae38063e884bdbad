//! Limits of formulas, and why a text is none.

/// Most phases of a formula.
pub const MAX_PHASES: usize = 64;
/// Most operations of a phase.
pub const MAX_OPERATIONS: usize = 64;
/// Largest degree of a phase.
pub const MAX_DEGREE: u32 = 32;

/// Why a text is no formula.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// Neither a name nor operations.
    #[error("there is no formula or operation '{given}'{}", nearest.as_ref().map_or(String::new(), |name| format!(": did you mean '{name}'?")))]
    Unknown {
        /// What was written.
        given: String,
        /// The name most like it.
        nearest: Option<String>,
    },
    /// A phase without operations.
    #[error("phase {0} of the formula is empty")]
    EmptyPhase(usize),
    /// A phase that does not raise the degree: orbits would not escape by it.
    #[error("phase {0} of the formula has no power: one of sqr, pow and mul")]
    NoPower(usize),
    /// c is nowhere added.
    #[error("the formula adds no c: one phase at least needs 'add'")]
    NoAdd,
    /// A degree over the limit.
    #[error("phase {0} of the formula is of degree {1}; the largest is {MAX_DEGREE}")]
    Degree(usize, u64),
    /// The number of an operation that needs one, or has one too many.
    #[error("'{0}' needs a number after it: {1}")]
    Number(&'static str, &'static str),
    /// Too many phases.
    #[error("a formula of {0} phases is over the limit of {MAX_PHASES}")]
    Phases(usize),
    /// Too many operations.
    #[error("phase {0} of the formula has {1} operations; the most are {MAX_OPERATIONS}")]
    Operations(usize, usize),
}
