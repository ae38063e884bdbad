//! Files to write: what the name of each says that it holds, and which measures that takes.

use std::path::{Path, PathBuf};

use disk::FileId;
use fractal::Measure;
use locations::Format;
use pictures::{Channel, Channels, ColourFormat};
use render::plan::{Output, OutputKind};

use super::refused::PlanError;
use super::usual;

/// What the options about files say.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The measure of .npy.
    pub(super) measure: Measure,
    /// The channels of .exr; as `measure` says where it is empty.
    pub(super) channels: Vec<Channel>,
}

impl Wanted {
    fn channels(&self) -> Channels {
        if !self.channels.is_empty() {
            return self.channels.clone().into();
        }
        let both = Channels::default()
            .with(Channel::Count)
            .with(Channel::Fraction);
        match self.measure {
            Measure::Distance => both.with(Channel::Distance),
            Measure::Stability => both.with(Channel::Stability),
            Measure::Phase => both.with(Channel::Phase),
            Measure::Direction => both.with(Channel::Estimate),
            Measure::Iterations | Measure::LongIterations | Measure::Smooth | Measure::Fraction => {
                both
            }
        }
    }
}

pub(super) fn outputs(
    paths: &[PathBuf],
    keeps: bool,
    wanted: &Wanted,
) -> Result<Vec<Output>, PlanError> {
    let default = [PathBuf::from(usual::OUTPUT)];
    let paths = if paths.is_empty() && !keeps {
        &default
    } else {
        paths
    };
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
        Some("npy") => Ok(OutputKind::Npy(wanted.measure)),
        Some("exr") => Ok(OutputKind::Exr(wanted.channels())),
        Some("kfr") => Ok(OutputKind::Location(Format::Kfr)),
        Some("toml") => Ok(OutputKind::Location(Format::Own)),
        _ => ColourFormat::of(path)
            .map(OutputKind::Colours)
            .ok_or_else(|| PlanError::Extension(path.to_owned())),
    }
}

/// Whether the formats of all files hold a picture of so many columns and rows of pixels.
pub(crate) fn check(outputs: &[Output], size: (u32, u32)) -> Result<(), PlanError> {
    outputs.iter().try_for_each(|output| match output.kind {
        OutputKind::Colours(ColourFormat::Image(format)) => {
            format.check(size).map_err(|reason| PlanError::TooLarge {
                path: output.path.clone(),
                reason,
            })
        }
        _ => Ok(()),
    })
}
