//! What is iterated, and its text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{FormulaError, MAX_DEGREE, MAX_OPERATIONS, MAX_PHASES};
use super::names::{self, NAMED};
use super::operation::Operation;
use super::phase::{Instruction, Phase};
use crate::Decimal;

/// What is iterated: phases that are applied to z in turn, each of which counts as one step.
#[derive(Clone, Debug)]
pub struct Formula {
    operations: Vec<Vec<Operation>>,
    phases: Vec<Phase>,
}

impl Formula {
    /// Its phases; phase n modulo their number leads from z_n to z_(n+1).
    #[must_use]
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The phase that leads on from z_n.
    #[must_use]
    pub fn phase(&self, n: u64) -> &Phase {
        &self.phases[(n % self.phases.len() as u64) as usize]
    }

    /// The angles by which z is turned, in degrees, in the order in which they occur.
    pub fn rotations(&self) -> impl Iterator<Item = &Decimal> {
        (self.operations.iter().flatten()).filter_map(|operation| match operation {
            Operation::Rotate(degrees) => Some(degrees),
            _ => None,
        })
    }

    /// Whether it is z² + c.
    #[must_use]
    pub fn is_mandelbrot(&self) -> bool {
        self.operations == [[Operation::Square, Operation::Add]]
    }

    /// The largest degree of its phases.
    #[must_use]
    pub fn degree(&self) -> u32 {
        self.phases.iter().map(Phase::degree).max().unwrap_or(2)
    }

    /// Whether its restriction to the real axis is x² + c, of which orbits from 0 stay bounded for c from -2 to 1/4.
    #[must_use]
    pub fn is_square_on_reals(&self) -> bool {
        let [phase] = &self.phases[..] else {
            return false;
        };
        let mut squares = 0;
        for instruction in phase.instructions() {
            match instruction {
                Instruction::Square => squares += 1,
                Instruction::Fold(super::Fold::NegX) if squares > 0 => return false,
                Instruction::Fold(_) | Instruction::Tap => {}
                Instruction::Add => {}
                _ => return false,
            }
        }
        squares == 1
            && phase.instructions().last() == Some(&Instruction::Add)
            && (phase.instructions().iter())
                .filter(|one| **one == Instruction::Add)
                .count()
                == 1
    }

    /// The operations of its phases, as they are written.
    #[must_use]
    pub fn written(&self) -> &[Vec<Operation>] {
        &self.operations
    }

    /// What it is where the imaginary axis points the other way: its picture of (re, im), turned upside down, is that of this
    /// formula at (re, -im).
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let phase = |operations: &Vec<Operation>| {
            let mut mirrored: Vec<Operation> = Vec::new();
            for operation in operations {
                // Conjugated before and after, each operation is itself but for these.
                let own = match operation {
                    Operation::AbsY => vec![Operation::AbsY, Operation::NegY],
                    Operation::Rotate(degrees) => vec![Operation::Rotate(degrees.negated())],
                    other => vec![other.clone()],
                };
                for one in own {
                    match (mirrored.last(), &one) {
                        (Some(Operation::NegY), Operation::NegY) => drop(mirrored.pop()),
                        _ => mirrored.push(one),
                    }
                }
            }
            mirrored
        };
        // Folds of no more operations than one that was over its limits already: where that ever fails it is as it was.
        let operations = self.operations.iter().map(phase).collect();
        Self::new(operations).unwrap_or_else(|_| self.clone())
    }

    /// The name of its operations, where they have one.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        let written = self.operations();
        (NAMED.iter()).find_map(|(name, operations)| (*operations == written).then_some(*name))
    }

    /// Its operations in words, phases separated by ` / `.
    #[must_use]
    pub fn operations(&self) -> String {
        let phase = |operations: &Vec<Operation>| {
            let words: Vec<String> = operations.iter().map(ToString::to_string).collect();
            words.join(" ")
        };
        let phases: Vec<String> = self.operations.iter().map(phase).collect();
        phases.join(" / ")
    }

    /// Whether orbits that are beyond `radius` grow for good, where |c| is `c_max` at most and no operation rounds by more than
    /// the share `rounding` of its value: by the least that each phase makes of a value on the radius. What it makes of a larger
    /// one is more.
    #[must_use]
    pub fn stays_outside(&self, radius: f64, c_max: f64, rounding: f64) -> bool {
        let below = 1.0 - rounding;
        self.phases().iter().all(|phase| {
            let mut least = radius;
            let mut kept = [radius; 2];
            for instruction in phase.instructions() {
                match *instruction {
                    Instruction::Square => least = least * least * below,
                    Instruction::Store(place) => kept[place] = least,
                    Instruction::Multiply(place) => least *= kept[place] * below,
                    Instruction::Add => least = (least - c_max) * below,
                    Instruction::Tap | Instruction::Fold(_) => {}
                    Instruction::Rotate(_) => least *= below,
                }
                if least <= 0.0 || least.is_nan() {
                    return false;
                }
            }
            least > radius
        })
    }

    /// Multiplications of complex numbers in all of its phases, squares among them.
    #[must_use]
    pub fn products(&self) -> usize {
        let is_product = |one: &&Instruction| {
            matches!(
                one,
                Instruction::Square | Instruction::Multiply(_) | Instruction::Rotate(_)
            )
        };
        let of_phases = (self.phases().iter()).map(|phase| phase.instructions());
        of_phases
            .map(|all| all.iter().filter(is_product).count())
            .sum()
    }

    /// From the operations of its phases.
    ///
    /// # Errors
    /// What makes them no formula.
    pub fn new(operations: Vec<Vec<Operation>>) -> Result<Self, FormulaError> {
        if operations.len() > MAX_PHASES {
            return Err(FormulaError::Phases(operations.len()));
        }
        let mut rotations = 0;
        let mut phases = Vec::new();
        for (index, phase) in operations.iter().enumerate() {
            let number = index + 1;
            if phase.is_empty() {
                return Err(FormulaError::EmptyPhase(number));
            }
            if phase.len() > MAX_OPERATIONS {
                return Err(FormulaError::Operations(number, phase.len()));
            }
            let made = Phase::new(phase, &mut rotations);
            if made.degree() < 2 {
                return Err(FormulaError::NoPower(number));
            }
            if made.degree() > MAX_DEGREE {
                return Err(FormulaError::Degree(number, made.degree().into()));
            }
            phases.push(made);
        }
        let adds = (operations.iter().flatten()).any(|one| *one == Operation::Add);
        if !adds {
            return Err(FormulaError::NoAdd);
        }
        Ok(Self { operations, phases })
    }
}

impl Default for Formula {
    fn default() -> Self {
        let operations = vec![vec![Operation::Square, Operation::Add]];
        let phases = vec![Phase::new(&operations[0], &mut 0)];
        Self { operations, phases }
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.operations == other.operations
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => f.write_str(&self.operations()),
        }
    }
}

impl FromStr for Formula {
    type Err = FormulaError;

    /// A name, or operations: `pow3`, `pow 3` and `pow{3}` are the same.
    fn from_str(text: &str) -> Result<Self, FormulaError> {
        let lower = text.trim().to_ascii_lowercase();
        let text = names::operations_of(&lower).unwrap_or(&lower);
        let mut phases = Vec::new();
        for phase in text.split('/') {
            let spaced = phase.replace(['{', '}', ','], " ");
            let mut words = spaced.split_whitespace().peekable();
            let mut operations = Vec::new();
            while let Some(word) = words.next() {
                operations.push(operation(word, &mut words)?);
            }
            phases.push(operations);
        }
        Self::new(phases)
    }
}

/// The operation that `word` begins, with its number from the words that follow.
fn operation<'a>(
    word: &'a str,
    rest: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
) -> Result<Operation, FormulaError> {
    if let Some(operation) = Operation::of_word(word) {
        return Ok(operation);
    }
    let mut number_of = |name: &'static str| {
        let own = word.strip_prefix(name)?;
        if own.is_empty() {
            return Some(rest.next().unwrap_or("").to_owned());
        }
        let is_number =
            own.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
        is_number.then(|| own.to_owned())
    };
    if let Some(number) = number_of("pow") {
        let power: Option<u32> = number.parse().ok();
        let said = "a whole number from 2 on";
        return match power.filter(|power| *power >= 2) {
            Some(power) => Ok(Operation::Power(power)),
            None => Err(FormulaError::Number("pow", said)),
        };
    }
    if let Some(number) = number_of("rot") {
        return match number.parse::<Decimal>() {
            Ok(degrees) if degrees.as_str().len() <= 64 => Ok(Operation::Rotate(degrees)),
            _ => Err(FormulaError::Number("rot", "the angle in degrees")),
        };
    }
    let known = (NAMED.iter().map(|(name, _)| *name)).chain(Operation::WORDS);
    Err(FormulaError::Unknown {
        given: word.chars().take(40).collect(),
        nearest: nearest(word, known),
    })
}

/// The word most like `given`, where one is.
fn nearest<'a>(given: &str, words: impl Iterator<Item = &'a str>) -> Option<String> {
    /// How alike two words are that one may be meant for the other.
    const ALIKE: f64 = 0.75;
    let alike = words.map(|word| (strsim::jaro_winkler(given, word), word));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > ALIKE)
        .map(|(_, word)| word.to_owned())
}

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Formula {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
