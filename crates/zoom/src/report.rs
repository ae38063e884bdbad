//! What a sequence says when it is done: one line for people, one JSON object for programs.

use std::collections::BTreeMap;

use render::report::OutputReport;
use serde::Serialize;

use crate::keys::folder::Record;
use crate::plan::plan::ZoomPlan;

/// A whole sequence.
#[derive(Clone, Debug, Serialize)]
pub struct SequenceReport {
    /// Columns of a frame.
    pub width: u32,
    /// Rows of a frame.
    pub height: u32,
    /// Frames.
    pub frames: u32,
    /// Frames a second.
    pub fps: f64,
    /// Seconds that the video lasts.
    pub duration_secs: f64,
    /// Doublings of the zoom.
    pub octaves: f64,
    /// Key frames.
    pub key_frames: u32,
    /// Of those, how many were computed now.
    pub key_frames_made: u32,
    /// Columns of a key frame.
    pub key_width: u32,
    /// Rows of a key frame.
    pub key_height: u32,
    /// Sum of the counts of the key frames that were computed now.
    pub iterations_total: u128,
    /// The same of all of them.
    pub iterations_keys: u128,
    /// What the frames would take if each were rendered by itself, one sample a pixel: the mean counts of the key
    /// frames on either side, by how far it is between them.
    pub iterations_direct: u128,
    /// How many times less that of the key frames is.
    pub times_less: f64,
    /// Smooth counts at the palette's ends.
    pub colour_range: (f64, f64),
    /// Frames that were composed in a second, encoding and waiting aside.
    pub composed_fps: f64,
    /// From the start of the program's work to the file in its place.
    pub elapsed_secs: f64,
    /// Where the key frames are, where they were kept.
    pub keys: Option<String>,
    /// The file.
    pub output: Option<OutputReport>,
}

/// Iterations that all frames would take if each were rendered by itself.
#[must_use]
pub fn direct(plan: &ZoomPlan, records: &BTreeMap<u32, Record>) -> f64 {
    let (width, height) = plan.sequence.key;
    let key_pixels = f64::from(width) * f64::from(height);
    let mean = |depth: u32| {
        records
            .get(&depth)
            .map(|record| record.iterations_total as f64 / key_pixels)
    };
    let pixels = f64::from(plan.size.0) * f64::from(plan.size.1);
    let of_frame = |frame: u32| {
        let (depth, _) = plan.frame(frame);
        let outer = mean(depth.ceil() as u32).unwrap_or(0.0);
        let inner = mean(depth.floor() as u32).unwrap_or(outer);
        let beyond = depth.ceil() - depth;
        (outer + (inner - outer) * beyond) * pixels
    };
    (0..plan.timing.frames).map(of_frame).sum()
}

impl SequenceReport {
    /// One line for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let name = self.output.as_ref().map_or("stdout", |output| &output.path);
        let made = match self.key_frames_made {
            0 => "none computed".to_owned(),
            made => format!("{made} computed"),
        };
        format!(
            "{name}: {} frames of {} x {} at {} a second, {:.1} octaves, from {} key frames of {} x {} ({made}): {:.3e} iterations, {:.1} times less than the {:.3e} of its frames; in {:.1} s",
            self.frames,
            self.width,
            self.height,
            self.fps,
            self.octaves,
            self.key_frames,
            self.key_width,
            self.key_height,
            self.iterations_keys as f64,
            self.times_less,
            self.iterations_direct as f64,
            self.elapsed_secs
        )
    }
}
