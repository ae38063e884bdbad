//! The kinds of value that are computed for a pixel.

use serde::{Deserialize, Serialize};

/// One kind of value per pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// `u32`: the iteration count; 0 is inside.
    Iterations,
    /// `f32`: the smooth iteration count; 0 is inside. See [`crate::smooth`].
    Smooth,
    /// `f32`: the exterior distance estimate in pixels; 0 is inside. See [`crate::smooth`].
    Distance,
    /// `f64`: |z_N| after exactly N steps where it is at most 2, NaN elsewhere.
    Stability,
    /// `u64`: the iteration count where the limit is over [`crate::picture::frame::MAX_SHORT_ITERATIONS`].
    LongIterations,
    /// `f32`: the smooth count minus the iteration count, with all its digits; 0 is inside.
    Fraction,
    /// `f32`: the angle of z_n in turns, from 0 up to 1; 0 is inside. On processors only.
    Phase,
    /// `f32`: the angle of z_n / (dz_n/dc) in turns, from 0 up to 1: the direction straight away from the set; 0 is inside.
    /// On processors only.
    Direction,
}

/// The type of a measure's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// `u32`.
    U32,
    /// `u64`.
    U64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
}

impl Measure {
    /// All that a picture may be asked for, in the order in which a buffer holds them: [`Self::LongIterations`] only
    /// stands for [`Self::Iterations`], and comes last.
    pub const ALL: [Self; 7] = [
        Self::Iterations,
        Self::Smooth,
        Self::Distance,
        Self::Stability,
        Self::Fraction,
        Self::Phase,
        Self::Direction,
    ];

    /// The type of its values.
    #[must_use]
    pub const fn value_type(self) -> ValueType {
        self.properties().1
    }

    /// Bytes of one pixel's value.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self.value_type() {
            ValueType::U32 | ValueType::F32 => 4,
            ValueType::U64 | ValueType::F64 => 8,
        }
    }

    /// The name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.properties().0
    }

    /// Whether adapters compute it as processors do; a frame that asks for another is for processors.
    #[must_use]
    pub const fn is_on_adapters(self) -> bool {
        self.properties().2
    }

    /// Its name, the type of its values, and whether adapters compute it.
    const fn properties(self) -> (&'static str, ValueType, bool) {
        use ValueType::{F32, F64, U32, U64};
        match self {
            Self::Iterations => ("iterations", U32, true),
            Self::Smooth => ("smooth", F32, true),
            Self::Distance => ("distance", F32, true),
            Self::Stability => ("stability", F64, true),
            Self::LongIterations => ("long-iterations", U64, false),
            Self::Fraction => ("fraction", F32, true),
            Self::Phase => ("phase", F32, false),
            Self::Direction => ("direction", F32, false),
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of measures: those that a job needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Measure>", into = "Vec<Measure>")]
pub struct MeasureSet(u8);

impl MeasureSet {
    /// The set with `measure` added.
    #[must_use]
    pub const fn with(self, measure: Measure) -> Self {
        Self(self.0 | measure.bit())
    }

    /// Whether `measure` is in the set.
    #[must_use]
    pub const fn contains(self, measure: Measure) -> bool {
        self.0 & measure.bit() != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of [`Measure::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Measure> {
        Measure::ALL
            .into_iter()
            .chain([Measure::LongIterations])
            .filter(move |m| self.contains(*m))
    }

    /// Bytes of one pixel with all measures of the set.
    #[must_use]
    pub fn bytes_per_pixel(self) -> usize {
        self.iter().map(Measure::bytes).sum()
    }
}

impl FromIterator<Measure> for MeasureSet {
    fn from_iter<I: IntoIterator<Item = Measure>>(measures: I) -> Self {
        measures.into_iter().fold(Self::default(), Self::with)
    }
}

impl From<Vec<Measure>> for MeasureSet {
    fn from(measures: Vec<Measure>) -> Self {
        measures.into_iter().collect()
    }
}

impl From<MeasureSet> for Vec<Measure> {
    fn from(set: MeasureSet) -> Self {
        set.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_one_order_however_it_was_made() {
        let set: MeasureSet = [Measure::Stability, Measure::Smooth, Measure::Smooth]
            .into_iter()
            .collect();
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Measure::Smooth, Measure::Stability]
        );
        assert_eq!(set.bytes_per_pixel(), 12);
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, r#"["smooth","stability"]"#);
        assert_eq!(serde_json::from_str::<MeasureSet>(&text).unwrap(), set);
    }
}
