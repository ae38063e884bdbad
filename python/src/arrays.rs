//! Values and pixels as numpy's arrays, which own them: nothing is copied.

use mandelfarm::Plane;
use numpy::{Element, IntoPyArray, PyArrayMethods};
use pyo3::prelude::*;

use crate::failure::Failure;

/// `values` as an array of so many rows and columns.
fn shaped<T: Element>(
    py: Python<'_>,
    values: Vec<T>,
    (width, height): (u32, u32),
) -> PyResult<Bound<'_, PyAny>> {
    let flat = values.into_pyarray(py);
    Ok(flat.reshape([height as usize, width as usize])?.into_any())
}

/// The values of a plane, row by row, in their own type.
///
/// # Errors
/// Python's own.
pub fn of_plane(py: Python<'_>, plane: Plane, size: (u32, u32)) -> PyResult<Bound<'_, PyAny>> {
    macro_rules! first_of {
        ($($type:ty),*) => {$(
            if plane.values::<$type>().is_some() {
                return shaped(py, plane.into_values::<$type>().unwrap_or_default(), size);
            }
        )*};
    }
    first_of!(f32, f64, u32, u64);
    Err(Failure::failed("values of an unknown type").raise(py))
}

/// Pixels as rows x columns x 3: 8 bits, or 16 where there are twice as many bytes, with the higher one first.
///
/// # Errors
/// Python's own.
pub fn of_pixels(py: Python<'_>, bytes: Vec<u8>, size: (u32, u32)) -> PyResult<Bound<'_, PyAny>> {
    let (width, height) = (size.0 as usize, size.1 as usize);
    let shape = [height, width, 3];
    if bytes.len() == width * height * 3 {
        return Ok(bytes.into_pyarray(py).reshape(shape)?.into_any());
    }
    let pairs = bytes.as_chunks::<2>().0.iter();
    let values: Vec<u16> = pairs.map(|pair| u16::from_be_bytes(*pair)).collect();
    Ok(values.into_pyarray(py).reshape(shape)?.into_any())
}
