//! What becomes known of the work, drawn and said.

use std::sync::{Mutex, MutexGuard, PoisonError};

use render::{Event, Progress};

use super::bars::{OrbitBar, PictureBar, RowBar};
use super::output::say;
use super::sequence_bar::SequenceBar;
use super::signals;

/// Draws bars on a terminal, and says lines elsewhere; nothing at all where it is quiet.
#[derive(Default)]
pub struct TerminalProgress {
    quiet: bool,
    bars: Mutex<Bars>,
}

/// One of each kind at a time.
#[derive(Default)]
struct Bars {
    picture: Option<PictureBar>,
    orbit: Option<OrbitBar>,
    rows: Option<RowBar>,
    sequence: Option<SequenceBar>,
}

impl TerminalProgress {
    /// Says nothing where `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self {
            quiet,
            bars: Mutex::default(),
        }
    }

    fn bars(&self) -> MutexGuard<'_, Bars> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn picture(&self, draw: impl FnOnce(&PictureBar)) {
        if let Some(bar) = &self.bars().picture {
            draw(bar);
        }
    }
}

impl Progress for TerminalProgress {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Note(line) if !self.quiet => say(line),
            Event::Warning(line) if !self.quiet => say(&format!("warning: {line}")),
            Event::Note(_) | Event::Warning(_) => {}
            Event::ActivityBegan { id, what, is_told } => {
                signals::began(id, what, is_told && !self.quiet);
            }
            Event::ActivityEnded { id } => signals::ended(id),
            Event::PictureBegan { strips, samples } => {
                self.bars().picture = Some(PictureBar::new(samples, strips, self.quiet));
            }
            Event::StripsResumed(strips) => self.picture(|bar| bar.begin_at(strips)),
            Event::StripsDone(strips) => self.picture(|bar| bar.set_position(strips)),
            Event::Workers(workers) => self.picture(|bar| bar.set_workers(workers)),
            Event::Paused => self.picture(PictureBar::set_paused),
            Event::PictureEnded => {
                if let Some(bar) = self.bars().picture.take() {
                    bar.clear();
                }
            }
            Event::OrbitBegan { most } => {
                self.bars().orbit = Some(OrbitBar::new(most, self.quiet));
            }
            Event::OrbitSteps(made) => {
                if let Some(bar) = &self.bars().orbit {
                    bar.set_position(made);
                }
            }
            Event::NewtonSteps { period, step, made } => {
                if let Some(bar) = &self.bars().orbit {
                    bar.set_newton(period, step, made);
                }
            }
            Event::OrbitEnded => {
                if let Some(bar) = self.bars().orbit.take() {
                    bar.clear();
                }
            }
            Event::PaintingBegan { rows } => {
                self.bars().rows = Some(RowBar::new(rows, self.quiet));
            }
            Event::RowsDone(rows) => {
                if let Some(bar) = &self.bars().rows {
                    bar.set_position(rows);
                }
            }
            Event::PaintingEnded => {
                if let Some(bar) = self.bars().rows.take() {
                    bar.clear();
                }
            }
            Event::SequenceBegan {
                key_frames,
                frames,
                computes,
            } => {
                let bar = SequenceBar::new(key_frames, frames, computes, self.quiet);
                self.bars().sequence = Some(bar);
            }
            Event::KeyFrameDone => {
                if let Some(bar) = &mut self.bars().sequence {
                    bar.add_key_frame();
                }
            }
            Event::FrameDone => {
                if let Some(bar) = &mut self.bars().sequence {
                    bar.add_frame();
                }
            }
            Event::SequenceEnded => {
                if let Some(bar) = self.bars().sequence.take() {
                    bar.clear();
                }
            }
        }
    }
}
