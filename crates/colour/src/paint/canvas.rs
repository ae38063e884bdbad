//! A canvas: rows of values in, rows of a picture out, in order, whatever parts they come in. It keeps no more than
//! the rows that a slope needs and one row of sums.

use fractal::axis::displacement;

use super::light::{Neighbourhood, Spacing};
use super::painter::Painter;
use super::tables::Linear;

/// Values of some whole rows; each plane is there where the scheme paints from it.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// What is coloured.
    pub values: &'a [f32],
    /// Smooth counts, where there is light.
    pub smooth: Option<&'a [f32]>,
}

/// Where painted rows go.
trait Sink {
    /// Takes the next row of a picture.
    fn take(&mut self, painter: &Painter, row: u32, pixels: &[Linear]);
}

impl Sink for Vec<u8> {
    fn take(&mut self, painter: &Painter, row: u32, pixels: &[Linear]) {
        painter.encode(row, pixels, self);
    }
}

/// Rows as they are, in linear light.
struct Light<F>(F);

impl<F: FnMut(&[Linear])> Sink for Light<F> {
    fn take(&mut self, _: &Painter, _: u32, pixels: &[Linear]) {
        (self.0)(pixels);
    }
}

/// A row that waits for the one after it.
#[derive(Clone, Debug, Default)]
struct Held {
    values: Vec<f32>,
    smooth: Vec<f32>,
}

/// A picture on its way.
#[derive(Clone, Debug)]
pub struct Canvas<'a> {
    painter: &'a Painter,
    width: usize,
    height: u32,
    /// Samples along a side of what is given out: of a pixel, or one.
    side: u32,
    /// Rows of samples that were painted.
    painted: u32,
    /// The row before the next to be painted, and that one.
    held: [Option<Held>; 2],
    /// Displacement of each column's samples.
    columns: Vec<f32>,
    line: Vec<Linear>,
    /// Sums over the samples of a row of pixels.
    sums: Vec<Linear>,
}

impl<'a> Canvas<'a> {
    /// For a picture of `width` x `height` samples, whole multiples of the side of a pixel.
    #[must_use]
    pub fn new(painter: &'a Painter, width: u32, height: u32) -> Self {
        let line = if painter.is_plain() { 0 } else { width };
        Self::with(painter, (width, height), painter.samples().side(), line)
    }

    /// The same with every sample for itself, in linear light: for [`Self::push_light`].
    #[must_use]
    pub fn of_samples(painter: &'a Painter, width: u32, height: u32) -> Self {
        Self::with(painter, (width, height), 1, width)
    }

    fn with(painter: &'a Painter, (width, height): (u32, u32), side: u32, line: u32) -> Self {
        let columns = if painter.is_lit() && painter.samples().side() > 1 {
            (0..width).map(displacement).collect()
        } else {
            Vec::new()
        };
        let width = width as usize;
        let pixels = if side > 1 { width / side as usize } else { 0 };
        Self {
            painter,
            width,
            height,
            side,
            painted: 0,
            held: [None, None],
            columns,
            line: vec![[0.0; 4]; line as usize],
            sums: vec![[0.0; 4]; pixels],
        }
    }

    /// Takes the next rows, and appends the bytes of those rows of the picture that are complete with them: with the
    /// last row of samples, all.
    pub fn push(&mut self, rows: Rows<'_>, out: &mut Vec<u8>) {
        if self.painter.is_plain() {
            let start = out.len();
            out.resize(start + rows.values.len() * 3, 0);
            self.painter.paint(rows.values, &mut out[start..]);
            return;
        }
        self.push_to(rows, out);
    }

    /// Takes the next rows, and gives out those of samples that are complete with them.
    pub fn push_light(&mut self, rows: Rows<'_>, each: impl FnMut(&[Linear])) {
        self.push_to(rows, &mut Light(each));
    }

    fn push_to(&mut self, rows: Rows<'_>, out: &mut impl Sink) {
        let count = rows.values.len() / self.width;
        for row in 0..count {
            let range = row * self.width..(row + 1) * self.width;
            let values = &rows.values[range.clone()];
            match rows.smooth.filter(|_| self.painter.is_lit()) {
                Some(smooth) => self.push_lit(values, &smooth[range], out),
                None => {
                    self.painter.light(values, None, &mut self.line);
                    self.finish_row(out);
                }
            }
        }
    }

    /// A row is painted when the one after it is known.
    fn push_lit(&mut self, values: &[f32], smooth: &[f32], out: &mut impl Sink) {
        if self.held[1].is_some() {
            self.paint_held(Some(smooth), out);
        }
        self.held.rotate_left(1);
        let mut held = self.held[1].take().unwrap_or_default();
        held.values.clear();
        held.values.extend_from_slice(values);
        held.smooth.clear();
        held.smooth.extend_from_slice(smooth);
        self.held[1] = Some(held);
        if self.painted + 1 == self.height {
            self.paint_held(None, out);
        }
    }

    fn paint_held(&mut self, after: Option<&[f32]>, out: &mut impl Sink) {
        let [before, Some(row)] = &self.held else {
            return;
        };
        let beside = Neighbourhood {
            before: (before.as_ref())
                .filter(|_| self.painted > 0)
                .map(|held| &held.smooth[..]),
            row: &row.smooth,
            after,
        };
        let spacing = if self.columns.is_empty() {
            Spacing::even(1.0)
        } else {
            let [before, own, after] = [
                displacement(self.painted.wrapping_sub(1)),
                displacement(self.painted),
                displacement(self.painted + 1),
            ];
            Spacing {
                columns: &self.columns,
                rows: (1.0 + own - before, 1.0 + after - own),
                pitch: 1.0,
            }
        };
        let beside = Some((beside, spacing));
        self.painter.light(&row.values, beside, &mut self.line);
        self.finish_row(out);
    }

    /// What becomes of a painted row of samples.
    fn finish_row(&mut self, out: &mut impl Sink) {
        let side = self.side;
        let row = self.painted / side;
        self.painted += 1;
        if side == 1 {
            out.take(self.painter, row, &self.line);
            return;
        }
        for (sum, samples) in self
            .sums
            .iter_mut()
            .zip(self.line.chunks_exact(side as usize))
        {
            for sample in samples {
                for (sum, light) in sum.iter_mut().zip(sample) {
                    *sum += light;
                }
            }
        }
        if self.painted.is_multiple_of(side) {
            let share = 1.0 / (side * side) as f32;
            for light in self.sums.iter_mut().flatten() {
                *light *= share;
            }
            out.take(self.painter, row, &self.sums);
            self.sums.fill([0.0; 4]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint::painter::Basis;
    use crate::scheme::scheme::{ColourBy, Depth, Scheme};

    /// Hills, with some inside.
    fn hills(width: u32, height: u32) -> Vec<f32> {
        let value = |index: u32| {
            let (x, y) = ((index % width) as f32, (index / width) as f32);
            let value = 20.0 + (x * 0.3).sin() * 5.0 + (y * 0.2).cos() * 9.0;
            if value < 9.0 { 0.0 } else { value }
        };
        (0..width * height).map(value).collect()
    }

    /// Whatever parts the rows come in, the bytes are the same, and there are as many as the picture has.
    #[test]
    fn parts_do_not_matter() {
        let (width, height) = (24u32, 36u32);
        let values = hills(width, height);
        let lit = "120,1".parse().ok();
        for (light, samples, depth, dither) in [
            (None, 1, Depth::Eight, false),
            (None, 1, Depth::Eight, true),
            (lit, 1, Depth::Sixteen, false),
            (lit, 4, Depth::Eight, true),
            (None, 9, Depth::Eight, false),
            (lit, 36, Depth::Eight, false),
        ] {
            let scheme = Scheme {
                light,
                samples: samples.try_into().unwrap(),
                depth,
                dither,
                ..Scheme::default()
            };
            let painter = Painter::new(&scheme, &Basis::Range(9.0, 34.0));
            let in_parts = |rows: usize| {
                let mut canvas = Canvas::new(&painter, width, height);
                let mut out = Vec::new();
                for values in values.chunks(rows * width as usize) {
                    let smooth = Some(values);
                    canvas.push(Rows { values, smooth }, &mut out);
                }
                out
            };
            let whole = in_parts(height as usize);
            let pixels = (width * height / samples) as usize;
            assert_eq!(
                whole.len(),
                pixels * if depth == Depth::Eight { 3 } else { 6 }
            );
            for rows in [1, 2, 5, 7, 35] {
                assert!(in_parts(rows) == whole, "{scheme:?}, {rows} rows");
            }
        }
    }

    /// Distances come in spacings of samples; colours are by pixels.
    #[test]
    fn distances_are_coloured_in_pixels() {
        let by_distance = |samples: u32, values: &[f32], width| {
            let scheme = Scheme {
                colour: ColourBy::Distance,
                samples: samples.try_into().unwrap(),
                range: Some((0.0, 10.0)),
                ..Scheme::default()
            };
            let painter = Painter::new(&scheme, &Basis::Range(0.0, 1.0));
            let mut out = Vec::new();
            let smooth = None;
            Canvas::new(&painter, width, width).push(Rows { values, smooth }, &mut out);
            out
        };
        assert_eq!(by_distance(1, &[3.0], 1), by_distance(4, &[6.0; 4], 2));
        assert_ne!(
            by_distance(1, &[3.0], 1),
            by_distance(4, &[3.0; 4], 2),
            "control"
        );
    }
}
