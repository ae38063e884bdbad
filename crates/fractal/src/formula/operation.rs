//! One operation on z.

use std::fmt;

use crate::Decimal;

/// One operation on z, as Fraktaler-3 names them.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// z²
    Square,
    /// z to the power of a whole number, 2 or more.
    Power(u32),
    /// z times the value that was stored.
    Multiply,
    /// Keeps z for a later [`Operation::Multiply`]; at the beginning of a phase that is z itself.
    Store,
    /// |re z| + i im z
    AbsX,
    /// re z + i |im z|
    AbsY,
    /// -re z + i im z
    NegX,
    /// re z - i im z
    NegY,
    /// z turned anticlockwise by so many degrees.
    Rotate(Decimal),
    /// z + c
    Add,
}

impl Operation {
    /// The words that stand for operations alone; `pow` and `rot` have a number after them.
    pub const WORDS: [&'static str; 10] = [
        "sqr", "pow", "mul", "store", "absx", "absy", "negx", "negy", "rot", "add",
    ];

    /// The operation of a word without a number.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "sqr" => Self::Square,
            "mul" => Self::Multiply,
            "store" => Self::Store,
            "absx" => Self::AbsX,
            "absy" => Self::AbsY,
            "negx" => Self::NegX,
            "negy" => Self::NegY,
            "add" => Self::Add,
            _ => return None,
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Square => f.write_str("sqr"),
            Self::Power(power) => write!(f, "pow{power}"),
            Self::Multiply => f.write_str("mul"),
            Self::Store => f.write_str("store"),
            Self::AbsX => f.write_str("absx"),
            Self::AbsY => f.write_str("absy"),
            Self::NegX => f.write_str("negx"),
            Self::NegY => f.write_str("negy"),
            Self::Rotate(degrees) => write!(f, "rot{{{}}}", degrees.as_str()),
            Self::Add => f.write_str("add"),
        }
    }
}
