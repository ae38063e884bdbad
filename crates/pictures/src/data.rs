//! Data files, to be painted: rows of values in order from `.exr` and `.npy`, in bounded memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use colour::{Distribution, Scheme, sampled_places, sampled_size};

use crate::part::{Fault, Part, Wanted};
use crate::rows::RowSource;
use crate::{exr, npy};

/// Values that are read before they are wanted, and rows that come together at most: those of a block of EXR.
const AHEAD: (usize, usize) = (2 << 20, 16);

/// Most bytes that are kept of what comes through a pipe: some gigapixels.
const MOST_PIPED: u64 = 64 << 30;

/// Bytes by which a file shows what it is.
const BEGIN_BYTES: usize = 6;

/// Why data cannot be painted, in one line.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It cannot be read, or breaks off.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// It is something else.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// More comes through a pipe than is kept.
    #[error("{}: more than {MOST_PIPED} bytes come through a pipe: give a file", .0.display())]
    TooLong(PathBuf),
    /// Neither its extension nor its beginning says anything.
    #[error("{}: give data as .exr or .npy", .0.display())]
    Extension(PathBuf),
    /// Pixels do not come out even.
    #[error("{}: {width} x {height} samples are no whole number of pixels of {side} x {side}", path.display())]
    Samples {
        /// The file.
        path: PathBuf,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Side of a pixel.
        side: u32,
    },
}

/// Whether a file is there that can be read only once, such as a pipe.
#[must_use]
pub fn is_read_once(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|about| !about.is_file() && !about.is_dir())
}

/// Where data are, which are read more than once: a file, or a copy of what came through a pipe.
#[derive(Clone, Debug)]
pub struct DataSource {
    /// As it was given.
    name: PathBuf,
    /// What is read.
    path: PathBuf,
    /// The copy, which has no name of its own: whatever ends this program, it goes.
    _copy: Option<Arc<File>>,
}

impl DataSource {
    /// That at `path`. A pipe is read to its end.
    ///
    /// # Errors
    /// When a pipe brings no data, is longer than [`MOST_PIPED`], or there is no room for its copy.
    pub fn of(path: &Path) -> Result<Self, DataError> {
        if is_read_once(path) {
            return Self::kept(path);
        }
        Ok(Self {
            name: path.to_owned(),
            path: path.to_owned(),
            _copy: None,
        })
    }

    #[cfg(target_os = "linux")]
    fn kept(path: &Path) -> Result<Self, DataError> {
        use std::os::fd::AsRawFd;

        let unreadable = |source| DataError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut pipe = File::open(path).map_err(unreadable)?;
        // Before anything is kept: what is no data may have no end.
        let mut begin = [0; BEGIN_BYTES];
        match pipe.read_exact(&mut begin) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(unreadable(error));
            }
            _ if Format::beginning(&begin).is_none() => {
                return Err(DataError::Extension(path.to_owned()));
            }
            _ => {}
        }
        let copied = || {
            let mut copy = tempfile::tempfile()?;
            let mut all = (&begin[..]).chain(pipe).take(MOST_PIPED + 1);
            let length = io::copy(&mut all, &mut copy)?;
            Ok((copy, length))
        };
        let (copy, length) = copied().map_err(unreadable)?;
        if length > MOST_PIPED {
            return Err(DataError::TooLong(path.to_owned()));
        }
        Ok(Self {
            name: path.to_owned(),
            path: format!("/proc/self/fd/{}", copy.as_raw_fd()).into(),
            _copy: Some(Arc::new(copy)),
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn kept(path: &Path) -> Result<Self, DataError> {
        // An open file has no path of its own there.
        let reason = "data are read more than once: give a file and no pipe";
        Err(DataError::Unreadable {
            path: path.to_owned(),
            source: io::Error::other(reason),
        })
    }

    /// As it was given.
    #[must_use]
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// What is read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// By its extension, or by how it begins.
    fn format(&self) -> Option<Format> {
        let extension = self.name.extension().unwrap_or_default().to_string_lossy();
        match &*extension.to_ascii_lowercase() {
            "exr" => return Some(Format::Exr),
            "npy" => return Some(Format::Npy),
            _ => {}
        }
        let mut begin = [0; BEGIN_BYTES];
        File::open(&self.path).ok()?.read_exact(&mut begin).ok()?;
        Format::beginning(&begin)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Exr,
    Npy,
}

impl Format {
    /// That of a file which begins so.
    fn beginning(bytes: &[u8; BEGIN_BYTES]) -> Option<Self> {
        if bytes.starts_with(npy::header::MARK) {
            Some(Self::Npy)
        } else if bytes.starts_with(&exr::MARK) {
            Some(Self::Exr)
        } else {
            None
        }
    }
}

/// Data, looked at but not read.
#[derive(Clone, Debug)]
pub struct Data {
    source: DataSource,
    kind: Kind,
    pixels: (u32, u32),
}

#[derive(Clone, Debug)]
enum Kind {
    Exr(exr::read::Layout),
    Npy(npy::read::Layout),
}

impl Kind {
    fn size(&self) -> (u32, u32) {
        match self {
            Self::Exr(layout) => layout.size,
            Self::Npy(layout) => layout.size,
        }
    }
}

impl Data {
    /// Looks at it: whether it holds what `colours` are painted from.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(source: DataSource, colours: &Scheme) -> Result<Self, DataError> {
        let wanted = Wanted {
            measure: colours.measure(),
            is_lit: colours.light.is_some(),
        };
        let path = source.path();
        let kind = match source.format() {
            Some(Format::Exr) => exr::read::Layout::read(path, wanted).map(Kind::Exr),
            Some(Format::Npy) => npy::read::Layout::read(path, wanted).map(Kind::Npy),
            None => return Err(DataError::Extension(source.name)),
        };
        let name = source.name.clone();
        let kind = kind.map_err(|fault| match fault {
            Fault::Io(source) => DataError::Unreadable { path: name, source },
            Fault::Malformed(reason) => DataError::Malformed { path: name, reason },
        })?;
        let (width, height) = kind.size();
        let Some(pixels) = colours.samples.pixels((width, height)) else {
            return Err(DataError::Samples {
                path: source.name,
                width,
                height,
                side: colours.samples.side(),
            });
        };
        Ok(Self {
            source,
            kind,
            pixels,
        })
    }

    /// What went wrong on the way through it.
    #[must_use]
    pub fn unreadable(&self, source: io::Error) -> DataError {
        DataError::Unreadable {
            path: self.source.name.clone(),
            source,
        }
    }

    /// Columns and rows of samples.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        self.kind.size()
    }

    /// Columns and rows of the pixels that samples make up.
    #[must_use]
    pub fn pixels(&self) -> (u32, u32) {
        self.pixels
    }

    /// All of its rows, in order, read ahead by a thread of its own: what is painted does not wait for what is unpacked.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn rows(&self) -> io::Result<impl RowSource + use<>> {
        let (width, height) = self.size();
        let (values, rows) = AHEAD;
        let (sender, parts) = sync_channel((values / (rows * width as usize)).clamp(1, rows));
        let data = self.clone();
        let read = move || match data.parts(None) {
            // When nobody wants more, that is the end.
            Ok(mut parts) => drop(parts.try_for_each(|part| sender.send(part))),
            Err(error) => drop(sender.send(Err(error))),
        };
        let thread = std::thread::Builder::new().name("read-data".into());
        thread.spawn(read)?;
        Ok(Rows {
            parts,
            width: width as usize,
            height,
            next: 0,
            part: Part::default(),
        })
    }

    /// The range of its values that a palette spans, from the samples that a render finds it from.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn range(&self) -> io::Result<(f64, f64)> {
        let (width, height) = self.size();
        let (columns, rows) = sampled_size(width, height);
        let (columns, rows) = (sampled_places(columns, width), sampled_places(rows, height));
        let mut distribution = Distribution::new();
        let mut sample = 0;
        for part in self.parts(Some(rows.clone()))? {
            let part = part?;
            for (row, line) in (part.row..).zip(part.values.chunks_exact(width as usize)) {
                if rows.binary_search(&row).is_ok() {
                    let line: Vec<f32> = columns.iter().map(|at| line[*at as usize]).collect();
                    distribution.add_row(sample, &line);
                    sample += 1;
                }
            }
        }
        Ok(distribution.range())
    }

    /// Its parts in order: all, or at least those with these rows, which are in order.
    fn parts(
        &self,
        rows: Option<Vec<u32>>,
    ) -> io::Result<Box<dyn Iterator<Item = io::Result<Part>>>> {
        Ok(match &self.kind {
            Kind::Exr(layout) => Box::new(exr::read::parts(self.source.path(), layout, rows)?),
            Kind::Npy(layout) => Box::new(npy::read::parts(self.source.path(), layout, rows)?),
        })
    }
}

/// The rows of parts.
struct Rows {
    parts: Receiver<io::Result<Part>>,
    width: usize,
    height: u32,
    next: u32,
    part: Part,
}

impl RowSource for Rows {
    fn next_rows(&mut self) -> io::Result<Option<colour::Rows<'_>>> {
        let missing = |row: u32| io::Error::other(format!("row {row} is missing"));
        self.part = match self.parts.recv() {
            Ok(part) => part?,
            Err(_) if self.next == self.height => return Ok(None),
            Err(_) => return Err(missing(self.next)),
        };
        if self.part.row != self.next {
            return Err(missing(self.next));
        }
        self.next += (self.part.values.len() / self.width) as u32;
        Ok(Some(colour::Rows {
            values: &self.part.values,
            smooth: self.part.smooth.as_deref(),
        }))
    }
}
