//! The progress bar of a sequence: key frames, frames, time left; on stderr. Where that is no terminal a plain line says the
//! same every ten seconds.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::beat::{self, Beat, Pace};
use super::tables::duration;

/// A bar over key frames and frames.
#[derive(Debug)]
pub struct SequenceBar {
    bar: ProgressBar,
    keys: u32,
    frames: u32,
    /// What a key frame counts for, in frames: the bar moves as time does.
    weight: u64,
    keys_done: u32,
    frames_done: u32,
    _beat: Option<Beat>,
}

impl SequenceBar {
    /// For a sequence of `keys` key frames, of which some are to be made, and `frames` frames.
    #[must_use]
    pub fn new(keys: u32, frames: u32, computes: bool, quiet: bool) -> Self {
        // Making one takes about as long as all frames that it is in, and ten.
        let weight = if computes {
            u64::from(frames / keys.max(1)) + 10
        } else {
            0
        };
        let len = u64::from(keys) * weight + u64::from(frames);
        let bar = ProgressBar::with_draw_target(Some(len), beat::target(quiet));
        let left = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{} left", duration(state.eta().as_secs_f64()));
        };
        let style = ProgressStyle::with_template("{bar:32} {percent} %  {msg}  {left}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("left", left)
            .progress_chars("=> ");
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(250));
        let line = |bar: &ProgressBar, pace: Pace| format!("{}{}", pace.left(), bar.message());
        let _beat = Beat::of(&bar, quiet, line);
        Self {
            bar,
            keys,
            frames,
            weight,
            keys_done: 0,
            frames_done: 0,
            _beat,
        }
    }

    /// One more key frame is there.
    pub fn add_key_frame(&mut self) {
        self.keys_done += 1;
        self.bar.inc(self.weight);
        self.tell();
    }

    /// One more frame is done.
    pub fn add_frame(&mut self) {
        self.frames_done += 1;
        self.bar.inc(1);
        self.tell();
    }

    fn tell(&self) {
        self.bar.set_message(format!(
            "{}/{} key frames, {}/{} frames",
            self.keys_done, self.keys, self.frames_done, self.frames
        ));
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
