//! Light from the side on the smooth count as a relief.
//!
//! The surface's normal leans along the gradient of the smooth count, by a fixed amount: only its direction counts, so
//! that every level line shows, near and far (Arnaud Chéritat's normal map; there from the derivative of the orbit,
//! here from differences of neighbours, which every kernel gives). Its cosine with the light, (cos(a) + h) / (1 + h),
//! is compared with that of flat ground, h / (1 + h): what is darker loses light, what is brighter gains some. Black
//! stays black.

use super::tables::Linear;
use crate::scheme::scheme::Light;

/// Rise of the smooth count from sample to sample beyond which neighbours have nothing to do with each other: the
/// relief fades.
const STEEPEST: f32 = 4.0;
/// What single precision leaves of a smooth count, as a share of it: a smaller rise is none.
const FINEST: f32 = 1.0 / (1 << 22) as f32;
/// How much brighter than flat ground the brightest is.
const GLARE: f32 = 0.9;
/// How much of a colour's light the darkest shade takes.
const SHADE: f32 = 0.85;

/// A light made ready.
#[derive(Clone, Copy, Debug)]
pub struct Relief {
    right: f32,
    up: f32,
    /// Light on flat ground.
    flat: f32,
    height: f32,
}

/// Smooth counts of a row and of those beside it, where there are any; 0 is inside.
#[derive(Clone, Copy, Debug)]
pub struct Neighbourhood<'a> {
    /// The row before.
    pub before: Option<&'a [f32]>,
    /// The row.
    pub row: &'a [f32],
    /// The row after.
    pub after: Option<&'a [f32]>,
}

impl Relief {
    /// Of a light.
    #[must_use]
    pub fn new(light: Light) -> Self {
        let angle = light.angle.to_radians();
        Self {
            right: libm::cos(angle) as f32,
            up: libm::sin(angle) as f32,
            flat: (light.height / (1.0 + light.height)) as f32,
            height: light.height as f32,
        }
    }

    /// Lights one sample by its slope: how its smooth count rises to the right and upwards.
    #[inline]
    pub fn apply(&self, colour: Linear, (right, up): (f32, f32), smooth: f32) -> Linear {
        let steepness2 = right * right + up * up;
        let finest = smooth * FINEST;
        // Near 1, and falling where differences are noise: too small, or too large.
        let trust = steepness2
            / (steepness2 + finest * finest)
            / (1.0 + steepness2 * (1.0 / (STEEPEST * STEEPEST)));
        let length = steepness2.sqrt().max(f32::MIN_POSITIVE);
        // The relief falls where the count rises: the set lies in a valley, and what faces the light goes down to it.
        let cosine = -(right * self.right + up * self.up) / length * trust;
        let lit = ((cosine + self.height) / (1.0 + self.height)).max(0.0);
        if lit <= self.flat {
            let missing = 1.0 - lit / self.flat.max(f32::MIN_POSITIVE);
            colour.map(|light| light * (1.0 - missing * SHADE))
        } else {
            let more = (lit - self.flat) / (1.0 - self.flat) * GLARE;
            colour.map(|light| light * (1.0 + more))
        }
    }
}

impl Neighbourhood<'_> {
    /// How the smooth count rises to the right and with the rows at `column`, from what neighbours are outside; 0
    /// where none are.
    #[inline]
    #[must_use]
    pub fn slope(&self, column: usize, spacing: &Spacing<'_>) -> (f32, f32) {
        let here = self.row[column];
        let left = column.checked_sub(1).map(|left| self.row[left]);
        let right = self.row.get(column + 1).copied();
        let across = rise(left, here, right, spacing.beside(column));
        let [before, after] = [self.before, self.after].map(|row| row.map(|row| row[column]));
        (across, rise(before, here, after, spacing.rows))
    }
}

/// Distances between samples, in pixels of what is seen: mostly those of an even grid.
#[derive(Clone, Copy, Debug)]
pub struct Spacing<'a> {
    /// How far each column is displaced from its even place; nothing where all are in it.
    pub columns: &'a [f32],
    /// Distances of a row to the rows before and after it.
    pub rows: (f32, f32),
    /// Distance of one column's even place to the next, and of one row's: 1 but where values are seen at another
    /// scale than they were computed at.
    pub pitch: f32,
}

impl Spacing<'_> {
    /// Of an even grid whose samples are so many pixels apart.
    #[must_use]
    pub const fn even(pitch: f32) -> Self {
        Self {
            columns: &[],
            rows: (pitch, pitch),
            pitch,
        }
    }

    fn beside(&self, column: usize) -> (f32, f32) {
        let own = self.columns.get(column);
        let gap = |from: Option<&f32>, to: Option<&f32>| match (from, to) {
            (Some(from), Some(to)) => self.pitch + to - from,
            _ => self.pitch,
        };
        let left = column
            .checked_sub(1)
            .and_then(|left| self.columns.get(left));
        (gap(left, own), gap(own, self.columns.get(column + 1)))
    }
}

/// Slope through a value and what lies before and after it, so far away.
#[inline]
fn rise(before: Option<f32>, here: f32, after: Option<f32>, (to, from): (f32, f32)) -> f32 {
    let before = before.filter(|value| *value != 0.0);
    let after = after.filter(|value| *value != 0.0);
    match (before, after) {
        (Some(before), Some(after)) => (after - before) / (to + from),
        (Some(before), None) => (here - before) / to,
        (None, Some(after)) => (after - here) / from,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREY: Linear = [0.2, 0.2, 0.2, 0.0];

    /// A plane that rises to the right is lit from the left, and one that rises upwards from below.
    #[test]
    fn slopes_that_face_the_light_are_brighter() {
        let light = |angle: f64| Relief::new(Light { angle, height: 1.0 });
        let lit = |angle: f64, slope| light(angle).apply(GREY, slope, 100.0)[0];
        for (towards, slope) in [(180.0, (0.5, 0.0)), (0.0, (-0.5, 0.0)), (270.0, (0.0, 0.5))] {
            assert!(lit(towards, slope) > GREY[0] * 1.7, "{towards}");
            assert!(lit(towards + 180.0, slope) < GREY[0] * 0.2, "{towards}");
            // From the side it is as flat ground.
            assert!((lit(towards + 90.0, slope) - GREY[0]).abs() < 1e-3);
        }
        assert_eq!(light(30.0).apply(GREY, (0.0, 0.0), 100.0), GREY);
        // The same slope ten times as steep: only the direction counts.
        assert!((lit(200.0, (0.05, 0.0)) - lit(200.0, (0.5, 0.0))).abs() < 0.01);
        // What is far too steep to be a slope at all, and less than single precision shows.
        assert!((lit(180.0, (500.0, 0.0)) - GREY[0]).abs() < 1e-3);
        assert!((light(180.0).apply(GREY, (1e-3, 0.0), 1e6)[0] - GREY[0]).abs() < 1e-3);
    }

    #[test]
    fn slopes_come_from_neighbours_that_are_outside() {
        let (before, row, after) = ([1.0, 2.0, 0.0], [5.0, 7.0, 11.0], [9.0, 0.0, 0.0]);
        let beside = Neighbourhood {
            before: Some(&before),
            row: &row,
            after: Some(&after),
        };
        assert_eq!(beside.slope(0, &Spacing::even(1.0)), (2.0, 4.0));
        assert_eq!(beside.slope(1, &Spacing::even(1.0)), (3.0, 5.0));
        assert_eq!(beside.slope(2, &Spacing::even(1.0)), (4.0, 0.0));
        let edge = Neighbourhood {
            before: None,
            ..beside
        };
        assert_eq!(edge.slope(0, &Spacing::even(1.0)), (2.0, 4.0));
        // Seen from twice as near, all is half as steep.
        assert_eq!(beside.slope(1, &Spacing::even(2.0)), (1.5, 2.5));
        // A plane that rises by 2 a spacing, at displaced places.
        let columns = [-0.25, 0.25, 0.0];
        let row = [0.25, 1.25, 2.0].map(|place: f32| 10.0 + 2.0 * place);
        let row = [row[0] - 1.0, row[1], row[2]];
        let displaced = Neighbourhood {
            before: None,
            row: &row,
            after: None,
        };
        let spacing = Spacing {
            columns: &columns,
            rows: (1.0, 1.0),
            pitch: 1.0,
        };
        for column in 0..3 {
            assert_eq!(displaced.slope(column, &spacing), (2.0, 0.0), "{column}");
        }
    }
}
