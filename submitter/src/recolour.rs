//! `submitter colour`: a picture from data that were computed before, in other colours.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use farm_worker::usage;
use serde::Serialize;

use crate::bar::RowBar;
use crate::cli::colour::RecolourArgs;
use crate::collect::CollectError;
use crate::colour::{Needs, Rows, Scheme};
use crate::input::{Data, InputError, Source};
use crate::interrupt::{doing, interrupted};
use crate::location::{Location, LocationError};
use crate::output::rows::RowSource;
use crate::output::{self, About, FILE_BUFFER, OutputError, Picture, Reserved, spooled_bytes};
use crate::plan::{Output, OutputKind, PlanError, colours};

/// How often the bar is told how far the picture is.
const TICK: Duration = Duration::from_millis(100);

/// What was done, for programs.
#[derive(Debug, Serialize)]
struct Report {
    width: u32,
    height: u32,
    pixels: u64,
    elapsed_secs: f64,
    /// Values at the palette's ends, where it has such; else 0 and 1.
    colour_range: (f64, f64),
    colours: Scheme,
    output: String,
}

/// Does what `args` say.
///
/// # Errors
/// One line.
pub fn run(args: &RecolourArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let is_png = (args.output.extension()).is_some_and(|kind| kind.eq_ignore_ascii_case("png"));
    if !is_png {
        return Err(PlanError::Picture(args.output.clone()).into());
    }
    let source = Source::of(&args.data)?;
    let (location, warning) = place(&source);
    let own = location.as_ref().and_then(|place| place.colours.clone());
    let base = own.filter(|_| !args.plain).unwrap_or_else(colours::plain);
    let scheme = colours::scheme(&args.colours, base).map_err(PlanError::from)?;
    let data = Data::open(source, &scheme)?;
    if let (Some(warning), false) = (warning, args.say.quiet) {
        crate::say(&warning);
    }
    let output = Output {
        path: args.output.clone(),
        kind: OutputKind::Png,
    };
    let reserved = Reserved::with_space(&output, spooled_bytes(data.size(), &scheme))?;
    let range = match scheme.needs() {
        Needs::Range => {
            let _doing = doing("reading the data", args.say.quiet);
            data.range().map_err(|error| data.unreadable(error))?
        }
        Needs::Ranks | Needs::Nothing => (0.0, 1.0),
    };
    let runtime = usage::start("warn", usage::LogFormat::Text, "submitter-io")?;
    let work = Work {
        data,
        range,
        about: location.map(|place| about(place, &scheme, range)),
        far: Arc::default(),
        stop: Arc::default(),
        scheme,
    };
    let (samples, side) = (work.data.size(), work.scheme.samples.side());
    let painted = runtime.block_on(painted(&work, args, reserved));
    let elapsed_secs = started.elapsed().as_secs_f64();
    runtime.shutdown_timeout(Duration::from_secs(1));
    painted?;
    let (width, height) = (samples.0 / side, samples.1 / side);
    let report = Report {
        width,
        height,
        pixels: u64::from(width) * u64::from(height),
        elapsed_secs,
        colour_range: work.scheme.ends(range),
        colours: work.scheme,
        output: args.output.to_string_lossy().into_owned(),
    };
    if args.say.json {
        let line = serde_json::to_string(&report).context("cannot make the report")? + "\n";
        crate::to_stdout(line.as_bytes())?;
    }
    if !args.say.quiet {
        crate::say(&format!(
            "{}: {width} x {height} pixels from {} in {:.1} s",
            report.output,
            args.data.display(),
            report.elapsed_secs
        ));
    }
    Ok(())
}

/// The place that the data tell, where they tell one; and what is to be said of one that is broken.
fn place(source: &Source) -> (Option<Location>, Option<String>) {
    match Location::read(source.path()) {
        Ok(location) => (Some(location), None),
        Err(LocationError::Malformed { path, reason }) if output::is_picture(&path) => {
            let path = source.name().display();
            let warning = format!("warning: {path}: its place and colours are left out: {reason}");
            (None, Some(warning))
        }
        Err(_) => (None, None),
    }
}

/// The place that the data tell, in the new colours.
fn about(mut location: Location, scheme: &Scheme, range: (f64, f64)) -> About {
    let mut colours = scheme.clone();
    if colours.needs() == Needs::Range {
        colours.range = Some(colours.in_pixels(range));
    }
    location.colours = Some(colours);
    About::new(&location)
}

/// What a picture is made from, and how far it is.
#[derive(Clone)]
struct Work {
    data: Data,
    scheme: Scheme,
    range: (f64, f64),
    about: Option<About>,
    /// Rows of samples that were painted.
    far: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Work {
    /// What went wrong with the data, on its way through those who write the picture.
    fn unreadable(&self, error: io::Error) -> io::Error {
        io::Error::other(self.data.unreadable(error))
    }
}

/// Paints, with a bar, until it is done or interrupted.
async fn painted(work: &Work, args: &RecolourArgs, reserved: Reserved) -> anyhow::Result<()> {
    let bar = RowBar::new(work.data.size().1, args.say.quiet);
    let compression = args.compression;
    let mut painting = tokio::task::spawn_blocking({
        let work = work.clone();
        move || {
            reserved.write(|file, folder| {
                let picture = Picture {
                    samples: work.data.size(),
                    colours: &work.scheme,
                    range: work.range,
                    compression,
                    about: work.about.as_ref(),
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
    let interrupt = interrupted();
    tokio::pin!(interrupt);
    let mut is_interrupted = false;
    let done = loop {
        tokio::select! {
            done = &mut painting => break done?,
            // It removes its file, and is waited for.
            () = &mut interrupt, if !is_interrupted => {
                is_interrupted = true;
                work.stop.store(true, Ordering::Relaxed);
            }
            () = tokio::time::sleep(TICK) => bar.come(work.far.load(Ordering::Relaxed)),
        }
    };
    bar.clear();
    match done {
        Err(_) if is_interrupted => Err(CollectError::Interrupted.into()),
        Err(OutputError::Write { path, source }) => Err(match source.downcast::<InputError>() {
            // It is not the picture that could not be written.
            Ok(unreadable) => unreadable.into(),
            Err(source) => OutputError::Write { path, source }.into(),
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
        if self.work.stop.load(Ordering::Relaxed) {
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
