//! Key frames in colours: once and for all, where a value alone decides them; where pixels count (distances, slopes under a
//! light) anew for each frame, at its zoom. So colours change evenly from key frame to key frame, and both that a frame is
//! made of have the same at the same place.

use super::encode::Light;
use super::resample::{CHANNELS, FULL, Picture, Sample};
use colour::{ColourBy, Linear, Neighbourhood, Painter, Scheme, Spacing};

/// The values of a key frame.
#[derive(Debug)]
pub struct Values {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// What is coloured.
    pub coloured: Vec<f32>,
    /// Whether those are lengths, in samples.
    pub are_lengths: bool,
    /// Smooth counts, where there is light and they are not what is coloured.
    pub smooth: Option<Vec<f32>>,
}

/// Whether colours depend on the size of a frame's pixels.
#[must_use]
pub fn knows_pixels(scheme: &Scheme) -> bool {
    scheme.light.is_some() || scheme.colour == ColourBy::Distance
}

/// Room that a thread works in.
pub struct Room {
    lengths: Vec<f32>,
    bytes: Vec<u8>,
    line: Vec<Linear>,
}

impl Room {
    /// For rows of so many columns.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            lengths: vec![0.0; width],
            bytes: vec![0; width * CHANNELS],
            line: vec![[0.0; 4]; width],
        }
    }
}

impl Values {
    /// All of them in colours that know nothing of pixels.
    #[must_use]
    pub fn painted<S: Sample>(&self, painter: &Painter) -> Picture<S> {
        let mut picture = Picture::default();
        picture.fit(self.width, self.height);
        let mut room = Room::new(self.width);
        let lines = picture.light.chunks_mut(self.width * CHANNELS);
        for (row, light) in lines.enumerate() {
            self.paint_row(row, painter, 1.0, &mut room, light);
        }
        picture
    }

    /// The light of row `row` in a frame of which `pixels` fall to a sample.
    pub fn paint_row<S: Sample>(
        &self,
        row: usize,
        painter: &Painter,
        pixels: f32,
        room: &mut Room,
        out: &mut [S],
    ) {
        let mut values = row_of(&self.coloured, row, self.width).unwrap_or_default();
        if self.are_lengths {
            for (length, value) in room.lengths.iter_mut().zip(values) {
                *length = value * pixels;
            }
            values = &room.lengths;
        }
        if painter.is_plain() {
            painter.paint(values, &mut room.bytes);
            let light = Light::get();
            for (out, byte) in out.iter_mut().zip(&room.bytes) {
                *out = S::of(f32::from(light.of(*byte)));
            }
            return;
        }
        let smooth = self.smooth.as_ref().unwrap_or(&self.coloured);
        let beside = painter.is_lit().then(|| {
            let row_at = |row| row_of(smooth, row, self.width);
            let beside = Neighbourhood {
                before: row.checked_sub(1).and_then(row_at),
                row: row_at(row).unwrap_or_default(),
                after: row_at(row + 1),
            };
            (beside, Spacing::even(pixels))
        });
        painter.light(values, beside, &mut room.line);
        for (out, light) in out.chunks_exact_mut(CHANNELS).zip(&room.line) {
            for (out, light) in out.iter_mut().zip(light) {
                *out = S::of(light * FULL);
            }
        }
    }
}

fn row_of(values: &[f32], row: usize, width: usize) -> Option<&[f32]> {
    values.get(row * width..(row + 1) * width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use colour::{Basis, Depth, Mapping, Repeat};

    /// A slope in the plane, whose samples are `step` apart; as lengths, in samples.
    fn slope(step: f32, are_lengths: bool) -> Values {
        let value = |at: usize| {
            let place = |at: usize| (at as f32 - 16.0) * step;
            let (x, y) = (place(at % 32), place(at / 32));
            if are_lengths {
                (20.0 + 0.3 * x + 0.1 * y) / step
            } else {
                100.0 + 3.0 * x + y
            }
        };
        Values {
            width: 32,
            height: 32,
            coloured: (0..32 * 32).map(value).collect(),
            are_lengths,
            smooth: None,
        }
    }

    #[test]
    fn lengths_and_slopes_are_those_of_the_frame_whichever_key_frame_has_them() {
        let distance = Scheme {
            colour: ColourBy::Distance,
            depth: Depth::Sixteen,
            ..Scheme::default()
        };
        let lit = Scheme {
            light: Some("150,0.5".parse().unwrap()),
            mapping: Mapping::Linear,
            repeat: Some(Repeat::Period(1e9)),
            ..Scheme::default()
        };
        for (scheme, are_lengths) in [(distance, true), (lit, false)] {
            assert!(knows_pixels(&scheme) && !knows_pixels(&Scheme::default()));
            let painter = Painter::new(&scheme, &Basis::Range(0.0, 40.0));
            let row = |step: f32, pixels: f32| {
                let mut row = vec![0.0f32; 32 * CHANNELS];
                let values = slope(step, are_lengths);
                values.paint_row(16, &painter, pixels, &mut Room::new(32), &mut row);
                row
            };
            // A frame whose pixels are 1 apart, of samples that are 1 apart, and of some that are 1/2 apart.
            let (wide, narrow, wrong) = (row(1.0, 1.0), row(0.5, 0.5), row(0.5, 1.0));
            let differ = |other: &[f32]| {
                let apart = (0..7).map(|k| {
                    let (here, there) = (wide[(16 + k) * CHANNELS], other[(16 + 2 * k) * CHANNELS]);
                    (here - there).abs() / here
                });
                apart.fold(0.0, f32::max)
            };
            assert!(differ(&narrow) < 1e-4, "{}", differ(&narrow));
            assert!(differ(&wrong) > 0.02, "control: {}", differ(&wrong));
        }
    }
}
