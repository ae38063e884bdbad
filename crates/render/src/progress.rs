//! What becomes known while something is made. It is told, and drawn by whoever called: a terminal's bars, log lines, a
//! page.

use std::sync::atomic::{AtomicU64, Ordering};

use fractal::{FrameSpec, StripBuffer};
use serde::Serialize;

/// Something that became known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event<'a> {
    /// A line for the user about what will be done.
    Note(&'a str),
    /// A line for the user about something that may not be as they want it.
    Warning(&'a str),
    /// Something began that may take long, such as "reading the journals".
    ActivityBegan {
        /// What tells it from others of this process.
        id: u64,
        /// What it is, as what follows "stopped while".
        what: &'a str,
        /// Whether it is worth words where it takes long.
        is_told: bool,
    },
    /// It ended.
    ActivityEnded {
        /// Which.
        id: u64,
    },
    /// A picture's strips are to be computed.
    PictureBegan {
        /// All of them.
        strips: u32,
        /// Their samples.
        samples: u64,
    },
    /// So many strips of it were there from the start.
    StripsResumed(u64),
    /// So many strips of it have come.
    StripsDone(u64),
    /// So many workers have delivered some.
    Workers(usize),
    /// An operator holds its job.
    Paused,
    /// Its files are whole, or it was given up.
    PictureEnded,
    /// A reference orbit is to be computed, or a period is looked for.
    OrbitBegan {
        /// Iterations at most.
        most: u64,
    },
    /// So many of its iterations are made.
    OrbitSteps(u64),
    /// So many iterations of an orbit of Newton's method.
    NewtonSteps {
        /// The nucleus' period: as many as the orbit has.
        period: u64,
        /// Which of the method's steps, from 1.
        step: u32,
        /// Iterations that are made.
        made: u64,
    },
    /// It is there, or was given up.
    OrbitEnded,
    /// Rows of a picture are to be painted.
    PaintingBegan {
        /// All of them.
        rows: u32,
    },
    /// So many of them are painted.
    RowsDone(u64),
    /// All of them are, or it was given up.
    PaintingEnded,
    /// A sequence is to be made.
    SequenceBegan {
        /// Its key frames.
        key_frames: u32,
        /// Its frames.
        frames: u32,
        /// Whether some of its key frames are missing.
        computes: bool,
    },
    /// One more key frame is there.
    KeyFrameDone,
    /// One more frame is done.
    FrameDone,
    /// The sequence is done, or was given up.
    SequenceEnded,
}

/// A strip of a picture that has come, in any order; one that is computed once more comes once more.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The whole picture.
    pub frame: &'a FrameSpec,
    /// The strip's values.
    pub buffer: &'a StripBuffer,
    /// Who made it.
    pub worker: &'a str,
}

/// Who is told of what becomes known.
pub trait Progress: Send + Sync {
    /// Hears of an event; returns soon, as the work waits meanwhile.
    fn tell(&self, event: Event<'_>);

    /// Sees a strip that has come; returns soon, too. For whoever shows pictures as they grow.
    fn see(&self, _: Arrival<'_>) {}
}

/// Nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: Event<'_>) {}
}

/// Tells of an end when it is dropped, however that comes.
pub struct Ending<'a> {
    progress: &'a dyn Progress,
    event: Event<'static>,
}

impl<'a> Ending<'a> {
    /// Tells that something began, and in the end that it ended.
    #[must_use]
    pub fn after(progress: &'a dyn Progress, began: Event<'_>, ended: Event<'static>) -> Self {
        progress.tell(began);
        Self {
            progress,
            event: ended,
        }
    }

    /// The same of an activity: what follows "stopped while". `is_told` where it is worth words when it takes long.
    #[must_use]
    pub fn activity(progress: &'a dyn Progress, what: &str, is_told: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let began = Event::ActivityBegan { id, what, is_told };
        Self::after(progress, began, Event::ActivityEnded { id })
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.progress.tell(self.event);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Heard(Mutex<Vec<String>>);

    impl Progress for Heard {
        fn tell(&self, event: Event<'_>) {
            self.0
                .lock()
                .unwrap()
                .push(serde_json::to_string(&event).unwrap());
        }
    }

    #[test]
    fn what_began_is_told_to_have_ended() {
        let heard = Heard(Mutex::default());
        {
            let began = Event::OrbitBegan { most: 9 };
            let _ending = Ending::after(&heard, began, Event::OrbitEnded);
            heard.tell(Event::OrbitSteps(4));
        }
        assert_eq!(
            heard.0.into_inner().unwrap(),
            [
                "{\"orbit_began\":{\"most\":9}}",
                "{\"orbit_steps\":4}",
                "\"orbit_ended\""
            ]
        );
    }
}
