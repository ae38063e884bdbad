//! Files to write: what the name of each says that it holds, and which measures that takes.

use std::path::{Path, PathBuf};

use fractal::{FrameSpec, Measure, MeasureSet};
use serde::{Deserialize, Serialize};

use super::PlanError;
use crate::cli::files::ChannelArg;
use crate::colour::Scheme;
use crate::location::Format;
use crate::one_file::FileId;

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
    /// Colours, 8 bits.
    Png,
    /// One measure, as numpy writes it.
    Npy(Measure),
    /// Measures as channels.
    Exr(Channels),
    /// The place, as text.
    Location(Format),
}

/// Channels of an OpenEXR file, a set of [`ChannelArg`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<ChannelArg>", into = "Vec<ChannelArg>")]
pub struct Channels(u8);

impl Channels {
    const ALL: [ChannelArg; 7] = [
        ChannelArg::Count,
        ChannelArg::Fraction,
        ChannelArg::Phase,
        ChannelArg::Estimate,
        ChannelArg::Distance,
        ChannelArg::Stability,
        ChannelArg::Colours,
    ];

    /// The set with `channel` added.
    #[must_use]
    pub fn with(self, channel: ChannelArg) -> Self {
        Self(self.0 | 1 << channel as u8)
    }

    /// The members.
    pub fn iter(self) -> impl Iterator<Item = ChannelArg> {
        Self::ALL
            .into_iter()
            .filter(move |channel| self.contains(*channel))
    }

    /// Whether `channel` is in it.
    #[must_use]
    pub fn contains(self, channel: ChannelArg) -> bool {
        self.0 & 1 << channel as u8 != 0
    }
}

impl From<Vec<ChannelArg>> for Channels {
    fn from(channels: Vec<ChannelArg>) -> Self {
        channels.into_iter().fold(Self::default(), Self::with)
    }
}

impl From<Channels> for Vec<ChannelArg> {
    fn from(channels: Channels) -> Self {
        channels.iter().collect()
    }
}

/// What the options about files say.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The measure of .npy.
    pub(super) measure: Measure,
    /// The channels of .exr; as `measure` says where it is empty.
    pub(super) channels: Vec<ChannelArg>,
}

impl Wanted {
    fn channels(&self) -> Channels {
        if !self.channels.is_empty() {
            return self.channels.clone().into();
        }
        let both = Channels::default()
            .with(ChannelArg::Count)
            .with(ChannelArg::Fraction);
        match self.measure {
            Measure::Distance => both.with(ChannelArg::Distance),
            Measure::Stability => both.with(ChannelArg::Stability),
            Measure::Phase => both.with(ChannelArg::Phase),
            Measure::Direction => both.with(ChannelArg::Estimate),
            Measure::Iterations | Measure::LongIterations | Measure::Smooth | Measure::Fraction => {
                both
            }
        }
    }
}

pub(super) fn outputs(paths: &[PathBuf], wanted: &Wanted) -> Result<Vec<Output>, PlanError> {
    let default = [PathBuf::from("mandelbrot.png")];
    let paths = if paths.is_empty() { &default } else { paths };
    let mut outputs: Vec<Output> = Vec::new();
    for path in paths {
        if (outputs.iter()).any(|other| FileId::of(&other.path) == FileId::of(path)) {
            return Err(PlanError::Twice(path.clone()));
        }
        outputs.push(Output {
            kind: kind(path, wanted)?,
            path: path.clone(),
        });
    }
    Ok(outputs)
}

fn kind(path: &Path, wanted: &Wanted) -> Result<OutputKind, PlanError> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("png") => Ok(OutputKind::Png),
        Some("npy") => Ok(OutputKind::Npy(wanted.measure)),
        Some("exr") => Ok(OutputKind::Exr(wanted.channels())),
        Some("kfr") => Ok(OutputKind::Location(Format::Kfr)),
        Some("toml") => Ok(OutputKind::Location(Format::Own)),
        _ => Err(PlanError::Extension(path.to_owned())),
    }
}

impl OutputKind {
    /// The measures of `frame` that it is made from, coloured so.
    pub fn measures(self, frame: &FrameSpec, colours: &Scheme) -> MeasureSet {
        let none = MeasureSet::default();
        match self {
            Self::Location(_) => none,
            Self::Png => colours.measures(),
            Self::Npy(measure) => none.with(frame.carrier(measure)),
            Self::Exr(channels) => channels.iter().fold(none, |set, channel| match channel {
                ChannelArg::Count => set.with(frame.carrier(Measure::Iterations)),
                ChannelArg::Fraction => set.with(Measure::Fraction),
                ChannelArg::Phase => set.with(Measure::Phase),
                ChannelArg::Estimate => set.with(Measure::Distance).with(Measure::Direction),
                ChannelArg::Distance => set.with(Measure::Distance),
                ChannelArg::Stability => set.with(Measure::Stability),
                ChannelArg::Colours => colours.measures().iter().fold(set, MeasureSet::with),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::planned;
    use fractal::BackendChoice;

    fn measures(line: &str) -> Vec<Measure> {
        planned(line).unwrap().frame.measures.iter().collect()
    }

    #[test]
    fn a_job_asks_for_the_measures_its_files_need() {
        assert_eq!(
            measures("-o a.PNG -o b.npy -o c.exr --measure stability"),
            [
                Measure::Iterations,
                Measure::Smooth,
                Measure::Stability,
                Measure::Fraction
            ]
        );
        assert_eq!(
            measures("-o a.exr --channels n,t"),
            [Measure::Iterations, Measure::Phase]
        );
        assert_eq!(
            measures("-o a.exr --channels NF,RGB --colour distance --light 90"),
            [Measure::Smooth, Measure::Distance, Measure::Fraction]
        );
        assert_eq!(
            measures("-o a.exr --channels DE --iterations 9007199254740992"),
            [Measure::Distance, Measure::Direction]
        );
        assert_eq!(
            measures("-o a.exr --iterations 9007199254740992"),
            [Measure::Fraction, Measure::LongIterations]
        );
    }

    #[test]
    fn an_exr_holds_the_same_in_any_company() {
        let planned_alone = planned("-o a.exr --measure distance").unwrap();
        let (alone, frame) = (planned_alone.outputs[0].clone(), planned_alone.frame);
        let colours = planned_alone.colours;
        let among = planned("-o a.exr -o b.npy -o c.png --measure distance").unwrap();
        assert_eq!(alone, among.outputs[0]);
        let measures: Vec<_> = alone.kind.measures(&frame, &colours).iter().collect();
        let expected = [Measure::Iterations, Measure::Distance, Measure::Fraction];
        assert_eq!(measures, expected);
    }

    #[test]
    fn one_file_under_two_names_is_given_twice() {
        let twice = planned("-o a.png -o ./a.png").unwrap_err();
        assert_eq!(twice.to_string(), "-o ./a.png: given twice");
    }

    #[test]
    fn adapters_alone_are_not_asked_for_what_they_lack() {
        for line in ["-o a.exr --channels T", "-o a.npy --measure direction"] {
            let says = planned(&format!("{line} --backend gpu")).unwrap_err();
            assert!(says.to_string().contains("--backend gpu"), "{says}");
            // Left to choose, it is the processors' from the start, and that is said.
            let plan = planned(line).unwrap();
            assert_eq!(plan.backend, BackendChoice::Cpu);
            assert!(plan.warnings[0].contains("no adapter"), "{line}");
            let asked = planned(&format!("{line} --backend cpu")).unwrap();
            assert!(asked.warnings.is_empty(), "{line}");
        }
        let long = "-o a.npy --measure iterations --iterations 9007199254740992";
        assert_eq!(planned(long).unwrap().backend, BackendChoice::Cpu);
        assert!(planned(&format!("{long} --backend gpu")).is_err());
        let any = planned("-o a.exr --channels N,NF,distance,RGB").unwrap();
        assert_eq!((any.backend, any.warnings.len()), (BackendChoice::Auto, 0));
        planned("-o a.exr --channels N,NF,distance --backend gpu").unwrap();
    }
}
