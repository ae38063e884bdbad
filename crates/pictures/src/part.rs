//! Parts of a data file: what readers of each format give.

use std::io;

use fractal::Measure;

/// What is wrong with a file's inside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Malformed(String),
}

/// What is read of each pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What is coloured.
    pub(crate) measure: Measure,
    /// Whether the smooth count is wanted beside it, for the relief.
    pub(crate) is_lit: bool,
}

/// Values of some whole rows, and of smooth counts where they are wanted.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Its first row.
    pub(crate) row: u32,
    pub(crate) values: Vec<f32>,
    pub(crate) smooth: Option<Vec<f32>>,
}
