//! The defaults: what is meant where nothing is said.

use fractal::Decimal;

/// Iteration limit.
pub(crate) const ITERATIONS: u64 = 1000;
/// Escape radius.
pub const ESCAPE_RADIUS: f64 = 256.0;
/// Columns and rows of a view by its centre, and of a frame.
pub(crate) const SIZE: (u32, u32) = (1280, 720);
/// The file of a picture.
pub const OUTPUT: &str = "mandelbrot.png";
/// Bounds of a view: real parts, then imaginary ones, and samples per unit of the plane.
pub(crate) const BOUNDS: [&str; 4] = ["-2", "0.5", "-1.5", "1.5"];
pub(crate) const DENSITY: &str = "512";
/// Zoom of the first frame.
pub(crate) const FROM: &str = "1";
/// The file of a sequence.
pub const VIDEO: &str = "zoom.mp4";
/// The program that makes videos.
pub(crate) const FFMPEG: &str = "ffmpeg";
/// Frames a second.
pub(crate) const FPS: &str = "30";
/// Seconds for each doubling of the zoom.
pub(crate) const SECONDS_PER_OCTAVE: f64 = 1.0;
/// Longest period of a minibrot that is looked for.
pub(crate) const PERIODS: u64 = 1_000_000;
/// Most workers that take part.
pub(crate) const MAX_WORKERS: u16 = 1024;
/// Most frames of a sequence.
pub(crate) const MAX_FRAMES: f64 = (1 << 22) as f64;

/// A default, which is a number.
pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse()
        .unwrap_or_else(|_| unreachable!("defaults are numbers"))
}
