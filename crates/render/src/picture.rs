//! A picture in memory: its measures, and its pixels in any colours.

use std::io;

use colour::{Basis, Canvas, Depth, Distribution, Needs, Painter, Rows, Scheme};
use fractal::{FrameSpec, Measure, Plane};
use pictures::Strips;

/// Rows that are painted at once.
const PAINTED_ROWS: usize = 16;

/// The measures of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    width: u32,
    height: u32,
    planes: Vec<Plane>,
}

/// Why a picture cannot be painted so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaintError {
    /// A measure that the colours go by was not computed.
    #[error("the picture holds no {}, which these colours are made from", .0.name())]
    Missing(Measure),
    /// Pixels do not come out even.
    #[error("{width} x {height} samples are no whole number of pixels of {side} x {side}")]
    Samples {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Side of a pixel, in samples.
        side: u32,
    },
}

impl Picture {
    /// The picture that all `strips` of `frame` make.
    pub(crate) fn gather(frame: &FrameSpec, strips: impl Strips) -> io::Result<Self> {
        let measures: Vec<Measure> = frame.measures.iter().collect();
        let mut planes: Vec<Vec<u8>> = (measures.iter())
            .map(|measure| Vec::with_capacity(frame.pixels() as usize * measure.bytes()))
            .collect();
        for strip in strips {
            let strip = strip?;
            for (plane, bytes) in strip.planes.iter().zip(&mut planes) {
                bytes.extend_from_slice(plane.bytes());
            }
        }
        let planes = (measures.iter().zip(planes))
            .map(|(measure, bytes)| Plane::from_bytes(*measure, &bytes));
        Ok(Self {
            width: frame.width,
            height: frame.height,
            planes: planes.collect(),
        })
    }

    /// Columns and rows of samples.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The values of a measure, row by row; `None` where it was not computed.
    #[must_use]
    pub fn plane(&self, measure: Measure) -> Option<&Plane> {
        Plane::find(&self.planes, measure)
    }

    /// Single-precision values of a measure, row by row; `None` where it has others or was not computed.
    #[must_use]
    pub fn values(&self, measure: Measure) -> Option<&[f32]> {
        self.plane(measure)?.values()
    }

    /// Its pixels in `colours`, row by row, red, green and blue in 8 bits, or 16 with the higher byte first. Where the
    /// colours span a range of values that they do not give, it is `range` in values of samples, or that of all samples.
    ///
    /// # Errors
    /// When what they are made from was not computed, or samples make up no whole pixels.
    pub fn paint(
        &self,
        colours: &Scheme,
        range: Option<(f64, f64)>,
    ) -> Result<Vec<u8>, PaintError> {
        let values = |measure| self.values(measure).ok_or(PaintError::Missing(measure));
        let plane = values(colours.measure())?;
        let smooth = match colours.light {
            Some(_) => Some(values(Measure::Smooth)?),
            None => None,
        };
        let (width, height) = (self.width, self.height);
        let size = colours.samples.pixels((width, height));
        let (columns, rows) = size.ok_or(PaintError::Samples {
            width,
            height,
            side: colours.samples.side(),
        })?;
        let distribution = || Distribution::of_rows(plane.chunks_exact(width as usize));
        let basis = match (colours.needs(), colours.range.or(range)) {
            (Needs::Ranks, _) => Basis::Whole(distribution()),
            (_, Some((low, high))) => Basis::Range(low, high),
            (Needs::Range, None) => {
                let (low, high) = distribution().range();
                Basis::Range(low, high)
            }
            (Needs::Nothing, None) => Basis::Range(0.0, 1.0),
        };
        let painter = Painter::new(colours, &basis);
        let mut canvas = Canvas::new(&painter, width, height);
        let bytes = match colours.depth {
            Depth::Eight => 3,
            Depth::Sixteen => 6,
        };
        let mut pixels = Vec::with_capacity(columns as usize * rows as usize * bytes);
        let at_once = PAINTED_ROWS * width as usize;
        let mut smooth = smooth.map(|smooth| smooth.chunks(at_once));
        for values in plane.chunks(at_once) {
            let smooth = smooth.as_mut().and_then(Iterator::next);
            canvas.push(Rows { values, smooth }, &mut pixels);
        }
        Ok(pixels)
    }
}
