//! The progress bar over the runs of a sweep.

use indicatif::{ProgressBar, ProgressStyle};

use super::beat::{self, Beat, Pace};

/// The progress bar over the runs of a sweep.
pub struct RunsBar {
    bar: ProgressBar,
    _beat: Option<Beat>,
}

impl RunsBar {
    /// For so many runs.
    pub fn new(runs: u64, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(runs), beat::target(quiet));
        let style = ProgressStyle::with_template("{bar:32} run {pos}/{len}  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        let line = |bar: &ProgressBar, _: Pace| {
            let (run, all) = (bar.position(), bar.length().unwrap_or_default());
            format!("run {run}/{all}, {}", bar.message())
        };
        let _beat = Beat::of(&bar, quiet, line);
        Self { bar, _beat }
    }

    /// The next one begins.
    pub fn next(&self, what: &str) {
        self.bar.inc(1);
        self.bar.set_message(what.to_owned());
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
