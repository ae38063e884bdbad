//! Coordinates as kernels read them.

use fractal::Arithmetic;
use shaders::layout::split;

use crate::frame::PreparedFrame;

/// Columns and rows of single pixels, as a kernel reads them.
pub(super) fn listed_coordinates(
    frame: &PreparedFrame,
    listed: &[(u32, u32)],
    arithmetic: Arithmetic,
) -> (Vec<u8>, Vec<u8>) {
    let (columns, rows): (Vec<f64>, Vec<f64>) = listed
        .iter()
        .map(|(column, row)| frame.at(*column as usize, *row as usize).into())
        .unzip();
    (
        coordinates(&columns, arithmetic),
        coordinates(&rows, arithmetic),
    )
}

/// What kernels of formulas are given once for all pixels, behind the coordinates: c of a Julia set, z0 of other views. (Columns end with a 0.)
pub(super) fn given_to_all(frame: &PreparedFrame) -> [f64; 2] {
    match &frame.spec.julia {
        Some([re, im]) => [re.to_f64(), im.to_f64()],
        None => frame.spec.z0.into(),
    }
}

/// Coordinates as a kernel reads them: `f64`, or high and low `f32`.
pub(super) fn coordinates(values: &[f64], arithmetic: Arithmetic) -> Vec<u8> {
    match arithmetic {
        Arithmetic::F64 | Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => {
            bytemuck::cast_slice(values).to_vec()
        }
        Arithmetic::F32 | Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => values
            .iter()
            .flat_map(|value| bytemuck::cast::<_, [u8; 8]>(split(*value)))
            .collect(),
    }
}
