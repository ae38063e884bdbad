//! The values of one measure.

use bytemuck::Pod;

use crate::picture::measure::{Measure, ValueType};

/// The values of one measure, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    measure: Measure,
    values: Values,
}

/// Values of one type.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Counts.
    U32(Vec<u32>),
    /// Long counts.
    U64(Vec<u64>),
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

/// A type of which planes hold values.
pub trait Value: Pod {
    /// Values of this type as those of any.
    fn wrap(values: Vec<Self>) -> Values;
    /// The other way; `None` where they are of another type.
    fn unwrap(values: Values) -> Option<Vec<Self>>;
    /// As a slice.
    fn slice(values: &Values) -> Option<&[Self]>;
    /// As a slice to be written to.
    fn slice_mut(values: &mut Values) -> Option<&mut [Self]>;
}

macro_rules! value {
    ($($type:ty: $variant:ident),*) => {$(
        impl Value for $type {
            fn wrap(values: Vec<Self>) -> Values {
                Values::$variant(values)
            }

            fn unwrap(values: Values) -> Option<Vec<Self>> {
                match values {
                    Values::$variant(values) => Some(values),
                    _ => None,
                }
            }

            fn slice(values: &Values) -> Option<&[Self]> {
                match values {
                    Values::$variant(values) => Some(values),
                    _ => None,
                }
            }

            fn slice_mut(values: &mut Values) -> Option<&mut [Self]> {
                match values {
                    Values::$variant(values) => Some(values),
                    _ => None,
                }
            }
        }
    )*};
}

value!(u32: U32, u64: U64, f32: F32, f64: F64);

impl Values {
    fn value_type(&self) -> ValueType {
        match self {
            Self::U32(_) => ValueType::U32,
            Self::U64(_) => ValueType::U64,
            Self::F32(_) => ValueType::F32,
            Self::F64(_) => ValueType::F64,
        }
    }
}

impl Plane {
    /// The plane of `measure` with these values.
    ///
    /// # Panics
    /// Where the measure has values of another type.
    #[must_use]
    pub fn new<T: Value>(measure: Measure, values: Vec<T>) -> Self {
        let values = T::wrap(values);
        let name = measure.name();
        assert_eq!(
            measure.value_type(),
            values.value_type(),
            "values of {name}"
        );
        Self { measure, values }
    }

    /// A plane of `len` values that are all 0.
    #[must_use]
    pub fn zeroed(measure: Measure, len: usize) -> Self {
        let values = match measure.value_type() {
            ValueType::U32 => Values::U32(vec![0; len]),
            ValueType::U64 => Values::U64(vec![0; len]),
            ValueType::F32 => Values::F32(vec![0.0; len]),
            ValueType::F64 => Values::F64(vec![0.0; len]),
        };
        Self { measure, values }
    }

    /// A plane of `measure` from bytes in the machine's order; trailing bytes that make up no value
    /// are left out, so check the length first.
    #[must_use]
    pub fn from_bytes(measure: Measure, bytes: &[u8]) -> Self {
        let whole = bytes.len() / measure.bytes() * measure.bytes();
        let bytes = &bytes[..whole];
        let values = match measure.value_type() {
            ValueType::U32 => Values::U32(bytemuck::pod_collect_to_vec(bytes)),
            ValueType::U64 => Values::U64(bytemuck::pod_collect_to_vec(bytes)),
            ValueType::F32 => Values::F32(bytemuck::pod_collect_to_vec(bytes)),
            ValueType::F64 => Values::F64(bytemuck::pod_collect_to_vec(bytes)),
        };
        Self { measure, values }
    }

    /// The plane of `measure` among `planes`.
    #[must_use]
    pub fn find(planes: &[Self], measure: Measure) -> Option<&Self> {
        planes.iter().find(|plane| plane.measure == measure)
    }

    /// Which measure it holds.
    #[must_use]
    pub const fn measure(&self) -> Measure {
        self.measure
    }

    /// The values, where they are of this type.
    #[must_use]
    pub fn values<T: Value>(&self) -> Option<&[T]> {
        T::slice(&self.values)
    }

    /// The values, where they are of this type, to be written to.
    #[must_use]
    pub fn values_mut<T: Value>(&mut self) -> Option<&mut [T]> {
        T::slice_mut(&mut self.values)
    }

    /// The values' memory, where they are of this type.
    #[must_use]
    pub fn into_values<T: Value>(self) -> Option<Vec<T>> {
        T::unwrap(self.values)
    }

    /// The values of whatever type they are.
    #[must_use]
    pub const fn any(&self) -> &Values {
        &self.values
    }

    /// The values as bytes in the machine's order.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.values {
            Values::U32(values) => bytemuck::cast_slice(values),
            Values::U64(values) => bytemuck::cast_slice(values),
            Values::F32(values) => bytemuck::cast_slice(values),
            Values::F64(values) => bytemuck::cast_slice(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_come_back_from_unaligned_bytes() {
        let plane = Plane::new(Measure::Stability, vec![1.5, f64::NAN, -0.0]);
        let mut shifted = vec![0u8];
        shifted.extend_from_slice(plane.bytes());
        let back = Plane::from_bytes(Measure::Stability, &shifted[1..]);
        assert_eq!(back.bytes(), plane.bytes());
    }

    #[test]
    fn a_plane_has_values_of_its_measures_type_alone() {
        let measures = Measure::ALL.into_iter().chain([Measure::LongIterations]);
        for measure in measures {
            let plane = Plane::zeroed(measure, 3);
            assert_eq!(plane.bytes().len(), 3 * measure.bytes());
            assert_eq!(
                plane,
                Plane::from_bytes(measure, &[0; 24][..3 * measure.bytes()])
            );
        }
        let plane = Plane::new(Measure::Smooth, vec![1.0_f32]);
        assert_eq!(
            (plane.values::<f32>(), plane.values::<u32>()),
            (Some(&[1.0][..]), None)
        );
        let wrong = std::panic::catch_unwind(|| Plane::new(Measure::Smooth, vec![1.0_f64]));
        assert!(wrong.is_err());
    }
}
