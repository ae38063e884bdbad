//! What is iterated.

use fractal::{Decimal, Formula};
use locations::Location;
use serde::{Deserialize, Serialize};

/// What is iterated. What is not requested is as the location has it, or z² + c.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct FormulaRequest {
    /// A name, or operations: `burning-ship`, `sqr add / absx absy pow3 add`.
    pub formula: Option<Formula>,
    /// The c of a Julia set, real and imaginary part: points of the plane are start values then.
    pub julia: Option<[Decimal; 2]>,
}

impl FormulaRequest {
    /// The formula, and the c of a Julia set; what is not requested is as `location` has it.
    #[must_use]
    pub fn over(&self, location: Option<&Location>) -> (Formula, Option<[Decimal; 2]>) {
        let said = location.and_then(|location| location.formula.as_ref());
        let julia = location.and_then(|location| location.julia.as_ref());
        (
            self.formula.as_ref().or(said).cloned().unwrap_or_default(),
            self.julia.as_ref().or(julia).cloned(),
        )
    }
}
