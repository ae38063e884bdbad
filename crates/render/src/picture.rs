//! A picture in memory: its measures, and its pixels in any colours.

use std::io;

use colour::{
    Basis, Canvas, Depth, Distribution, Needs, Painter, Rows, Scheme, sampled_places, sampled_size,
};
use fractal::frame::MAX_SIDE;
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
    /// It has no pixels, or too many.
    #[error("a picture of {0} x {1} is not of 1 to {MAX_SIDE} a side")]
    Sides(u32, u32),
    /// A measure has another number of values.
    #[error("{} values of {} are no picture of {} x {}", .0, .1.name(), .2.0, .2.1)]
    Values(usize, Measure, (u32, u32)),
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

    /// A picture of values that are there already: `size` is columns and rows of samples, each of `planes` row by row.
    ///
    /// # Errors
    /// When a side is not in 1..=[`MAX_SIDE`], or a plane has another number of values.
    pub fn of(size: (u32, u32), planes: Vec<Plane>) -> Result<Self, PaintError> {
        let (width, height) = size;
        if [width, height]
            .iter()
            .any(|side| !(1..=MAX_SIDE).contains(side))
        {
            return Err(PaintError::Sides(width, height));
        }
        let samples = width as usize * height as usize;
        for plane in &planes {
            let values = plane.bytes().len() / plane.measure().bytes();
            if values != samples {
                return Err(PaintError::Values(values, plane.measure(), size));
            }
        }
        Ok(Self {
            width,
            height,
            planes,
        })
    }

    /// The values of all its measures, each row by row.
    #[must_use]
    pub fn into_planes(self) -> Vec<Plane> {
        self.planes
    }

    /// The range of values that the palette of `colours` spans, from the samples of the picture that painting a file of
    /// data finds it from; 0 to 1 where it spans none.
    ///
    /// # Errors
    /// When what the colours are made from was not computed.
    pub fn sampled_range(&self, colours: &Scheme) -> Result<(f64, f64), PaintError> {
        if colours.needs() != Needs::Range {
            return Ok((0.0, 1.0));
        }
        let measure = colours.measure();
        let plane = self.values(measure).ok_or(PaintError::Missing(measure))?;
        let (columns, rows) = sampled_size(self.width, self.height);
        let columns = sampled_places(columns, self.width);
        let mut distribution = Distribution::new();
        for (sample, row) in (0..).zip(sampled_places(rows, self.height)) {
            let line = &plane[row as usize * self.width as usize..];
            let line: Vec<f32> = columns.iter().map(|at| line[*at as usize]).collect();
            distribution.add_row(sample, &line);
        }
        Ok(distribution.range())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(values: Vec<f32>, size: (u32, u32)) -> Result<Picture, PaintError> {
        Picture::of(size, vec![Plane::new(Measure::Smooth, values)])
    }

    #[test]
    fn values_make_a_picture_where_there_is_one_for_each_pixel() {
        let made = picture(vec![1.0, 2.0, 3.0, 0.0, 5.0, 6.0], (3, 2)).unwrap();
        assert_eq!(made.size(), (3, 2));
        assert_eq!(made.values(Measure::Smooth).unwrap()[4], 5.0);
        assert_eq!(made.into_planes()[0].measure(), Measure::Smooth);
        for size in [(2, 2), (0, 6), (6, 0), (MAX_SIDE + 1, 1)] {
            let refused = picture(vec![1.0; 6], size).unwrap_err();
            assert!(!refused.to_string().is_empty(), "{size:?}");
        }
        assert_eq!(
            picture(vec![1.0; 6], (2, 2)).unwrap_err().to_string(),
            "6 values of smooth are no picture of 2 x 2"
        );
    }

    #[test]
    fn a_range_is_found_among_some_of_the_values() {
        // 96 columns, of which every other one is looked at.
        let values: Vec<f32> = (0..96 * 2)
            .map(|at| if at % 2 == 0 { 10.0 } else { 99.0 })
            .collect();
        let made = picture(values, (96, 2)).unwrap();
        let scheme = Scheme::default();
        let (low, high) = made.sampled_range(&scheme).unwrap();
        assert!(low <= 10.0 && high < 99.0, "{low} {high}");
        let empty = Picture::of((96, 2), Vec::new()).unwrap();
        let missing = empty.sampled_range(&scheme);
        assert_eq!(missing, Err(PaintError::Missing(Measure::Smooth)));
    }
}
