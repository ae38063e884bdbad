//! The progress bar: strips, pixels a second, time left; on stderr. On a terminal it is drawn; elsewhere a plain line says
//! the same every ten seconds (`beat`).

use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::beat::{self, Beat, Pace};
use super::tables::duration;

/// A bar over the strips of one picture.
pub struct PictureBar {
    bar: ProgressBar,
    _beat: Option<Beat>,
}

impl PictureBar {
    /// For a picture of `strips` strips, with so many samples.
    pub fn new(samples: u64, strips: u32, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(u64::from(strips)), beat::target(quiet));
        let pixels_per_strip = samples as f64 / f64::from(strips.max(1));
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
                        let _ = write!(out, "{} left", duration(state.eta().as_secs_f64()));
                    },
                )
                .progress_chars("=> ");
        bar.set_style(style);
        bar.set_message("waiting for workers");
        bar.enable_steady_tick(Duration::from_millis(250));
        let line = move |bar: &ProgressBar, pace: Pace| {
            let rate = pace.per_sec * pixels_per_strip / 1e6;
            let (done, all) = (bar.position(), bar.length().unwrap_or_default());
            let left = pace.left();
            format!(
                "{done}/{all} strips, {rate:.1} Mpx/s, {left}{}",
                bar.message()
            )
        };
        let _beat = Beat::of(&bar, quiet, line);
        Self { bar, _beat }
    }

    /// How many workers have delivered so far.
    pub fn set_workers(&self, workers: usize) {
        match workers {
            0 => {}
            1 => self.bar.set_message("1 worker"),
            more => self.bar.set_message(format!("{more} workers")),
        }
    }

    /// So many strips were there from the start.
    pub fn begin_at(&self, strips: u64) {
        self.bar.set_position(strips);
        self.bar.reset_eta();
    }

    /// So many strips have come.
    pub fn set_position(&self, strips: u64) {
        self.bar.set_position(strips);
    }

    /// An operator holds the job.
    pub fn set_paused(&self) {
        self.bar.set_message("paused by an operator");
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The progress bar of a reference orbit.
pub struct OrbitBar {
    bar: ProgressBar,
    _beat: Option<Beat>,
}

impl OrbitBar {
    /// For an orbit of at most `iterations`.
    pub fn new(iterations: u64, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(iterations), beat::target(quiet));
        let style = ProgressStyle::with_template(
            "{msg} {bar:32} {human_pos} of at most {human_len} iterations",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
        bar.set_style(style);
        bar.set_message("reference orbit");
        bar.enable_steady_tick(Duration::from_millis(250));
        let line = |bar: &ProgressBar, _: Pace| {
            let (made, most) = (bar.position(), bar.length().unwrap_or_default());
            format!("{}: {made} of at most {most} iterations", bar.message())
        };
        let _beat = Beat::of(&bar, quiet, line);
        Self { bar, _beat }
    }

    /// So many iterations are made.
    pub fn set_position(&self, iterations: u64) {
        self.bar.set_position(iterations);
    }

    /// So many of an orbit of Newton's method, in its `step`.
    pub fn set_newton(&self, period: u64, step: u32, made: u64) {
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

/// The progress bar over the rows of a picture that is painted.
pub struct RowBar {
    bar: ProgressBar,
    _beat: Option<Beat>,
}

impl RowBar {
    /// For a picture of `rows`.
    pub fn new(rows: u32, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(u64::from(rows)), beat::target(quiet));
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} rows  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        bar.set_style(style);
        let line = |bar: &ProgressBar, pace: Pace| {
            let (done, all) = (bar.position(), bar.length().unwrap_or_default());
            let text = format!("{done}/{all} rows, {}", pace.left());
            text.trim_end_matches(", ").to_owned()
        };
        let _beat = Beat::of(&bar, quiet, line);
        Self { bar, _beat }
    }

    /// So many rows are painted.
    pub fn set_position(&self, rows: u64) {
        self.bar.set_position(rows);
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
