//! What is left with the server: what is drawn, and names of files within its folder.

use std::collections::BTreeMap;
use std::path::Path;

use colour::Scheme;
use fractal::Measure;
use pictures::{Channel, Compression};
use render::RenderPlan;
use render::plan::OutputKind;
use requests::plan::sequence::sequence;
use requests::request::means::JournalMeans;
use requests::{FarmMeans, Means, SequenceMeans, SequenceRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zoom::ZoomPlan;

use crate::answer::Problem;
use crate::limited::{
    KnownRequest, KnownSequence, check_iterations, check_numbers, check_samples, plan_within,
};
use crate::limits::{MOST_JOB_SAMPLES, MOST_NAME_BYTES, MOST_OUTPUTS};

/// Names that some systems have for devices.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];
/// Options of encoders that may be said: how good, and how slow.
const ENCODER_OPTIONS: [&str; 2] = ["crf", "preset"];
/// Bytes of a video that a pixel of a frame may take, times a thousand: what x264 makes of busy frames.
const VIDEO_MILLIBYTES: u64 = 400;
/// Bytes of anything that is small.
const SMALL: u64 = 64 << 10;

/// A job: a picture or a sequence, into files within the server's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JobRequest {
    /// Names of the files to write, by their extensions: several of a picture, one `.mp4`, `.webm` or `.mkv` of a sequence.
    #[schema(min_items = 1, max_items = 8)]
    pub outputs: Vec<String>,
    /// The picture that is drawn; this or `sequence`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<KnownRequest>,
    /// The sequence that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<KnownSequence>,
    /// What `.npy` holds, and `.exr` beside the count and its fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub measure: Option<Measure>,
    /// Channels of `.exr`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, max_items = 16)]
    pub channels: Vec<Channel>,
    /// How hard PNGs are compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub compression: Option<Compression>,
    /// Rows of a strip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub strip_rows: Option<u32>,
    /// How many strips of a hundred are computed a second time and compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 100)]
    pub audit: Option<u8>,
    /// `crf` and `preset` of a video's encoder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub encoder_options: BTreeMap<String, String>,
}

/// A job that is within all limits, with its plan.
pub enum PlannedJob {
    /// Of a picture.
    Picture(Box<RenderPlan>),
    /// Of a sequence.
    Sequence(Box<ZoomPlan>),
}

impl JobRequest {
    /// What people call it: the name of its first file.
    #[must_use]
    pub fn title(&self) -> &str {
        self.outputs.first().map_or("", String::as_str)
    }

    /// `picture` or `sequence`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.picture.is_some() {
            "picture"
        } else {
            "sequence"
        }
    }

    /// By what means a picture is made: into `folder`, with what is unfinished in `work`.
    #[must_use]
    pub fn means(&self, folder: &Path, work: &Path, farm: &FarmMeans) -> Means {
        Means {
            outputs: self.outputs.iter().map(|name| folder.join(name)).collect(),
            measure: self.measure,
            channels: self.channels.clone(),
            compression: self.compression.unwrap_or_default(),
            farm: farm.clone(),
            strip_rows: self.strip_rows,
            audit: self.audit.unwrap_or(0),
            journal: JournalMeans::Kept(Some(work.join("journal"))),
            ..Means::default()
        }
    }

    /// The same of a sequence.
    #[must_use]
    pub fn sequence_means(&self, folder: &Path, work: &Path, farm: &FarmMeans) -> SequenceMeans {
        SequenceMeans {
            output: self.outputs.first().map(|name| folder.join(name)),
            encoder_options: self.encoder_options.clone().into_iter().collect(),
            keep: Some(work.join("keys")),
            farm: farm.clone(),
            ..SequenceMeans::default()
        }
    }

    /// The plan of it, once it is within all limits. Nothing was computed or written before.
    ///
    /// # Errors
    /// The first thing that cannot be.
    pub fn plan(&self, folder: &Path, farm: &FarmMeans) -> Result<PlannedJob, Problem> {
        self.check()?;
        match (&self.picture, &self.sequence) {
            (Some(KnownRequest(request)), None) => {
                let means = self.means(folder, Path::new(""), farm);
                let plan = plan_within(request.clone(), &means)?;
                check_samples(&plan.frame, MOST_JOB_SAMPLES)?;
                Ok(PlannedJob::Picture(Box::new(plan)))
            }
            (None, Some(KnownSequence(request))) => {
                check_sequence(request)?;
                let means = self.sequence_means(folder, Path::new(""), farm);
                let plan = sequence(request, &means).map_err(requests::Error::from)?;
                let samples = key_samples(&plan);
                if samples > MOST_JOB_SAMPLES {
                    return Err(Problem::unfit(format!(
                        "{samples} samples of key frames are over the limit of {MOST_JOB_SAMPLES}"
                    )));
                }
                Ok(PlannedJob::Sequence(Box::new(plan)))
            }
            _ => Err(Problem::unfit("give a picture or a sequence: one of both")),
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let most = if self.sequence.is_some() {
            1
        } else {
            MOST_OUTPUTS
        };
        if !(1..=most).contains(&self.outputs.len()) {
            return Err(Problem::unfit(format!("outputs: 1 to {most} names")));
        }
        for (at, name) in self.outputs.iter().enumerate() {
            check_name(name)?;
            let same = |other: &String| other.to_lowercase() == name.to_lowercase();
            if self.outputs[..at].iter().any(same) {
                return Err(Problem::unfit(format!("outputs: {name} twice")));
            }
        }
        if self.strip_rows == Some(0) || self.audit.is_some_and(|audit| audit > 100) {
            return Err(Problem::unfit("strip-rows: 1 or more; audit: 0 to 100"));
        }
        if self.channels.len() > 16 {
            return Err(Problem::unfit("channels: at most 16"));
        }
        for (name, value) in &self.encoder_options {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
            let is_right = (1..=16).contains(&value.len()) && value.chars().all(is_plain);
            if !ENCODER_OPTIONS.contains(&&**name) || !is_right {
                return Err(Problem::unfit(
                    "encoder-options: crf and preset, with a number or a word",
                ));
            }
        }
        Ok(())
    }
}

impl PlannedJob {
    /// Columns and rows of its picture or of a frame, in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        match self {
            Self::Picture(plan) => {
                let frame = &plan.frame;
                let size = (frame.width, frame.height);
                plan.colours.samples.pixels(size).unwrap_or(size)
            }
            Self::Sequence(plan) => plan.size,
        }
    }

    /// Its colours.
    #[must_use]
    pub fn colours(&self) -> &Scheme {
        match self {
            Self::Picture(plan) => &plan.colours,
            Self::Sequence(plan) => &plan.colours,
        }
    }

    /// Bytes of its files, at most but for what cannot be packed, and of a video about.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        let (width, height) = self.size();
        let pixels = u64::from(width) * u64::from(height);
        match self {
            Self::Picture(plan) => {
                let frame = &plan.frame;
                let of = |kind: OutputKind| match kind {
                    OutputKind::Location(_) => SMALL,
                    // Three channels of two bytes where they are deep.
                    OutputKind::Colours(_) => 6 * pixels + SMALL,
                    data => {
                        let measures = data.measures(frame, &plan.colours);
                        let each = measures.bytes_per_pixel().max(4) as u64;
                        2 * each * frame.pixels() + SMALL
                    }
                };
                plan.outputs.iter().map(|output| of(output.kind)).sum()
            }
            Self::Sequence(plan) => {
                let all = pixels.saturating_mul(u64::from(plan.timing.frames));
                all.saturating_mul(VIDEO_MILLIBYTES) / 1000 + SMALL
            }
        }
    }

    /// Bytes of what is kept until it is done: strips in a journal, or key frames.
    #[must_use]
    pub fn work_bytes(&self) -> u64 {
        match self {
            Self::Picture(plan) if plan.computes_nothing() => 0,
            Self::Picture(plan) => {
                plan.frame.pixels() * plan.frame.measures.bytes_per_pixel() as u64
            }
            // A count and its fraction, or a smooth count and a distance.
            Self::Sequence(plan) => 8 * key_samples(plan),
        }
    }
}

/// Samples of all key frames.
fn key_samples(plan: &ZoomPlan) -> u64 {
    let (deepest, shallowest) = plan.keys();
    let (width, height) = plan.sequence.key;
    let each = u64::from(width) * u64::from(height);
    each.saturating_mul(u64::from(shallowest - deepest) + 1)
}

fn check_sequence(request: &SequenceRequest) -> Result<(), Problem> {
    check_numbers([
        ("re", &request.re),
        ("im", &request.im),
        ("zoom", &request.from),
        ("zoom", &request.to),
    ])?;
    check_iterations(request.iterations)?;
    check_iterations(request.shallow_iterations)
}

/// Whether a text is the name of a file within a folder, on every system.
///
/// # Errors
/// Says what a name is where this is none.
pub fn check_name(name: &str) -> Result<(), Problem> {
    let is_letter = |c: char| !c.is_control() && !"/\\:*?\"<>|%".contains(c);
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let is_device = DEVICES.contains(&stem.trim_end_matches(|c: char| c.is_ascii_digit()).trim());
    let is_right = (1..=MOST_NAME_BYTES).contains(&name.len())
        && name.chars().all(is_letter)
        && !name.starts_with(['.', '-', ' '])
        && !name.ends_with(['.', ' '])
        && !is_device;
    if is_right {
        Ok(())
    } else {
        let name: String = name.chars().take(40).collect();
        Err(Problem::unfit(format!(
            "outputs: '{name}' is no name of a file, such as poster.png: up to {MOST_NAME_BYTES} letters, no folders"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_files_within_the_folder() {
        for right in [
            "a.png",
            "Große Spirale 2.png",
            "x-1_2.tar.npy",
            "common.png",
        ] {
            assert!(check_name(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            ".",
            "..",
            "../a.png",
            "/etc/passwd",
            "a/b.png",
            "a\\b.png",
            "c:a.png",
            ".hidden.png",
            "-o.png",
            " a.png",
            "a.png ",
            "a.png.",
            "a\n.png",
            "a\0.png",
            "frames%06d.png",
            "nul.png",
            "COM1.png",
            "con",
            "a<b>.png",
        ] {
            assert!(check_name(wrong).is_err(), "{wrong:?}");
        }
        assert!(check_name(&"a".repeat(MOST_NAME_BYTES + 1)).is_err());
    }
}
