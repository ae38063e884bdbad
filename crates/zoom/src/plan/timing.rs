//! When a sequence is where: frames to places between its first view and its last.
//!
//! Places are counted in octaves, doublings of the zoom. Speed rises from 0 over the first seconds and falls to 0 over
//! the last ones as the smoothstep 3x² - 2x³, whose integral x³ - x⁴/2 covers half of what full speed would.

/// The pace of a sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Frames, at least 1.
    pub frames: u32,
    /// Doublings of the zoom from the first frame to the last.
    pub octaves: f64,
    /// Share of the time in which speed rises, and in which it falls: 0 to 1/2.
    pub ease: f64,
}

impl Timing {
    /// How far a frame is from the first view, in octaves: 0 to `octaves`.
    #[must_use]
    pub fn place(&self, frame: u32) -> f64 {
        let last = self.frames.saturating_sub(1);
        if frame >= last {
            // Also of a sequence that is one frame.
            return self.octaves;
        }
        let time = f64::from(frame) / f64::from(last);
        let way = if time <= 0.5 {
            self.way(time)
        } else {
            1.0 - self.way(1.0 - time)
        };
        way * self.octaves
    }

    /// The share of the way that is behind at a share of the time, in its first half.
    fn way(&self, time: f64) -> f64 {
        let speed = 1.0 / (1.0 - self.ease);
        if time < self.ease {
            let x = time / self.ease;
            return speed * self.ease * (x * x * x - x * x * x * x / 2.0);
        }
        speed * (time - self.ease / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_go_from_end_to_end_and_never_back(
            frames in 2u32..500, octaves in 0.1f64..2000.0, ease in 0.0f64..0.5,
        ) {
            let timing = Timing { frames, octaves, ease };
            let places: Vec<f64> = (0..frames).map(|frame| timing.place(frame)).collect();
            prop_assert!(places[0].abs() < 1e-9);
            prop_assert_eq!(places[frames as usize - 1], octaves);
            prop_assert!(places.windows(2).all(|two| two[1] >= two[0] - 1e-9));
            // The same speed on the way in as on the way out.
            for (there, back) in places.iter().zip(places.iter().rev()) {
                prop_assert!((there + back - octaves).abs() < 1e-6 * octaves);
            }
        }
    }

    #[test]
    fn without_easing_speed_is_even_and_with_it_it_starts_at_nothing() {
        let steps = |ease| {
            let timing = Timing {
                frames: 101,
                octaves: 10.0,
                ease,
            };
            [0, 49].map(|frame| timing.place(frame + 1) - timing.place(frame))
        };
        let [first, middle] = steps(0.0);
        assert!((first - 0.1).abs() < 1e-9 && (middle - 0.1).abs() < 1e-9);
        let [first, middle] = steps(0.2);
        assert!(
            first < 0.01 && (middle - 0.125).abs() < 1e-9,
            "{first} {middle}"
        );
    }
}
