//! What becomes known of a task, kept until Python asks for it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mandelfarm::{Event, Progress};

/// Most lines that are kept until they are asked for; older ones go first.
const MOST_LINES: usize = 256;

/// Most stages within each other.
const MOST_STAGES: usize = 8;
/// What stages count.
const STRIPS: &str = "strips";
const STEPS: &str = "iterations";
const ROWS: &str = "rows";
const FRAMES: &str = "frames";

/// A stage of the work: its number, what it is, what is counted, how many are done of how many, and by how many workers.
pub type Stage = (u64, &'static str, &'static str, u64, u64, usize);

/// How far a task is, and what is to be said of it.
#[derive(Debug, Default)]
pub struct Told(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How many have begun.
    begun: u64,
    /// Those under way, the outermost first: a sequence has orbits of its own.
    stages: Vec<Stage>,
    /// Lines for the user, and whether each is a warning.
    lines: VecDeque<(bool, String)>,
}

impl Told {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stage that is under way, and within no other.
    pub fn stage(&self) -> Option<Stage> {
        self.state().stages.first().copied()
    }

    /// Lines that were not asked for yet, and whether each is a warning.
    pub fn lines(&self) -> Vec<(bool, String)> {
        self.state().lines.drain(..).collect()
    }
}

impl State {
    fn begin(&mut self, what: &'static str, unit: &'static str, all: u64) {
        if self.stages.len() < MOST_STAGES {
            self.begun += 1;
            self.stages.push((self.begun, what, unit, 0, all, 0));
        }
    }

    /// Changes the innermost stage that counts this.
    fn change(&mut self, unit: &str, change: impl FnOnce(&mut Stage)) {
        if let Some(stage) = self.stages.iter_mut().rfind(|stage| stage.2 == unit) {
            change(stage);
        }
    }

    fn end(&mut self, unit: &str) {
        if let Some(at) = self.stages.iter().rposition(|stage| stage.2 == unit) {
            self.stages.remove(at);
        }
    }

    fn say(&mut self, is_warning: bool, line: &str) {
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back((is_warning, line.to_owned()));
    }
}

impl Progress for Told {
    fn tell(&self, event: Event<'_>) {
        let mut state = self.state();
        match event {
            Event::Note(line) => state.say(false, line),
            Event::Warning(line) => state.say(true, line),
            Event::PictureBegan { strips, .. } => state.begin("picture", STRIPS, strips.into()),
            Event::OrbitBegan { most } => state.begin("reference orbit", STEPS, most),
            Event::PaintingBegan { rows } => state.begin("painting", ROWS, rows.into()),
            Event::SequenceBegan {
                key_frames,
                frames,
                computes,
            } => {
                let keys = if computes { key_frames } else { 0 };
                let all = u64::from(frames) + u64::from(keys);
                state.begin("sequence", FRAMES, all);
            }
            Event::StripsResumed(done) | Event::StripsDone(done) => {
                state.change(STRIPS, |stage| stage.3 = done);
            }
            Event::OrbitSteps(made) => state.change(STEPS, |stage| stage.3 = made),
            Event::NewtonSteps { period, made, .. } => state.change(STEPS, |stage| {
                (stage.1, stage.3, stage.4) = ("Newton's method", made, period);
            }),
            Event::RowsDone(rows) => state.change(ROWS, |stage| stage.3 = rows),
            Event::KeyFrameDone | Event::FrameDone => state.change(FRAMES, |stage| stage.3 += 1),
            Event::Workers(workers) => state.change(STRIPS, |stage| stage.5 = workers),
            Event::PictureEnded => state.end(STRIPS),
            Event::OrbitEnded => state.end(STEPS),
            Event::PaintingEnded => state.end(ROWS),
            Event::SequenceEnded => state.end(FRAMES),
            Event::Paused => state.say(false, "paused by an operator"),
            Event::ActivityBegan { .. } | Event::ActivityEnded { .. } => {}
        }
    }
}
