//! A picture from data that were computed before, in other colours.

use render::Deed;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use colour::{Needs, Rows, Scheme};
use disk::WriteError;
use farm_worker::Fault;
use locations::{Location, LocationError};
use pictures::data::{Data, DataError, DataSource};
use pictures::open::is_picture;
use pictures::rows::spooled_bytes;
use pictures::{ColourFormat, ColourPicture, Compression, RowSource, Texts};
use render::Stop;
use render::files::{FILE_BUFFER, Reserved};
use render::plan::{Output, OutputKind};
use render::progress::{Ending, Event, Progress};
use render::stop::aside;
use serde::Serialize;

use crate::error::Error;
use crate::plan::colours::{check_request, scheme};
use crate::plan::outputs;
use crate::plan::palettes::palette_of;
use crate::plan::refused::{ColourError, PlanError};
use crate::request::PaintRequest;

/// How often it is told how far the picture is.
const TICK: Duration = Duration::from_millis(100);

/// By what means a picture is painted.
#[derive(Clone, Debug)]
pub struct PaintMeans {
    /// The data: `.exr`, or `.npy` of one measure.
    pub data: PathBuf,
    /// The picture: `.png`, `.jpg`, `.webp`, `.tiff` or `.avif`.
    pub output: PathBuf,
    /// A palette that is in a file.
    pub palette: Option<String>,
    /// How hard it is compressed.
    pub compression: Compression,
}

/// What was done, for programs.
#[derive(Clone, Debug, Serialize)]
pub struct PaintReport {
    /// Columns of pixels.
    pub width: u32,
    /// Rows of pixels.
    pub height: u32,
    /// Pixels.
    pub pixels: u64,
    /// From the start of the work to the file in its place.
    pub elapsed_secs: f64,
    /// Values at the palette's ends, where it has such; else 0 and 1.
    pub colour_range: (f64, f64),
    /// The colours.
    pub colours: Scheme,
    /// The file.
    pub output: String,
}

/// Paints the data that the means name. `stop` ends it at any time.
///
/// # Errors
/// Why there is no picture; nothing half-written is left of it.
pub fn colours<'a>(
    request: PaintRequest,
    means: PaintMeans,
    progress: &'a dyn Progress,
    stop: &'a Stop,
) -> Deed<'a, Result<PaintReport, Error>> {
    Box::pin(async move {
        let started = Instant::now();
        let Some(format) = ColourFormat::of(&means.output) else {
            return Err(PlanError::Picture(means.output).into());
        };
        let (output, compression) = (means.output.clone(), means.compression);
        let heard = stop.clone();
        let open = move || prepare(&request, &means, format, heard);
        let what = "reading the data";
        let prepared = aside(what, progress, true, stop.interrupts(), open).await??;
        let (work, reserved, warning) = prepared;
        if let Some(warning) = warning {
            progress.tell(Event::Warning(&warning));
        }
        paint_all(&work, (format, compression), reserved, progress).await?;
        let (width, height) = work.data.pixels();
        Ok(PaintReport {
            width,
            height,
            pixels: u64::from(width) * u64::from(height),
            elapsed_secs: started.elapsed().as_secs_f64(),
            colour_range: work.scheme.ends(work.range),
            colours: work.scheme,
            output: output.to_string_lossy().into_owned(),
        })
    })
}

/// Checks what can be known before anything is painted, of data that are there or not yet. Reads a palette's file, and of
/// data in a file the place.
///
/// # Errors
/// The first thing that cannot be.
pub fn check(request: &PaintRequest, means: &PaintMeans, is_there: bool) -> Result<(), PlanError> {
    if ColourFormat::of(&means.output).is_none() {
        return Err(PlanError::Picture(means.output.clone()));
    }
    if is_there && means.data.is_file() {
        let location = Location::read(&means.data).ok();
        return scheme_over(request, means, location.as_ref()).map(drop);
    }
    check_request(&request.colours)?;
    let palette = means.palette.as_deref().map(palette_of).transpose();
    palette.map_err(ColourError::from)?;
    Ok(())
}

/// The colours that are requested, over those that the data carry.
fn scheme_over(
    request: &PaintRequest,
    means: &PaintMeans,
    location: Option<&Location>,
) -> Result<Scheme, PlanError> {
    let own = location.and_then(|place| place.colours.clone());
    let base = own.filter(|_| !request.plain).unwrap_or_default();
    scheme(&request.colours, means.palette.as_deref(), base)
}

/// Looks at the data, and makes sure of the picture's place.
fn prepare(
    request: &PaintRequest,
    means: &PaintMeans,
    format: ColourFormat,
    stop: Stop,
) -> Result<(Work, Reserved, Option<String>), Error> {
    let source = DataSource::of(&means.data)?;
    let (location, warning) = place(&source);
    let scheme = scheme_over(request, means, location.as_ref())?;
    let data = Data::open(source, &scheme)?;
    let samples = data.size();
    let output = Output {
        path: means.output.clone(),
        kind: OutputKind::Colours(format),
    };
    outputs::check(std::slice::from_ref(&output), data.pixels())?;
    let reserved = Reserved::with_space(&output, spooled_bytes(samples, &scheme))?;
    let range = match scheme.needs() {
        Needs::Range => data.range().map_err(|error| data.unreadable(error))?,
        Needs::Ranks | Needs::Nothing => (0.0, 1.0),
    };
    let work = Work {
        data,
        range,
        texts: location.map(|place| texts(place, &scheme, range)),
        far: Arc::default(),
        stop,
        scheme,
    };
    Ok((work, reserved, warning))
}

/// The place that the data tell, where they tell one; and what is to be said of one that is broken.
fn place(source: &DataSource) -> (Option<Location>, Option<String>) {
    match Location::read(source.path()) {
        Ok(location) => (Some(location), None),
        Err(LocationError::Malformed { path, reason }) if is_picture(&path) => {
            let path = source.name().display();
            let warning = format!("{path}: its place and colours are left out: {reason}");
            (None, Some(warning))
        }
        Err(_) => (None, None),
    }
}

/// The place that the data tell, in the new colours.
fn texts(mut location: Location, scheme: &Scheme, range: (f64, f64)) -> Texts {
    let mut colours = scheme.clone();
    if colours.needs() == Needs::Range {
        colours.range = Some(colours.in_pixels(range));
    }
    location.colours = Some(colours);
    location.texts()
}

/// What a picture is made from, and how far it is.
#[derive(Clone)]
struct Work {
    data: Data,
    scheme: Scheme,
    range: (f64, f64),
    texts: Option<Texts>,
    /// Rows of samples that were painted.
    far: Arc<AtomicU64>,
    stop: Stop,
}

impl Work {
    /// What went wrong with the data, on its way through those who write the picture.
    fn unreadable(&self, error: io::Error) -> io::Error {
        io::Error::other(self.data.unreadable(error))
    }
}

/// Paints, and tells how far it is, until it is done or interrupted.
async fn paint_all(
    work: &Work,
    (format, compression): (ColourFormat, Compression),
    reserved: Reserved,
    progress: &dyn Progress,
) -> Result<(), Error> {
    // When it is to stop it removes its file, and is waited for.
    let _hold = work.stop.hold();
    let began = Event::PaintingBegan {
        rows: work.data.size().1,
    };
    let ending = Ending::after(progress, began, Event::PaintingEnded);
    let mut painting = tokio::task::spawn_blocking({
        let work = work.clone();
        move || {
            reserved.write(|file, folder| {
                let picture = ColourPicture {
                    format,
                    samples: work.data.size(),
                    colours: &work.scheme,
                    range: work.range,
                    compression,
                    texts: work.texts.as_ref(),
                    folder,
                };
                let mut out = BufWriter::with_capacity(FILE_BUFFER, file);
                let source = work.data.rows().map_err(|error| work.unreadable(error))?;
                picture.write(
                    &mut out,
                    &mut Watched {
                        source,
                        work: &work,
                    },
                )?;
                out.flush()
            })
        }
    });
    let done = loop {
        tokio::select! {
            done = &mut painting => {
                break done.map_err(|error| Fault::of_task("the thread that paints", error))?;
            }
            () = tokio::time::sleep(TICK) => {
                progress.tell(Event::RowsDone(work.far.load(Ordering::Relaxed)));
            }
        }
    };
    drop(ending);
    match done {
        Err(_) if work.stop.is_requested() => Err(Error::interrupted()),
        Err(WriteError::Write { path, source }) => Err(match source.downcast::<DataError>() {
            // It is not the picture that could not be written.
            Ok(unreadable) => unreadable.into(),
            Err(source) => WriteError::Write { path, source }.into(),
        }),
        done => Ok(done.map(drop)?),
    }
}

/// Rows that are counted, and end when they are no longer wanted.
struct Watched<'a, S> {
    source: S,
    work: &'a Work,
}

impl<S: RowSource> RowSource for Watched<'_, S> {
    fn next_rows(&mut self) -> io::Result<Option<Rows<'_>>> {
        if self.work.stop.is_requested() {
            return Err(io::Error::other("interrupted"));
        }
        let unreadable = |error| self.work.unreadable(error);
        let rows = self.source.next_rows().map_err(unreadable)?;
        if let Some(rows) = &rows {
            let width = u64::from(self.work.data.size().0);
            let count = rows.values.len() as u64 / width;
            self.work.far.fetch_add(count, Ordering::Relaxed);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_found_before_there_are_data() {
        let says = |colours: &str, palette: Option<&str>, output: &str| {
            let request = serde_json::from_str(colours).unwrap();
            let means = PaintMeans {
                data: "not-yet.exr".into(),
                output: output.into(),
                palette: palette.map(str::to_owned),
                compression: Compression::Fast,
            };
            check(&request, &means, false).map_err(|error| error.to_string())
        };
        assert_eq!(says(r#"{"period": 5}"#, None, "a.png"), Ok(()));
        // Whether these go with what the data carry is not known yet.
        assert_eq!(says(r#"{"blend": "oklab"}"#, None, "a.png"), Ok(()));
        for (colours, palette, output, part) in [
            (r#"{"period": 5, "cycles": 2}"#, None, "a.png", "--cycles"),
            (r#"{"blend": "oklap"}"#, None, "a.png", "--blend oklap"),
            ("{}", Some("virdis"), "a.png", "--palette virdis"),
            ("{}", None, "a.npy", "-o a.npy: a picture"),
        ] {
            let error = says(colours, palette, output).unwrap_err();
            assert!(error.contains(part), "{colours}: {error}");
        }
    }
}
