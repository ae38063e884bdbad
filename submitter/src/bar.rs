//! The progress bar: strips, pixels a second, time left; on stderr, and only on a terminal.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use fractal::FrameSpec;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A bar over the strips of one picture; draws nothing where stderr is no terminal.
pub struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// For a picture of `strips` strips.
    pub fn new(frame: &FrameSpec, strips: u32, quiet: bool) -> Self {
        let target = if quiet || !stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(u64::from(strips)), target);
        let pixels_per_strip = frame.pixels() as f64 / f64::from(strips.max(1));
        let style =
            ProgressStyle::with_template("{bar:32} {pos}/{len} strips  {mpx}  {left}  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key(
                    "mpx",
                    move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                        let _ =
                            write!(out, "{:.1} Mpx/s", state.per_sec() * pixels_per_strip / 1e6);
                    },
                )
                .with_key(
                    "left",
                    |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                        let _ = write!(out, "{} left", seconds(state.eta()));
                    },
                )
                .progress_chars("=> ");
        bar.set_style(style);
        bar.set_message("waiting for workers");
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar }
    }

    /// How many workers have delivered so far.
    pub fn workers(&self, workers: usize) {
        match workers {
            0 => {}
            1 => self.bar.set_message("1 worker"),
            more => self.bar.set_message(format!("{more} workers")),
        }
    }

    /// So many strips were there from the start.
    pub fn resumed(&self, strips: u64) {
        self.bar.set_position(strips);
        self.bar.reset_eta();
    }

    /// So many strips have come.
    pub fn come(&self, strips: u64) {
        self.bar.set_position(strips);
    }

    /// An operator holds the job.
    pub fn paused(&self) {
        self.bar.set_message("paused by an operator");
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The progress bar over the runs of a sweep; draws nothing where stderr is no terminal.
pub struct RunsBar {
    bar: ProgressBar,
}

impl RunsBar {
    /// For so many runs.
    pub fn new(runs: u64, quiet: bool) -> Self {
        let target = if quiet || !stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(runs), target);
        let style = ProgressStyle::with_template("{bar:32} run {pos}/{len}  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        Self { bar }
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

/// The progress bar of a reference orbit; draws nothing where stderr is no terminal.
pub struct ReferenceBar {
    bar: ProgressBar,
}

impl ReferenceBar {
    /// For an orbit of at most `iterations`.
    pub fn new(iterations: u64, quiet: bool) -> Self {
        let target = if quiet || !stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(iterations), target);
        let style = ProgressStyle::with_template(
            "{msg} {bar:32} {human_pos} of at most {human_len} iterations",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
        bar.set_style(style);
        bar.set_message("reference orbit");
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar }
    }

    /// So many iterations are made.
    pub fn come(&self, iterations: u64) {
        self.bar.set_position(iterations);
    }

    /// So many of an orbit of Newton's method, in its `step`.
    pub fn newton(&self, period: u64, step: u32, made: u64) {
        self.bar.set_length(period);
        self.bar.set_position(made);
        self.bar
            .set_message(format!("period {period}, Newton's step {step}"));
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The progress bar over the rows of a picture that is painted; draws nothing where stderr is no terminal.
pub struct RowBar {
    bar: ProgressBar,
}

impl RowBar {
    /// For a picture of `rows`.
    pub fn new(rows: u32, quiet: bool) -> Self {
        let target = if quiet || !stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(u64::from(rows)), target);
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} rows  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        bar.set_style(style);
        Self { bar }
    }

    /// So many rows are painted.
    pub fn come(&self, rows: u64) {
        self.bar.set_position(rows);
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for ReferenceBar {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A time as on a clock.
pub fn seconds(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m}:{s:02}"),
        (h, m, s) => format!("{h}:{m:02}:{s:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_on_a_clock() {
        let says = |s| seconds(Duration::from_secs(s));
        assert_eq!([says(7), says(67), says(3667)], ["7 s", "1:07", "1:01:07"]);
    }
}
