//! How far a job is: what its work tells, as figures.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use colour::Scheme;
use render::{Arrival, Event, Progress};
use serde::Serialize;
use utoipa::ToSchema;

use super::grown::Grown;

/// Warnings of a job that are kept.
const MOST_WARNINGS: usize = 8;

/// How far a job is that is under way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Figures {
    /// What is done before or between strips, such as "a reference orbit"; nothing where strips are computed.
    pub activity: Option<String>,
    /// Whether an operator of the farm holds it.
    pub paused: bool,
    /// Strips of the picture, or of the key frame that is made.
    pub strips: u64,
    /// Those that have come.
    pub strips_done: u64,
    /// Of those, the ones that were there from an earlier try.
    pub strips_resumed: u64,
    /// Key frames of a sequence.
    pub key_frames: u64,
    /// Those that are there.
    pub key_frames_done: u64,
    /// Frames of a sequence.
    pub frames: u64,
    /// Those that are made.
    pub frames_done: u64,
    /// Workers that have delivered strips.
    pub workers: u64,
    /// How much of it is done, 0 to 1.
    pub share: f64,
    /// Seconds since it was taken up.
    pub seconds: f64,
    /// Seconds until it is done, if it goes on so.
    pub seconds_left: Option<f64>,
    /// What may not be as whoever asked wants it.
    pub warnings: Vec<String>,
    /// Who made strips, in the order of the numbers in `/api/jobs/picture`.
    pub makers: Vec<String>,
    /// Rows of a strip, in samples.
    pub strip_rows: u32,
    /// Rows of samples.
    pub rows: u32,
}

/// Hears of a job's work.
pub struct Growth {
    began: Instant,
    heard: Mutex<Heard>,
    /// The picture, where its colours are known.
    grown: Mutex<Option<Grown>>,
}

#[derive(Default)]
struct Heard {
    figures: Figures,
    /// Activities that are under way.
    activities: Vec<(u64, String)>,
    /// What else is: an orbit.
    orbit: Option<(u64, u64)>,
    /// How much was done when work began: strips of an earlier try.
    began_at: f64,
    /// When the first strip or frame of this try was done.
    since: Option<Instant>,
}

impl Growth {
    /// Of a job that is taken up now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            heard: Mutex::default(),
            grown: Mutex::default(),
        }
    }

    /// Shows the picture in these colours from now on.
    pub fn show(&self, scheme: Scheme) {
        *self.grown() = Some(Grown::new(scheme));
    }

    /// The picture as it grows.
    pub fn grown(&self) -> MutexGuard<'_, Option<Grown>> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since it was taken up.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// How far it is.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let (makers, (strip_rows, rows)) = match &*self.grown() {
            Some(grown) => (grown.makers().to_vec(), grown.rows()),
            None => Default::default(),
        };
        let heard = self.heard();
        let orbit = heard
            .orbit
            .map(|(made, most)| format!("a reference orbit: {made} of at most {most} iterations"));
        let share = heard.share();
        let made = share - heard.began_at;
        let seconds_left = heard.since.filter(|_| made > 0.0).map(|since| {
            let seconds = since.elapsed().as_secs_f64();
            seconds * (1.0 - share) / made
        });
        Figures {
            activity: orbit.or_else(|| heard.activities.last().map(|(_, what)| what.clone())),
            share,
            seconds: self.seconds(),
            seconds_left,
            makers,
            strip_rows,
            rows,
            ..heard.figures.clone()
        }
    }
}

impl Default for Growth {
    fn default() -> Self {
        Self::new()
    }
}

impl Heard {
    fn share(&self) -> f64 {
        let of = |done: u64, all: u64| done.min(all) as f64 / all.max(1) as f64;
        let figures = &self.figures;
        let strips = of(figures.strips_done, figures.strips);
        if figures.frames == 0 {
            return strips;
        }
        // Key frames are nearly all of the work; the one under way counts by its strips.
        let one = 1.0 / figures.key_frames.max(1) as f64;
        let under_way = if figures.key_frames_done < figures.key_frames {
            strips * one
        } else {
            0.0
        };
        let keys = of(figures.key_frames_done, figures.key_frames) + under_way;
        0.9 * keys.min(1.0) + 0.1 * of(figures.frames_done, figures.frames)
    }

    fn moved(&mut self) {
        if self.since.is_none() {
            self.began_at = self.share();
            self.since = Some(Instant::now());
        }
    }
}

impl Progress for Growth {
    fn see(&self, arrival: Arrival<'_>) {
        if let Some(grown) = &mut *self.grown() {
            grown.take(&arrival);
        }
    }

    fn tell(&self, event: Event<'_>) {
        let mut heard = self.heard();
        match event {
            Event::Warning(line) => {
                if heard.figures.warnings.len() < MOST_WARNINGS {
                    heard.figures.warnings.push(line.to_owned());
                }
            }
            Event::ActivityBegan { id, what, .. } => heard.activities.push((id, what.to_owned())),
            Event::ActivityEnded { id } => heard.activities.retain(|(other, _)| *other != id),
            Event::PictureBegan { strips, .. } => {
                heard.figures.strips = u64::from(strips);
                heard.figures.strips_done = 0;
                heard.figures.strips_resumed = 0;
                heard.moved();
            }
            Event::StripsResumed(strips) => {
                heard.figures.strips_resumed = strips;
                heard.figures.strips_done = strips;
                heard.began_at = heard.share();
                heard.since = Some(Instant::now());
            }
            Event::StripsDone(strips) => {
                heard.figures.paused = false;
                heard.figures.strips_done = strips;
            }
            Event::Workers(workers) => heard.figures.workers = workers as u64,
            Event::Paused => heard.figures.paused = true,
            Event::OrbitBegan { most } => heard.orbit = Some((0, most)),
            Event::OrbitSteps(made) => {
                if let Some((steps, _)) = &mut heard.orbit {
                    *steps = made;
                }
            }
            Event::OrbitEnded => heard.orbit = None,
            Event::SequenceBegan {
                key_frames, frames, ..
            } => {
                heard.figures.key_frames = u64::from(key_frames);
                heard.figures.frames = u64::from(frames);
            }
            Event::KeyFrameDone => {
                heard.figures.key_frames_done += 1;
                heard.figures.strips_done = 0;
                heard.moved();
            }
            Event::FrameDone => {
                heard.figures.frames_done += 1;
                heard.moved();
            }
            Event::Note(_)
            | Event::PictureEnded
            | Event::NewtonSteps { .. }
            | Event::PaintingBegan { .. }
            | Event::RowsDone(_)
            | Event::PaintingEnded
            | Event::SequenceEnded => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_its_strips_and_a_sequence_mostly_its_key_frames() {
        let growth = Growth::new();
        growth.tell(Event::PictureBegan {
            strips: 10,
            samples: 1000,
        });
        assert_eq!(growth.figures().share, 0.0);
        growth.tell(Event::StripsResumed(4));
        assert_eq!(growth.figures().seconds_left, None);
        growth.tell(Event::StripsDone(7));
        let figures = growth.figures();
        assert_eq!((figures.share, figures.strips_resumed), (0.7, 4));
        assert!(figures.seconds_left.is_some());
        let sequence = Growth::new();
        sequence.tell(Event::SequenceBegan {
            key_frames: 4,
            frames: 100,
            computes: true,
        });
        sequence.tell(Event::KeyFrameDone);
        sequence.tell(Event::PictureBegan {
            strips: 2,
            samples: 10,
        });
        sequence.tell(Event::StripsDone(1));
        assert!((sequence.figures().share - 0.9 * 0.375).abs() < 1e-9);
        for _ in 0..3 {
            sequence.tell(Event::KeyFrameDone);
        }
        (0..100).for_each(|_| sequence.tell(Event::FrameDone));
        assert!((sequence.figures().share - 1.0).abs() < 1e-9);
    }
}
