//! A render, complete and checked: all that will happen, and nothing of what was asked for.

use std::path::PathBuf;

use colour::{Needs, Scheme};
use farm_queue::redis::ConnectOptions;
use fractal::{Arithmetic, BackendChoice, FrameSpec, Grid, Measure, MeasureSet, StripPlan};
use locations::{Format, Location};
use pictures::{Channel, Channels, ColourFormat, Compression};
use serde::{Deserialize, Serialize};

/// Everything that a render will do.
#[derive(Clone, Debug)]
pub struct RenderPlan {
    /// What is computed.
    pub frame: FrameSpec,
    /// How it is cut.
    pub strips: StripPlan,
    /// Which kinds of device may compute it.
    pub backend: BackendChoice,
    /// How its pixels are computed.
    pub arithmetic: ArithmeticPlan,
    /// Files to write; no path twice.
    pub outputs: Vec<Output>,
    /// Whether the picture's measures are kept in memory as well: see [`crate::Picture`].
    pub keeps: bool,
    /// How pictures are coloured.
    pub colours: Scheme,
    /// How hard pictures are compressed.
    pub compression: Compression,
    /// Where it is computed.
    pub place: Place,
    /// How many strips of a hundred are computed again elsewhere and compared.
    pub audit: u8,
    /// Where finished strips are kept until the files are whole; nowhere when `None`.
    pub journal: Option<JournalPlan>,
    /// What the user should know before it starts.
    pub warnings: Vec<String>,
}

/// What is done about a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalPlan {
    /// Folder of all journals.
    pub folder: PathBuf,
    /// Whether a journal of the same command is left alone.
    pub fresh: bool,
}

/// Where a picture is computed.
#[derive(Clone, Debug)]
pub enum Place {
    /// In this process, by `workers` workers that share its cores.
    InProcess {
        /// At least 1.
        workers: u16,
        /// Threads of each; all cores, or their share of them, when `None`.
        threads: Option<usize>,
    },
    /// On the farm around a Redis.
    Farm {
        /// Its address, and how to get in.
        farm: Box<ConnectOptions>,
        /// Most workers that take part; all when `None`.
        workers: Option<u16>,
        /// What else the farm is told of its jobs.
        terms: JobTerms,
    },
}

/// What a farm is told of a job beside what is computed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobTerms {
    /// The tag that workers have which may compute it; all when `None`.
    pub on: Option<String>,
    /// Whose it is, for people.
    pub owner: Option<String>,
}

impl RenderPlan {
    /// The picture as a location: all that makes it again, and its place for other programs.
    ///
    /// `range`: the values that were found for the palette's ends, where they were.
    #[must_use]
    pub fn location(&self, range: Option<(f64, f64)>) -> Location {
        let frame = &self.frame;
        let mut colours = self.colours.clone();
        if colours.needs() == Needs::Range {
            colours.range = range.map(|found| colours.in_pixels(found));
        }
        Location {
            iterations: Some(frame.iterations),
            escape_radius: Some(frame.escape_radius),
            z0: Some(frame.z0).filter(|z0| *z0 != (0.0, 0.0)),
            formula: Some(&frame.formula)
                .filter(|formula| !formula.is_mandelbrot())
                .cloned(),
            julia: frame.julia.clone(),
            grid: Some(match frame.grid {
                // As the samples of a pixel are.
                Grid::Displaced => Grid::Pixels,
                grid => grid,
            }),
            size: colours.samples.pixels((frame.width, frame.height)),
            colours: Some(colours),
            transform: frame.transform,
            skip_error_log2: Some(frame.skip_error_log2)
                .filter(|log2| *log2 != fractal::SKIP_ERROR_LOG2),
            counts: Some(frame.counts).filter(|counts| !counts.is_fast()),
            ..Location::at(frame.view.clone(), Format::Own)
        }
    }

    /// Whether anybody is told the colours: pictures are made with them, and other files (and the report of a picture in
    /// memory) say the same alone and in company.
    #[must_use]
    pub(crate) fn tells_colours(&self) -> bool {
        let is_told = |output: &Output| !matches!(output.kind, OutputKind::Npy(_));
        self.keeps || self.outputs.iter().any(is_told)
    }

    /// Whether only places are asked for, so that there is nothing to compute.
    #[must_use]
    pub fn computes_nothing(&self) -> bool {
        let is_place = |output: &Output| matches!(output.kind, OutputKind::Location(_));
        !self.keeps && self.outputs.iter().all(is_place)
    }
}

/// How pixels are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ArithmeticPlan {
    /// As deltas from a reference orbit, or plainly.
    pub deltas: bool,
    /// In this number type and no other; in whichever is exact enough when `None`.
    pub only: Option<Arithmetic>,
    /// Plainly only if samples of the view agree with deltas: see [`engine::check`].
    pub checked: bool,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub kind: OutputKind,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// One measure, as numpy writes it.
    Npy(Measure),
    /// Measures as channels.
    Exr(Channels),
    /// The place, as text.
    Location(Format),
    /// Colours; as data by the name of their format.
    #[serde(untagged)]
    Colours(ColourFormat),
}

impl OutputKind {
    /// The measures of `frame` that it is made from, coloured so.
    #[must_use]
    pub fn measures(self, frame: &FrameSpec, colours: &Scheme) -> MeasureSet {
        let none = MeasureSet::default();
        match self {
            Self::Location(_) => none,
            Self::Colours(_) => colours.measures(),
            Self::Npy(measure) => none.with(frame.carrier(measure)),
            Self::Exr(channels) => channels.iter().fold(none, |set, channel| match channel {
                Channel::Count => set.with(frame.carrier(Measure::Iterations)),
                Channel::Fraction => set.with(Measure::Fraction),
                Channel::Phase => set.with(Measure::Phase),
                Channel::Estimate => set.with(Measure::Distance).with(Measure::Direction),
                Channel::Distance => set.with(Measure::Distance),
                Channel::Stability => set.with(Measure::Stability),
                Channel::Colours => colours.measures().iter().fold(set, MeasureSet::with),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use pictures::{Channel, ImageFormat};

    use super::*;

    #[test]
    fn kinds_of_files_are_written_as_journals_have_them() {
        for (kind, text) in [
            (OutputKind::Colours(ColourFormat::Png), r#""png""#),
            (
                OutputKind::Colours(ColourFormat::Image(ImageFormat::Tiff)),
                r#"{"image":"tiff"}"#,
            ),
            (OutputKind::Npy(Measure::Smooth), r#"{"npy":"smooth"}"#),
            (
                OutputKind::Exr(Channels::default().with(Channel::Count)),
                r#"{"exr":["count"]}"#,
            ),
            (OutputKind::Location(Format::Kfr), r#"{"location":"kfr"}"#),
        ] {
            assert_eq!(serde_json::to_string(&kind).unwrap(), text);
            assert_eq!(serde_json::from_str::<OutputKind>(text).unwrap(), kind);
        }
    }
}
