//! Files: each is written beside its place by a thread of its own, strip by strip as they leave the
//! assembly, and renamed when it is whole.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use colour::Scheme;
use disk::{PendingFile, WriteError};
use farm_worker::Fault;
use fractal::{Counts, FrameSpec, StripBuffer};
use locations::Location;
use pictures::painted::Paint;
use pictures::rows::{StripRows, spooled_bytes};
use pictures::{Channel, ColourPicture, Compression, SettlingSoFar, Texts, exr, npy};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::error::{CollectError, CutOff, RenderError, is_cut_off};
use crate::picture::Picture;
use crate::plan::{Output, OutputKind};
use crate::report::OutputReport;

/// Strips that may wait for one file.
const QUEUED_STRIPS: usize = 4;
/// Bytes collected before they go to the disk.
pub const FILE_BUFFER: usize = 1 << 20;

/// The thread that keeps the picture in memory.
const KEEPER: &str = "the thread that keeps the picture";

/// The strips of a picture in order, and how long the file spent on them.
struct QueuedStrips {
    receiver: Receiver<Arc<StripBuffer>>,
    rows_left: u32,
    waited: Duration,
    settling: Arc<SettlingSoFar>,
}

impl QueuedStrips {
    /// Those of `frame`, and where they are handed to.
    fn channel(frame: &FrameSpec) -> (Sender<Arc<StripBuffer>>, Self) {
        let (sender, receiver) = channel(QUEUED_STRIPS);
        let strips = Self {
            receiver,
            rows_left: frame.height,
            waited: Duration::ZERO,
            settling: Arc::default(),
        };
        (sender, strips)
    }
}

impl Iterator for QueuedStrips {
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
            return Some(Err(io::Error::other(CutOff)));
        };
        self.rows_left -= strip.strip.rows;
        self.settling.add(strip.settling);
        Some(Ok(strip))
    }
}

/// A file on its way.
struct Writer {
    path: PathBuf,
    sender: Sender<Arc<StripBuffer>>,
    thread: JoinHandle<io::Result<(PendingFile, Duration)>>,
}

/// A file that is whole but not yet in its place.
pub struct Written {
    file: PendingFile,
    /// Seconds that its thread worked, not counting waits for strips.
    pub busy_secs: f64,
}

/// What all files of a picture are made with.
#[derive(Clone)]
pub struct Contents {
    /// What is computed.
    pub frame: Arc<FrameSpec>,
    /// What makes it again.
    pub location: Arc<Location>,
    /// Colours of pictures.
    pub colours: Arc<Scheme>,
    /// Values at the palette's ends.
    pub range: (f64, f64),
    /// How hard pictures are compressed.
    pub compression: Compression,
}

/// Where a file goes, made sure of before any work starts.
#[derive(Debug)]
pub struct Reserved {
    output: Output,
    file: PendingFile,
}

impl Reserved {
    /// Makes sure that `output` can be written: a file beside its place, and space for it.
    ///
    /// # Errors
    /// One line about what is in the way.
    pub fn new(output: &Output, frame: &FrameSpec, colours: &Scheme) -> Result<Self, WriteError> {
        Self::with_space(output, output.kind.least_bytes(frame, colours))
    }

    /// The same for at least so many bytes.
    ///
    /// # Errors
    /// One line about what is in the way.
    pub fn with_space(output: &Output, least_bytes: u64) -> Result<Self, WriteError> {
        Ok(Self {
            output: output.clone(),
            file: PendingFile::new(&output.path, least_bytes)?,
        })
    }

    /// Writes it on this thread, with the file and its folder, and puts it in its place.
    ///
    /// # Errors
    /// What went wrong on the way; nothing is left of the file then.
    pub fn write(
        self,
        write: impl FnOnce(&std::fs::File, &Path) -> io::Result<()>,
    ) -> Result<PathBuf, WriteError> {
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
    fn start(self, contents: Contents) -> Result<Writer, WriteError> {
        let Self {
            output: Output { path, kind },
            file,
        } = self;
        let (sender, strips) = QueuedStrips::channel(&contents.frame);
        let thread = std::thread::Builder::new()
            .name(format!(
                "write-{}",
                path.extension().unwrap_or_default().to_string_lossy()
            ))
            .spawn(move || write(kind, &contents, file, strips))
            .map_err(|source| WriteError::Create {
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

/// The places of `outputs`, made sure of before any work starts.
///
/// # Errors
/// One line about what is in the way of one.
pub fn reserve(
    outputs: &[Output],
    frame: &FrameSpec,
    colours: &Scheme,
) -> Result<Vec<Reserved>, WriteError> {
    let outputs = outputs.iter();
    outputs
        .map(|output| Reserved::new(output, frame, colours))
        .collect()
}

impl OutputKind {
    /// Bytes of the disk that the file takes at least on its way, where that is known before its pixels are.
    fn least_bytes(self, frame: &FrameSpec, colours: &Scheme) -> u64 {
        match self {
            Self::Npy(measure) => npy::write::file_bytes(frame, measure),
            Self::Colours(_) => spooled_bytes((frame.width, frame.height), colours),
            Self::Exr(channels) if channels.contains(Channel::Colours) => {
                let size = (frame.width, frame.height);
                match spooled_bytes(size, colours) {
                    0 => 0,
                    values => values + exr::write::data_bytes(frame, channels),
                }
            }
            Self::Exr(_) | Self::Location(_) => 0,
        }
    }
}

fn write(
    kind: OutputKind,
    contents: &Contents,
    file: PendingFile,
    mut strips: QueuedStrips,
) -> io::Result<(PendingFile, Duration)> {
    let started = Instant::now();
    let settling = Arc::clone(&strips.settling);
    let is_settled = contents.frame.counts == Counts::Settled;
    let texts = Texts {
        settling: is_settled.then(|| Arc::clone(&settling)),
        ..contents.location.texts()
    };
    {
        let folder = file.folder();
        let mut out = BufWriter::with_capacity(FILE_BUFFER, file.file());
        match kind {
            OutputKind::Location(format) => {
                // It is whole with the others, or not at all.
                strips.by_ref().try_for_each(|strip| strip.map(drop))?;
                let location = Location {
                    settling: is_settled.then(|| settling.get()),
                    ..(*contents.location).clone()
                };
                let text = location.text_as(format).map_err(io::Error::other)?;
                out.write_all(text.as_bytes())?;
            }
            OutputKind::Npy(measure) => {
                npy::write::write(&mut out, &contents.frame, measure, &mut strips)?;
            }
            OutputKind::Colours(format) => {
                let picture = ColourPicture {
                    format,
                    samples: (contents.frame.width, contents.frame.height),
                    colours: &contents.colours,
                    range: contents.range,
                    compression: contents.compression,
                    texts: Some(&texts),
                    folder,
                };
                let mut rows = StripRows::new(&mut strips, &contents.colours);
                picture.write(&mut out, &mut rows)?;
            }
            OutputKind::Exr(channels) => {
                let paint = Paint {
                    colours: &contents.colours,
                    range: contents.range,
                    folder,
                };
                let frame = &contents.frame;
                exr::write::write(&mut out, frame, channels, &texts, &paint, &mut strips)?;
            }
        }
        out.flush()?;
        if matches!(kind, OutputKind::Exr(_)) {
            exr::attributes::settle(file.file(), texts.tail())?;
        }
    }
    // Not synced: a full disk has said so by now, and the system writes back at its own pace, as after `cp`.
    Ok((file, started.elapsed().saturating_sub(strips.waited)))
}

/// All files of a picture on their way, and the picture in memory where it is kept there.
pub struct Files {
    contents: Contents,
    outputs: Vec<Output>,
    writers: Vec<Writer>,
    keeper: Option<Keeper>,
}

/// What becomes of a picture's files, and what is kept of it in memory.
pub struct Finished {
    /// The files that are whole, or why one is not.
    pub files: Vec<Result<Written, WriteError>>,
    /// The picture, where it was to be kept and all of it came; or that the thread that keeps it panicked.
    pub picture: Result<Option<Picture>, Fault>,
}

impl Finished {
    /// Puts the files in their places, when all is well with all of them, and with the picture.
    ///
    /// # Errors
    /// Why there is no picture; nothing is left of its files then.
    pub fn publish(
        self,
        collected: Result<(), CollectError>,
    ) -> Result<(Vec<OutputReport>, Option<Picture>), RenderError> {
        let ended_early = match collected {
            Ok(()) => None,
            // The file says better what is wrong with it.
            Err(error @ CollectError::Output) => Some(error),
            Err(error) => return Err(error.into()),
        };
        let picture = self.picture?;
        let (written, mut failed): (Vec<_>, Vec<_>) =
            self.files.into_iter().partition(Result::is_ok);
        // One that failed by itself says more than those that were cut off by it.
        failed.sort_by_key(|file| file.as_ref().err().is_some_and(is_cut_off));
        if let Some(Err(error)) = failed.into_iter().next() {
            return Err(error.into());
        }
        if let Some(error) = ended_early {
            return Err(error.into());
        }
        let mut outputs = Vec::new();
        for file in written.into_iter().flatten() {
            let busy_secs = file.busy_secs;
            let (path, bytes) = file.publish()?;
            outputs.push(OutputReport {
                path: path.to_string_lossy().into_owned(),
                bytes,
                busy_secs,
            });
        }
        Ok((outputs, picture))
    }
}

/// A picture that comes together in memory.
struct Keeper {
    sender: Sender<Arc<StripBuffer>>,
    thread: JoinHandle<Option<Picture>>,
}

impl Keeper {
    fn start(frame: &Arc<FrameSpec>) -> Result<Self, WriteError> {
        let (sender, strips) = QueuedStrips::channel(frame);
        let frame = Arc::clone(frame);
        let thread = std::thread::Builder::new()
            .name("keep-picture".into())
            .spawn(move || Picture::gather(&frame, strips).ok())
            .map_err(|source| WriteError::Create {
                path: "memory".into(),
                source,
            })?;
        Ok(Self { sender, thread })
    }

    /// The picture, where all of it came.
    ///
    /// # Errors
    /// When its thread panicked.
    fn finish(self) -> Result<Option<Picture>, Fault> {
        drop(self.sender);
        (self.thread.join()).map_err(|panic| Fault::of_thread(KEEPER, &*panic))
    }
}

impl Files {
    /// Starts a thread a file, and one that `keeps` the picture in memory.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn start(
        reserved: Vec<Reserved>,
        keeps: bool,
        contents: Contents,
    ) -> Result<Self, WriteError> {
        let keeper = keeps.then(|| Keeper::start(&contents.frame)).transpose()?;
        let outputs = reserved.iter().map(|place| place.output.clone()).collect();
        let mut files = Self {
            contents,
            outputs,
            writers: Vec::new(),
            keeper,
        };
        for place in reserved {
            match place.start(files.contents.clone()) {
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
    pub fn restart(&mut self) -> Result<(), WriteError> {
        for writer in std::mem::take(&mut self.writers) {
            // It was not finished, and says so.
            let _ = writer.finish();
        }
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.finish();
            self.keeper = Some(Keeper::start(&self.contents.frame)?);
        }
        for place in reserve(&self.outputs, &self.contents.frame, &self.contents.colours)? {
            self.writers.push(place.start(self.contents.clone())?);
        }
        Ok(())
    }

    /// Where strips are handed to, in order: each to all of these. One that is closed has ended early:
    /// [`Files::finish`] says why.
    pub fn senders(&self) -> Vec<Sender<Arc<StripBuffer>>> {
        let senders = self.writers.iter().map(|writer| &writer.sender);
        let keeper = self.keeper.iter().map(|keeper| &keeper.sender);
        senders.chain(keeper).cloned().collect()
    }

    /// Waits until all files are whole, or have failed.
    pub fn finish(self) -> Finished {
        Finished {
            files: self.writers.into_iter().map(Writer::finish).collect(),
            picture: self.keeper.map_or(Ok(None), Keeper::finish),
        }
    }
}

impl Writer {
    /// Waits until the file is whole.
    ///
    /// # Errors
    /// What went wrong on the way; nothing is left of the file then.
    fn finish(self) -> Result<Written, WriteError> {
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
            Err(source) => Err(WriteError::Write { path, source }),
        }
    }
}

impl Written {
    /// Puts the file in its place, over whatever was there; its name and its bytes.
    ///
    /// # Errors
    /// When the rename fails; nothing is left of the file then.
    pub fn publish(self) -> Result<(PathBuf, u64), WriteError> {
        let path = self.file.named().to_owned();
        Ok((path, self.file.publish()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::plans::plan;

    #[test]
    fn a_picture_whose_thread_panics_is_no_success() {
        let mut plan = plan(&[]);
        // More bytes than a picture can have.
        (plan.frame.width, plan.frame.height) = (u32::MAX, u32::MAX);
        let contents = Contents {
            location: Arc::new(plan.location(None)),
            frame: Arc::new(plan.frame),
            colours: Arc::new(plan.colours),
            range: (0.0, 1.0),
            compression: plan.compression,
        };
        for collected in [Ok(()), Err(CollectError::Output)] {
            let files = Files::start(Vec::new(), true, contents.clone()).unwrap();
            let error = files.finish().publish(collected).unwrap_err();
            assert!(matches!(error, RenderError::Fault(_)), "{error}");
            assert!(error.to_string().starts_with(KEEPER), "{error}");
        }
    }

    #[test]
    fn what_ended_early_without_saying_why_is_no_success() {
        let finished = Finished {
            files: Vec::new(),
            picture: Ok(None),
        };
        let error = finished.publish(Err(CollectError::Output)).unwrap_err();
        assert!(matches!(error, RenderError::Collect(CollectError::Output)));
    }
}
