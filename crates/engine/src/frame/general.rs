//! What a frame of another formula has where its pixels are computed as deltas.

use std::sync::Arc;

use fractal::{ComplexExp, FloatExp, FrameSpec, ReferencePoint};

use super::cache::FrameCache;
use super::deep_frame::largest_c;
use super::picks::picked;
use super::turned::Cross;

/// The offsets of a frame's columns and rows from the middle of its view. Reference orbits are made by the device that needs
/// them.
#[derive(Clone, Debug)]
pub struct GeneralFrame {
    /// The middle of the view.
    pub point: ReferencePoint,
    columns: Vec<FloatExp>,
    rows: Vec<FloatExp>,
    cross: Option<Cross<FloatExp>>,
    /// A bound of the offsets' moduli.
    pub c_max: FloatExp,
    /// What a device keeps with it.
    pub(crate) cache: Arc<FrameCache>,
}

impl GeneralFrame {
    pub(super) fn new(spec: &FrameSpec) -> Self {
        let point = ReferencePoint::centre_of(spec);
        let (columns, rows, cross) = match point.turned_offsets(spec) {
            Some([[re, im], [re_of_rows, im_of_rows]]) => {
                let cross = Cross {
                    columns: im,
                    rows: re_of_rows,
                };
                (re, im_of_rows, Some(cross))
            }
            None => {
                let (columns, rows) = point.offsets(spec);
                (columns, rows, None)
            }
        };
        let c_max = match &cross {
            Some(cross) => cross.c_max(&columns, &rows),
            None => largest_c(&columns, &rows),
        };
        Self {
            point,
            columns,
            rows,
            cross,
            c_max,
            cache: Arc::default(),
        }
    }

    /// How far a sample lies from the middle.
    #[must_use]
    pub fn at(&self, col: usize, row: usize) -> ComplexExp {
        let (re, im) = (self.columns[col], self.rows[row]);
        match &self.cross {
            None => ComplexExp::new(re, im),
            Some(cross) => cross.at(re, im, col, row),
        }
    }

    /// Some of its columns and rows; what a device keeps may depend on more than the view, and is the new frame's own.
    pub(super) fn thinned(&self, width: u32, height: u32) -> Self {
        Self {
            columns: picked(&self.columns, width),
            rows: picked(&self.rows, height),
            cross: (self.cross.as_ref()).map(|cross| cross.thinned(width, height)),
            cache: Arc::default(),
            point: self.point.clone(),
            c_max: self.c_max,
        }
    }
}
