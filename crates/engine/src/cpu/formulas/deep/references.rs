//! What deltas of a frame share: reference orbits, and their blocks.

use fractal::formula::{self, FormulaOrbit, FormulaOrbits, turns_of};
use fractal::{Counts, FloatExp, FrameSpec, ReferencePoint};

use super::linear::Making;
use super::real::Real;
use super::table::Table;
use crate::cpu::formulas::roundoff::UNIT;
use crate::info::EngineError;

/// Most values of all reference orbits of a frame; blocks take about eight times their memory.
const MOST_VALUES: usize = 1 << 25;
/// log2 of what a block's step may lose of a delta where counts are to be certain.
const SETTLED_EPSILON_LOG2: i32 = -50;

/// Exponents of deltas above which doubles hold them and all that is smaller and matters, in views of any depth.
pub(super) const DOUBLES_LOG2: i64 = -400;
/// Which reference orbit a pixel's is beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Of the view's centre.
    First,
    /// Of the critical point, from a phase on.
    Critical(usize),
}

/// Reference orbits, and their blocks.
#[derive(Debug)]
pub(in crate::cpu::formulas) struct Deep {
    orbits: FormulaOrbits,
    /// Of the first orbit where it is one of its own, then those of the critical ones.
    tables: Vec<Table<f64>>,
    /// The same for deltas below the range of doubles; empty where the view has none.
    wide_tables: Vec<Table<FloatExp>>,
    /// The values of the first orbit and the critical one behind each other, where lanes go from one to the other.
    joined: Vec<[f64; 2]>,
    pub(super) rotations: Vec<[f64; 2]>,
    /// Whether points of the plane are values of c.
    pub(super) is_parameter: bool,
    /// How far an offset may be from the pixel's own.
    pub(super) c_error: FloatExp,
    pub(super) step_error: FloatExp,
    /// log2 of the unit in which doubles hold offsets and derivatives.
    pub(super) unit_log2: i64,
}

impl Deep {
    /// For a frame whose offsets from `point` are `c_max` long at most.
    pub(in crate::cpu::formulas) fn new(
        frame: &FrameSpec,
        point: ReferencePoint,
        c_max: FloatExp,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Self, EngineError> {
        let orbits = formula::compute(frame, point, MOST_VALUES, goes_on);
        let orbits = orbits.map_err(|error| match error {
            formula::OrbitsError::Cancelled => EngineError::Cancelled,
            error => EngineError::Orbits(error),
        })?;
        let is_parameter = frame.julia.is_none();
        let mut epsilon_log2 = frame.skip_error_log2;
        if frame.counts == Counts::Settled {
            epsilon_log2 = epsilon_log2.min(SETTLED_EPSILON_LOG2);
        }
        // A pixel's offset is squared with it: from there on doubles would lose it.
        let is_wide = c_max.is_zero() || c_max.exponent() < DOUBLES_LOG2;
        let unit_log2 = if is_wide && !c_max.is_zero() {
            c_max.exponent()
        } else {
            0
        };
        let mut deep = Self {
            tables: Vec::new(),
            wide_tables: Vec::new(),
            joined: Vec::new(),
            rotations: turns_of(&frame.formula),
            is_parameter,
            c_error: c_max * FloatExp::from_f64(2.0 * UNIT),
            step_error: orbits.step_error(),
            unit_log2,
            orbits,
        };
        let epsilon = libm::exp2(epsilon_log2.into());
        if is_wide {
            deep.wide_tables = deep.all_tables(frame, c_max, epsilon, goes_on)?;
            let narrowed = deep
                .wide_tables
                .iter()
                .map(|table| table.narrowed(unit_log2));
            deep.tables = narrowed.collect();
        } else {
            deep.tables = deep.all_tables(frame, c_max.to_f64(), epsilon, goes_on)?;
        }
        if deep.has_lanes()
            && let Some(first) = &deep.orbits.first
        {
            deep.joined = [&first.values[..], &deep.orbits.critical[0].values].concat();
        }
        Ok(deep)
    }

    fn all_tables<R: Real>(
        &self,
        frame: &FrameSpec,
        c_max: R,
        epsilon: f64,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Vec<Table<R>>, EngineError> {
        let orbits = self.orbits.first.iter().chain(&self.orbits.critical);
        let of = |orbit: &FormulaOrbit| {
            let making = Making {
                orbit,
                rotations: &self.rotations,
                c_max: if self.is_parameter { c_max } else { R::ZERO },
                epsilon,
                escape_radius: frame.escape_radius,
                step_error: R::narrow(self.step_error),
            };
            Table::new(&making, &frame.formula, goes_on).ok_or(EngineError::Cancelled)
        };
        orbits.map(of).collect()
    }

    /// Whether there are deltas below the range of doubles.
    #[inline(always)]
    pub(super) fn is_wide(&self) -> bool {
        !self.wide_tables.is_empty()
    }

    /// Whether pixels can be computed side by side: all are in the same phase then, and doubles hold them.
    pub(in crate::cpu::formulas) fn has_lanes(&self) -> bool {
        self.orbits.critical.len() == 1 && !self.is_wide()
    }

    /// The values of all orbits, and where those of the critical one begin.
    pub(super) fn joined(&self) -> (&[[f64; 2]], usize) {
        match &self.orbits.first {
            Some(first) => (&self.joined, first.values.len()),
            None => (&self.orbits.critical[0].values, 0),
        }
    }

    #[inline(always)]
    pub(super) fn orbit(&self, beside: Beside) -> &FormulaOrbit {
        match beside {
            Beside::First => self.orbits.first(),
            Beside::Critical(phase) => &self.orbits.critical[phase],
        }
    }

    /// The critical orbit of the phase that leads on from z_n.
    #[inline(always)]
    pub(super) fn critical(&self, n: u64) -> Beside {
        Beside::Critical((n % self.orbits.critical.len() as u64) as usize)
    }

    #[inline(always)]
    fn index(&self, beside: Beside) -> usize {
        match beside {
            Beside::First => 0,
            Beside::Critical(phase) => phase + usize::from(self.orbits.first.is_some()),
        }
    }

    #[inline(always)]
    pub(super) fn table(&self, beside: Beside) -> Option<&Table<f64>> {
        self.tables.get(self.index(beside))
    }

    pub(super) fn wide_table(&self, beside: Beside) -> Option<&Table<FloatExp>> {
        self.wide_tables.get(self.index(beside))
    }
}
