//! Files: each is written beside its place by a thread of its own, strip by strip as they leave the
//! assembly, and renamed when it is whole.

mod attributes;
mod beside;
mod chunks;
pub mod contents;
mod exr;
mod leftovers;
mod npy;
pub mod numbers;
mod painted;
mod png;
pub mod rows;
pub mod texts;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use farm_worker::Fault;
use fractal::{FrameSpec, StripBuffer};
pub use png::Picture;
use tokio::sync::mpsc::{Receiver, Sender, channel};

pub use beside::{Beside, write_whole};
pub use leftovers::remove_own;

use crate::cli::CompressionArg;
use crate::cli::files::ChannelArg;
use crate::colour::{Depth, Needs, Scheme};
use crate::location::{Format, KEYWORD, Location};
use crate::plan::{Output, OutputKind};

/// Strips that may wait for one file.
const QUEUED_STRIPS: usize = 4;
/// Bytes collected before they go to the disk.
pub const FILE_BUFFER: usize = 1 << 20;
/// Bytes of a disk that a picture leaves free.
const SPARE: u64 = 1 << 20;

/// Who made a picture, as pictures say it.
const SOFTWARE: &str = concat!("Mandelfarm ", env!("CARGO_PKG_VERSION"));

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The place is a directory.
    #[error("{}: is a directory; name a file", .0.display())]
    Directory(PathBuf),
    /// The place is taken by something else than a file.
    #[error("{}: is no regular file; name another", .0.display())]
    Special(PathBuf),
    /// Not even a file beside it could be made.
    #[error("{}: cannot be written", path.display())]
    Create {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk has not enough space left for it.
    #[error("{}: needs {need} MB and its disk has {free} MB free", path.display())]
    Space {
        /// Where.
        path: PathBuf,
        /// Megabytes needed.
        need: u64,
        /// Megabytes free.
        free: u64,
    },
    /// Writing failed on the way.
    #[error("{}: writing failed", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The strips of a picture in order, and how long the file spent on them.
pub(crate) struct Strips {
    receiver: Receiver<Arc<StripBuffer>>,
    rows_left: u32,
    waited: Duration,
}

impl Iterator for Strips {
    type Item = io::Result<Arc<StripBuffer>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rows_left == 0 {
            return None;
        }
        let asked = Instant::now();
        let strip = self.receiver.blocking_recv();
        self.waited += asked.elapsed();
        // The sender is dropped early when the render failed or was interrupted.
        let Some(strip) = strip else {
            return Some(Err(io::Error::other("the picture was not finished")));
        };
        self.rows_left -= strip.strip.rows;
        Some(Ok(strip))
    }
}

/// A file on its way.
struct Writer {
    path: PathBuf,
    sender: Sender<Arc<StripBuffer>>,
    thread: JoinHandle<io::Result<(Beside, Duration)>>,
}

/// A file that is whole but not yet in its place.
pub struct Written {
    file: Beside,
    /// Seconds that its thread worked, not counting waits for strips.
    pub busy_secs: f64,
}

/// What pictures say of themselves.
#[derive(Clone, Debug)]
pub struct About {
    own: String,
    kfr: String,
}

impl About {
    /// Names of the texts: our own, and that of Kalles Fraktaler, which looks for it in OpenEXR files.
    pub const NAMES: [&str; 2] = [KEYWORD, "KallesFraktaler2+"];

    /// Of a picture that `location` describes.
    #[must_use]
    pub fn new(location: &Location) -> Self {
        Self {
            own: location.text(),
            kfr: location.kfr(),
        }
    }

    /// The place alone, as a file.
    #[must_use]
    pub fn text(&self, format: Format) -> &str {
        match format {
            Format::Kfr => &self.kfr,
            Format::Own | Format::Fraktaler3 | Format::RustFractal => &self.own,
        }
    }

    /// Texts by their names: what makes the picture again, and the place for other programs.
    fn texts(&self) -> [(&'static str, &str); 2] {
        let [own, kfr] = Self::NAMES;
        [(own, &self.own), (kfr, &self.kfr)]
    }
}

/// What all files of a picture are made with.
#[derive(Clone)]
pub struct Job {
    /// What is computed.
    pub frame: Arc<FrameSpec>,
    /// What pictures say of themselves.
    pub about: Arc<About>,
    /// Colours of PNGs.
    pub colours: Arc<Scheme>,
    /// Values at the palette's ends.
    pub range: (f64, f64),
    /// Compression of PNGs.
    pub compression: CompressionArg,
}

/// Where a file goes, made sure of before any work starts.
#[derive(Debug)]
pub struct Reserved {
    output: Output,
    file: Beside,
}

impl Reserved {
    /// Makes sure that `output` can be written: a file beside its place, and space for it.
    ///
    /// # Errors
    /// One line about what is in the way.
    pub fn new(output: &Output, frame: &FrameSpec, colours: &Scheme) -> Result<Self, OutputError> {
        Self::with_space(output, output.kind.least_bytes(frame, colours))
    }

    /// The same for at least so many bytes.
    ///
    /// # Errors
    /// One line about what is in the way.
    pub fn with_space(output: &Output, least_bytes: u64) -> Result<Self, OutputError> {
        Ok(Self {
            output: output.clone(),
            file: Beside::new(&output.path, least_bytes)?,
        })
    }

    /// Writes it on this thread, with the file and its folder, and puts it in its place.
    ///
    /// # Errors
    /// What went wrong on the way; nothing is left of the file then.
    pub fn write(
        self,
        write: impl FnOnce(&std::fs::File, &Path) -> io::Result<()>,
    ) -> Result<PathBuf, OutputError> {
        let Self { output, file } = self;
        match write(file.file(), file.folder()) {
            Ok(()) => file.publish().map(|_| output.path),
            Err(source) => Err(file.failed(source)),
        }
    }

    /// Starts its thread.
    ///
    /// # Errors
    /// When no thread can be started.
    fn start(self, job: Job) -> Result<Writer, OutputError> {
        let Self {
            output: Output { path, kind },
            file,
        } = self;
        let (sender, receiver) = channel(QUEUED_STRIPS);
        let strips = Strips {
            receiver,
            rows_left: job.frame.height,
            waited: Duration::ZERO,
        };
        let thread = std::thread::Builder::new()
            .name(format!(
                "write-{}",
                path.extension().unwrap_or_default().to_string_lossy()
            ))
            .spawn(move || write(kind, &job, file, strips))
            .map_err(|source| OutputError::Create {
                path: path.clone(),
                source,
            })?;
        Ok(Writer {
            path,
            sender,
            thread,
        })
    }
}

/// A picture of so many bits a channel as a PNG; of 16, the higher byte is first.
///
/// # Errors
/// When the pixels are not as many as `size` says.
pub fn picture(
    size: (u32, u32),
    depth: Depth,
    rgb: &[u8],
    compression: CompressionArg,
) -> io::Result<Vec<u8>> {
    png::whole(size, depth, rgb, compression)
}

/// The single-precision values of a picture in the bytes of an `.npy` file; `None` where they are something else.
#[must_use]
pub fn singles(npy: &[u8], size: (u32, u32)) -> Option<Vec<f32>> {
    npy::singles(npy, size)
}

/// Bytes of the disk that values of `samples` columns and rows wait in, where colours are known only with the last of
/// them.
#[must_use]
pub fn spooled_bytes((width, height): (u32, u32), colours: &Scheme) -> u64 {
    if colours.needs() != Needs::Ranks {
        return 0;
    }
    let planes = if colours.light.is_some() { 2 } else { 1 };
    u64::from(width) * u64::from(height) * planes * size_of::<f32>() as u64
}

/// Whether a file begins as a picture that carries texts.
#[must_use]
pub fn is_picture(path: &Path) -> bool {
    texts::Picture::of(path).is_ok_and(|kind| kind.is_some())
}

fn without_measure() -> io::Error {
    io::Error::other("a strip came without a measure")
}

/// What the system said, without the name of the unfinished file that `tempfile` adds to it.
fn plain(error: io::Error) -> io::Error {
    let said = error.to_string();
    match said.split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause.to_owned()),
        None => error,
    }
}

impl OutputKind {
    /// Bytes of the disk that the file takes at least on its way, where that is known before its pixels are.
    fn least_bytes(self, frame: &FrameSpec, colours: &Scheme) -> u64 {
        match self {
            Self::Npy(measure) => {
                npy::HEADER_BYTES as u64 + frame.pixels() * frame.carrier(measure).bytes() as u64
            }
            Self::Png => spooled_bytes((frame.width, frame.height), colours),
            Self::Exr(channels) if channels.contains(ChannelArg::Colours) => {
                let size = (frame.width, frame.height);
                match spooled_bytes(size, colours) {
                    0 => 0,
                    values => values + exr::data_bytes(frame, channels),
                }
            }
            Self::Exr(_) | Self::Location(_) => 0,
        }
    }
}

fn write(
    kind: OutputKind,
    job: &Job,
    file: Beside,
    mut strips: Strips,
) -> io::Result<(Beside, Duration)> {
    let started = Instant::now();
    {
        let folder = file.folder();
        let mut out = BufWriter::with_capacity(FILE_BUFFER, file.file());
        match kind {
            OutputKind::Location(format) => {
                out.write_all(job.about.text(format).as_bytes())?;
                // It is whole with the others, or not at all.
                strips.by_ref().try_for_each(|strip| strip.map(drop))?;
            }
            OutputKind::Npy(measure) => npy::write(&mut out, &job.frame, measure, &mut strips)?,
            OutputKind::Png => {
                let picture = png::Picture {
                    samples: (job.frame.width, job.frame.height),
                    colours: &job.colours,
                    range: job.range,
                    compression: job.compression,
                    about: Some(&job.about),
                    folder,
                };
                let mut rows = rows::StripRows::new(&mut strips, &job.colours);
                picture.write(&mut out, &mut rows)?;
            }
            OutputKind::Exr(channels) => {
                let paint = painted::Paint {
                    colours: &job.colours,
                    range: job.range,
                    folder,
                };
                let (frame, about) = (&job.frame, &job.about);
                exr::write(&mut out, frame, channels, about, &paint, &mut strips)?;
            }
        }
        out.flush()?;
        if matches!(kind, OutputKind::Exr(_)) {
            attributes::settle(file.file())?;
        }
    }
    // Not synced: a full disk has said so by now, and the system writes back at its own pace, as after `cp`.
    Ok((file, started.elapsed().saturating_sub(strips.waited)))
}

/// All files of a picture on their way.
pub struct Files {
    job: Job,
    outputs: Vec<Output>,
    writers: Vec<Writer>,
}

impl Files {
    /// Starts a thread a file.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn start(reserved: Vec<Reserved>, job: Job) -> Result<Self, OutputError> {
        let outputs = reserved.iter().map(|place| place.output.clone()).collect();
        let mut files = Self {
            job,
            outputs,
            writers: Vec::new(),
        };
        for place in reserved {
            match place.start(files.job.clone()) {
                Ok(writer) => files.writers.push(writer),
                Err(error) => {
                    // Their unfinished files go, and are gone when this is known.
                    files.finish();
                    return Err(error);
                }
            }
        }
        Ok(files)
    }

    /// Begins all files again from the first strip; of what they had nothing is left.
    ///
    /// # Errors
    /// When one cannot be begun.
    pub fn restart(&mut self) -> Result<(), OutputError> {
        for writer in std::mem::take(&mut self.writers) {
            // It was not finished, and says so.
            let _ = writer.finish();
        }
        let reserved = self.outputs.iter();
        let reserved =
            reserved.map(|output| Reserved::new(output, &self.job.frame, &self.job.colours));
        for place in reserved.collect::<Result<Vec<_>, _>>()? {
            self.writers.push(place.start(self.job.clone())?);
        }
        Ok(())
    }

    /// Where strips are handed to, in order: each to all of these. One that is closed has ended early:
    /// [`Files::finish`] says why.
    pub fn senders(&self) -> Vec<Sender<Arc<StripBuffer>>> {
        let senders = self.writers.iter();
        senders.map(|writer| writer.sender.clone()).collect()
    }

    /// Waits until all files are whole, or have failed.
    pub fn finish(self) -> Vec<Result<Written, OutputError>> {
        self.writers.into_iter().map(Writer::finish).collect()
    }
}

impl Writer {
    /// Waits until the file is whole.
    ///
    /// # Errors
    /// What went wrong on the way; nothing is left of the file then.
    fn finish(self) -> Result<Written, OutputError> {
        let Self {
            path,
            sender,
            thread,
        } = self;
        drop(sender);
        let ended = thread.join().unwrap_or_else(|panic| {
            let fault = Fault::of_thread("the thread that writes it", &*panic);
            Err(io::Error::other(fault))
        });
        match ended {
            Ok((file, busy)) => Ok(Written {
                file,
                busy_secs: busy.as_secs_f64(),
            }),
            Err(source) => Err(OutputError::Write { path, source }),
        }
    }
}

impl Written {
    /// Puts the file in its place, over whatever was there; its name and its bytes.
    ///
    /// # Errors
    /// When the rename fails; nothing is left of the file then.
    pub fn publish(self) -> Result<(PathBuf, u64), OutputError> {
        let path = self.file.named().to_owned();
        Ok((path, self.file.publish()?))
    }
}
