//! Pictures in linear light, and rows of them at another scale.
//!
//! Each sample of a row is a mean of the picture's, weighted by Mitchell and Netravali's cubic (B = C = 1/3; 1988),
//! which is as wide as the coarser of both grids: it neither rings nor blurs as much as others that do not alias. Along
//! columns first, whose sums run through memory in order, then along the row.

use std::ops::Range;

use pulp::{Arch, NullaryFnOnce};

/// Channels of a pixel.
pub const CHANNELS: usize = 3;
/// Reach of the cubic on either side, in samples of the coarser grid.
const REACH: f64 = 2.0;

/// One channel of a pixel, as pictures keep it: whole numbers, which are enough for frames of 8 bits, or single
/// precision, whose dark tones are as fine as 16 bits and noise in place of rounding need them.
pub trait Sample: Copy + Default + Send + Sync + 'static {
    /// Its light, 0 to [`FULL`].
    fn light(self) -> f32;
    /// The sample of some light; what lies beyond what it can hold is as its ends.
    fn of(light: f32) -> Self;
}

/// Light of the brightest of what frames show.
pub const FULL: f32 = 65535.0;

impl Sample for u16 {
    #[inline]
    fn light(self) -> f32 {
        f32::from(self)
    }

    #[inline]
    fn of(light: f32) -> Self {
        (light + 0.5) as Self
    }
}

impl Sample for f32 {
    #[inline]
    fn light(self) -> f32 {
        self
    }

    #[inline]
    fn of(light: f32) -> Self {
        light
    }
}

/// A picture in linear light.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture<S> {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green and blue of each pixel, row by row.
    pub light: Vec<S>,
}

impl<S: Sample> Picture<S> {
    /// Makes it as large as this; what it shows is left to whoever paints it.
    pub fn fit(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        self.light.resize(width * height * CHANNELS, S::default());
    }
}

/// Mitchell and Netravali's cubic.
fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (7.0 * x * x * x - 12.0 * x * x + 16.0 / 3.0) / 6.0
    } else if x < REACH {
        (-7.0 / 3.0 * x * x * x + 12.0 * x * x - 20.0 * x + 32.0 / 3.0) / 6.0
    } else {
        0.0
    }
}

/// Weights of one side: which samples of the picture make each sample of the result.
#[derive(Clone, Debug)]
pub struct Weights {
    /// First sample of the picture for each of the result.
    first: Vec<usize>,
    /// Samples of the picture for each of the result.
    taps: usize,
    weights: Vec<f32>,
}

impl Weights {
    /// For `out` samples in the middle of `len` of a picture, of which `ratio` fall to each. Beyond its ends the
    /// picture goes on as it ends.
    #[must_use]
    pub fn new(out: usize, len: usize, ratio: f64) -> Self {
        let stretch = ratio.max(1.0);
        let taps = ((2.0 * REACH * stretch).ceil() as usize + 1).min(len);
        let last = len - 1;
        let (mut first, mut weights) = (Vec::with_capacity(out), Vec::new());
        let mut row = vec![0.0; taps];
        for at in 0..out {
            let centre = (at as f64 + 0.5 - out as f64 / 2.0) * ratio + len as f64 / 2.0 - 0.5;
            let low = (centre - REACH * stretch).ceil() as i64;
            let start = low.clamp(0, (len - taps) as i64) as usize;
            row.fill(0.0);
            for tap in low..=(centre + REACH * stretch).floor() as i64 {
                let inside = (tap.clamp(0, last as i64) as usize).clamp(start, start + taps - 1);
                row[inside - start] += cubic((tap as f64 - centre) / stretch);
            }
            let sum: f64 = row.iter().sum();
            first.push(start);
            weights.extend(row.iter().map(|weight| (weight / sum) as f32));
        }
        Self {
            first,
            taps,
            weights,
        }
    }

    /// Sums over pixels of a row that begins at pixel `start`, into those of `columns`.
    #[inline(always)]
    fn apply(&self, columns: Range<usize>, start: usize, row: &[f32], out: &mut [[f32; 4]]) {
        let (first, weights) = (
            &self.first[columns.clone()],
            &self.weights[columns.start * self.taps..columns.end * self.taps],
        );
        // The numbers that sequences have, of which the compiler makes straight lines.
        match self.taps {
            5 => sums_of::<5>(first, weights, start, row, out),
            6 => sums_of::<6>(first, weights, start, row, out),
            7 => sums_of::<7>(first, weights, start, row, out),
            8 => sums_of::<8>(first, weights, start, row, out),
            9 => sums_of::<9>(first, weights, start, row, out),
            10 => sums_of::<10>(first, weights, start, row, out),
            11 => sums_of::<11>(first, weights, start, row, out),
            taps => {
                let weights = weights.chunks_exact(taps);
                for ((first, weights), out) in first.iter().zip(weights).zip(out) {
                    *out = sum_of(weights, &row[(first - start) * CHANNELS..]);
                }
            }
        }
    }

    fn of(&self, at: usize) -> &[f32] {
        &self.weights[at * self.taps..(at + 1) * self.taps]
    }
}

/// Sums of `N` pixels each.
#[inline(always)]
fn sums_of<const N: usize>(
    first: &[usize],
    weights: &[f32],
    start: usize,
    row: &[f32],
    out: &mut [[f32; 4]],
) {
    let weights = weights.as_chunks::<N>().0;
    for ((first, weights), out) in first.iter().zip(weights).zip(out) {
        let at = (first - start) * CHANNELS;
        *out = sum_of(weights, &row[at..=at + N * CHANNELS]);
    }
}

/// The sum of pixels by their weights. Four channels at a time, which is a vector; the fourth is nobody's.
#[inline(always)]
fn sum_of(weights: &[f32], pixels: &[f32]) -> [f32; 4] {
    let mut sum = [0f32; 4];
    for (tap, weight) in weights.iter().enumerate() {
        let pixel = &pixels[tap * CHANNELS..tap * CHANNELS + 4];
        for (sum, light) in sum.iter_mut().zip(pixel) {
            *sum += weight * light;
        }
    }
    sum
}

/// Room to work in.
#[derive(Debug, Default)]
pub struct Room {
    /// Sums over a row's lines.
    sums: Vec<f32>,
    /// A row, and a channel that is nobody's.
    pixels: Vec<[f32; 4]>,
}

/// A row to make. Not a closure, which the compiler may leave outside of what has those vectors.
struct Row<'a, 'b, S> {
    of: &'b Scaled<'a, S>,
    row: usize,
    columns: Range<usize>,
    room: &'b mut Room,
    out: &'b mut [[f32; CHANNELS]],
}

impl<S: Sample> NullaryFnOnce for Row<'_, '_, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        (self.of).row_of_sums(self.row, self.columns, self.room, self.out);
    }
}

/// A picture at another scale.
#[derive(Clone, Debug)]
pub struct Scaled<'a, S> {
    picture: &'a Picture<S>,
    columns: Weights,
    rows: Weights,
}

impl<'a, S: Sample> Scaled<'a, S> {
    /// The middle of `picture`, `width` columns and `height` rows, `ratio` of the picture's samples to each.
    #[must_use]
    pub fn new(picture: &'a Picture<S>, (width, height): (usize, usize), ratio: f64) -> Self {
        Self {
            columns: Weights::new(width, picture.width, ratio),
            rows: Weights::new(height, picture.height, ratio),
            picture,
        }
    }

    /// Some columns of row `row`, into `out`.
    pub fn row(
        &self,
        row: usize,
        columns: Range<usize>,
        room: &mut Room,
        out: &mut [[f32; CHANNELS]],
    ) {
        // With the processor's widest vectors; the same sums in the same order as without.
        Arch::new().dispatch(Row {
            of: self,
            row,
            columns,
            room,
            out,
        });
    }

    #[inline(always)]
    fn row_of_sums(
        &self,
        row: usize,
        columns: Range<usize>,
        Room { sums, pixels }: &mut Room,
        out: &mut [[f32; CHANNELS]],
    ) {
        let Some(last) = columns.clone().next_back() else {
            return;
        };
        let start = self.columns.first[columns.start];
        let width = self.columns.first[last] + self.columns.taps - start;
        // One more: four floats are read at each pixel.
        sums.clear();
        sums.resize(width * CHANNELS + 1, 0.0);
        let line = self.picture.width * CHANNELS;
        let lines = self.picture.light[self.rows.first[row] * line..].chunks(line);
        let parts = lines.map(|line| &line[start * CHANNELS..(start + width) * CHANNELS]);
        add_lines(parts, self.rows.of(row), &mut sums[..width * CHANNELS]);
        pixels.resize(columns.len(), [0.0; 4]);
        self.columns.apply(columns, start, sums, pixels);
        for (out, [r, g, b, _]) in out.iter_mut().zip(pixels) {
            *out = [*r, *g, *b];
        }
    }
}

/// Adds lines by their weights to `sums`; several at a time, which spares reading and writing those.
#[inline(always)]
fn add_lines<'a, S: Sample>(
    mut lines: impl Iterator<Item = &'a [S]>,
    weights: &[f32],
    sums: &mut [f32],
) {
    let (fours, rest) = weights.as_chunks::<4>();
    for weights in fours {
        add_together(&mut lines, *weights, sums);
    }
    let (twos, rest) = rest.as_chunks::<2>();
    for weights in twos {
        add_together(&mut lines, *weights, sums);
    }
    for weight in rest {
        add_together(&mut lines, [*weight], sums);
    }
}

#[inline(always)]
fn add_together<'a, const N: usize, S: Sample>(
    lines: &mut impl Iterator<Item = &'a [S]>,
    weights: [f32; N],
    sums: &mut [f32],
) {
    let len = sums.len();
    let lines: [&[S]; N] = std::array::from_fn(|_| &lines.next().unwrap_or_default()[..len]);
    for (at, sum) in sums.iter_mut().enumerate() {
        let mut all = *sum;
        for (line, weight) in lines.iter().zip(weights) {
            all += weight * line[at].light();
        }
        *sum = all;
    }
}

/// The light at a place between the pixels of `pixels`, `width` of them a row, by the cubic in both directions; (0, 0)
/// is the middle of the first pixel.
#[must_use]
pub fn between(pixels: &[[f32; CHANNELS]], width: usize, (x, y): (f64, f64)) -> [f32; CHANNELS] {
    let height = pixels.len() / width;
    let (left, top) = (x.floor(), y.floor());
    // The cubic at 1 + x, x, 1 - x and 2 - x.
    let weights = |x: f64| {
        let (x2, x3) = (x * x, x * x * x);
        [
            (1.0 - 9.0 * x + 15.0 * x2 - 7.0 * x3) / 18.0,
            (16.0 - 36.0 * x2 + 21.0 * x3) / 18.0,
            (1.0 + 9.0 * x + 27.0 * x2 - 21.0 * x3) / 18.0,
            (-6.0 * x2 + 7.0 * x3) / 18.0,
        ]
        .map(|weight| weight as f32)
    };
    let (across, down) = (weights(x - left), weights(y - top));
    let inside = |at: i64, len: usize| at.clamp(0, len as i64 - 1) as usize;
    let mut sum = [0f32; CHANNELS];
    for (row, down) in (top as i64 - 1..).zip(down) {
        let line = inside(row, height) * width;
        for (column, across) in (left as i64 - 1..).zip(across) {
            let pixel = &pixels[line + inside(column, width)];
            for (sum, light) in sum.iter_mut().zip(pixel) {
                *sum += down * across * light;
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, light: impl Fn(usize, usize) -> u16) -> Picture<u16> {
        let pixels = (0..width * height).flat_map(|at| [light(at % width, at / width); CHANNELS]);
        Picture {
            width,
            height,
            light: pixels.collect(),
        }
    }

    fn scaled<S: Sample>(picture: &Picture<S>, size: (usize, usize), ratio: f64) -> Vec<f32> {
        let scaled = Scaled::new(picture, size, ratio);
        let (mut room, mut row) = (Room::default(), vec![[0.0; CHANNELS]; size.0]);
        let rows = (0..size.1).flat_map(|at| {
            scaled.row(at, 0..size.0, &mut room, &mut row);
            row.iter().map(|pixel| pixel[1]).collect::<Vec<_>>()
        });
        rows.collect()
    }

    #[test]
    fn an_even_picture_stays_even_at_any_scale() {
        let even = picture(40, 30, |_, _| 5000);
        let fine = Picture {
            width: even.width,
            height: even.height,
            light: even.light.iter().map(|light| light.light()).collect(),
        };
        for ratio in [0.4, 1.0, 1.7, 2.44, 9.0, 50.0] {
            let light = scaled(&even, (23, 17), ratio);
            assert!(
                light.iter().all(|light| (light - 5000.0).abs() < 0.1),
                "{ratio}"
            );
            assert_eq!(scaled(&fine, (23, 17), ratio), light, "{ratio}");
        }
    }

    #[test]
    fn a_slope_stays_where_it_is() {
        let slope = picture(100, 8, |column, _| (column * 600) as u16);
        for ratio in [0.5, 1.0, 2.0, 2.3] {
            let light = scaled(&slope, (20, 4), ratio);
            for (column, light) in light[..20].iter().enumerate() {
                let expected = ((column as f64 + 0.5 - 10.0) * ratio + 49.5) * 600.0;
                assert!(
                    (f64::from(*light) - expected).abs() < 2.0,
                    "{ratio} {column}: {light}"
                );
            }
        }
    }

    #[test]
    fn what_is_finer_than_the_result_becomes_its_mean() {
        let fine = picture(
            200,
            200,
            |column, row| if (column + row) % 2 == 0 { 60_000 } else { 0 },
        );
        let light = scaled(&fine, (60, 60), 2.44);
        assert!(light.iter().all(|light| (light - 30_000.0).abs() < 600.0));
        // Control: at its own scale it is seen.
        let light = scaled(&fine, (60, 60), 1.0);
        assert!(
            light
                .iter()
                .any(|light| (light - 30_000.0).abs() > 10_000.0)
        );
    }

    #[test]
    fn parts_of_a_row_are_as_in_the_whole() {
        let wild = picture(64, 9, |column, row| (column * 7919 + row * 104_729) as u16);
        let scaled = Scaled::new(&wild, (31, 5), 1.9);
        let (mut room, mut whole, mut part) =
            (Room::default(), vec![[0.0; 3]; 31], vec![[0.0; 3]; 9]);
        scaled.row(2, 0..31, &mut room, &mut whole);
        scaled.row(2, 17..26, &mut room, &mut part);
        assert_eq!(whole[17..26], part);
    }

    #[test]
    fn places_between_pixels_are_means_of_them() {
        let slope: Vec<[f32; CHANNELS]> = (0..80)
            .map(|at| [(at % 10) as f32 + 3.0 * (at / 10) as f32; 3])
            .collect();
        for place in [(4.0, 4.0), (3.5, 2.25), (5.1, 5.9)] {
            let [light, ..] = between(&slope, 10, place);
            assert!(
                (f64::from(light) - (place.0 + 3.0 * place.1)).abs() < 1e-4,
                "{place:?} {light}"
            );
        }
    }
}
