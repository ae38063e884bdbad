//! `submitter zoom`: a sequence of frames into a place, from key frames an octave apart.
//!
//! [`make`] computes the key frames that are missing in the [`folder`], through the same jobs as any render;
//! [`assemble`] loads and colours them ([`shade`]), composes frames of those around each ([`held`], [`compose`],
//! [`resample`], [`light`]) at the times that [`timing`] gives, and hands them to a [`sink`]: [`ffmpeg`] (which knows its
//! [`pixels`]) or [`pictures`].
//!
//! Plain key frames, and not exponential maps of the plane (rings of equal angle, one row a step of the logarithm of
//! the radius): for the same number of samples both give frames of the same sharpness, and a plain one is a picture that
//! every kernel, every file format and other programs know. `docs/zoom.md` has the figures.

mod assemble;
mod bar;
mod compose;
pub mod ffmpeg;
pub mod folder;
mod held;
mod light;
mod make;
pub mod pictures;
pub mod pixels;
pub mod rate;
mod report;
mod resample;
pub mod sequence;
mod shade;
pub mod sink;
pub mod timing;

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::Context;
use farm_worker::usage;
use tokio::sync::oneshot;

use crate::cli::world::StageArgs;
use crate::cli::zoom::ZoomArgs;
use crate::collect::CollectError;
use crate::interrupt::{self, doing};
use crate::on_queue::on_queue;
use crate::placing::placing;
use crate::plan;
use crate::plan::zoom::ZoomPlan;
use crate::world::stage::Stage;
use assemble::{Assembled, Assembling};
use bar::SequenceBar;
use ffmpeg::Video;
use folder::{Folder, Record};
use make::{Made, Making, News};
use pictures::Pictures;
pub use report::SequenceReport;
use sink::{Sink, Target};

/// How long threads that nobody waits for any more may take to end.
const LAST_GASP: Duration = Duration::from_secs(5);

/// Does what `args` say.
///
/// # Errors
/// One line about what is in the way.
pub fn run(args: ZoomArgs) -> anyhow::Result<()> {
    let json = args.say.json;
    let report = made(args)?;
    if json {
        let mut line = serde_json::to_vec(&report).context("cannot make the report")?;
        line.push(b'\n');
        crate::to_stdout(&line)?;
    }
    Ok(())
}

/// Makes a sequence, and says how it went.
///
/// # Errors
/// One line about what is in the way.
pub fn made(args: ZoomArgs) -> anyhow::Result<SequenceReport> {
    let quiet = args.say.quiet;
    let runtime = usage::start(&args.log.level, args.log.format, "submitter-io")?;
    let wish = Wish {
        stage: args.stage.clone(),
        redis: args.place.access.redis.clone(),
        workers: args.place.crew.workers,
        quiet,
    };
    let mut plan = plan::zoom::plan(args)?;
    if !quiet {
        for warning in &plan.warnings {
            crate::say(&format!("warning: {warning}"));
        }
        let frames = u64::from(plan.timing.frames);
        if let Target::Pictures(pattern) = &plan.target
            && let Some(beyond) = pattern.beyond(frames)
        {
            crate::say(&format!("warning: of {frames} frames: {beyond} these"));
        }
    }
    // All that can be refused is refused before any work starts.
    if let Some(video) = &mut plan.video {
        ffmpeg::look(video)?;
    }
    let (path, is_kept) = match &plan.folder {
        Some(path) => (path.clone(), true),
        None => (
            make::temporary().context("no folder for key frames")?,
            false,
        ),
    };
    let folder = Arc::new(Folder::open(&path, &plan.sequence, plan.is_temporary)?);
    let report = runtime.block_on(staged(plan, &folder, wish));
    runtime.shutdown_timeout(LAST_GASP);
    let folder = Arc::into_inner(folder);
    let report = match (report, folder) {
        (Ok(report), folder) => {
            if let Some(folder) = folder {
                folder.done();
            }
            report
        }
        (Err(error), Some(folder)) if !is_kept || !folder.holds_any() => {
            // Nothing that the same command could go on with.
            folder.done();
            return Err(error);
        }
        (Err(error), _) => {
            let path = path.display();
            let kept =
                format!("stopped; key frames are kept in {path}, and the same command goes on");
            return Err(error.context(kept));
        }
    };
    if !quiet {
        crate::say(&report.summary());
    }
    Ok(report)
}

/// Where the user wants key frames to be computed.
struct Wish {
    stage: StageArgs,
    redis: Option<String>,
    workers: Option<u16>,
    quiet: bool,
}

/// Makes a sequence in its place: boots the network where there is one, and shuts down what it booted, whatever
/// became of the sequence.
async fn staged(
    mut plan: ZoomPlan,
    folder: &Arc<Folder>,
    wish: Wish,
) -> anyhow::Result<SequenceReport> {
    let started = Instant::now();
    let keys = {
        let _doing = doing("checking key frames that are there", wish.quiet);
        tokio::task::block_in_place(|| make::there(&plan, folder))
    };
    let mut network = None;
    let mut decision = None;
    // Where there is nothing to compute nobody is asked, and nothing boots.
    if keys.iter().any(|(_, record)| record.is_none()) {
        let redis = wish.redis.as_deref();
        let _doing = doing("predicting the work", wish.quiet);
        let predict = || make::predicted(&plan, folder, &keys);
        let found = placing(
            &wish.stage,
            redis,
            wish.workers,
            plan.place.clone(),
            predict,
        )
        .await?;
        (plan.place, network, decision) = (found.place, found.network, found.decision);
    }
    if let Some(decision) = decision.as_ref().filter(|_| !wish.quiet) {
        crate::say(&decision.line());
    }
    let mut interrupt = pin!(interrupt::interrupted());
    // What was booted is shut down again, whatever comes.
    let _hold = interrupt::hold();
    let stage = match network {
        None => None,
        Some((network, workers)) => {
            let place = &mut plan.place;
            Some(Stage::boot(network, place, workers, wish.quiet, interrupt.as_mut()).await?)
        }
    };
    let begun = Begun {
        plan: Arc::new(plan),
        folder,
        keys,
        quiet: wish.quiet,
        started,
    };
    let report = begun.sequence(interrupt).await;
    if let Some(stage) = stage {
        stage.end().await;
    }
    report.map(|report| SequenceReport {
        fallback: decision,
        ..report
    })
}

fn opened(plan: &ZoomPlan) -> anyhow::Result<Sink> {
    Ok(match (&plan.target, &plan.video) {
        (Target::Video(path, container), Some(video)) => {
            Sink::Video(Box::new(Video::start(path, *container, video)?))
        }
        (Target::Pictures(pattern), _) => Sink::Pictures(Pictures::new(
            pattern.clone(),
            plan.size,
            plan.colours.depth,
        )?),
        _ => Sink::Raw,
    })
}

/// A sequence of which nothing can be refused any more.
struct Begun<'a> {
    plan: Arc<ZoomPlan>,
    folder: &'a Arc<Folder>,
    /// Its key frames in order, with the records of those that are there.
    keys: Vec<(u32, Option<Record>)>,
    quiet: bool,
    started: Instant,
}

impl Begun<'_> {
    /// Makes it; `interrupt` stops it at any time.
    async fn sequence(self, interrupt: impl Future<Output = ()>) -> anyhow::Result<SequenceReport> {
        let Self {
            plan,
            folder,
            keys,
            quiet,
            started,
        } = self;
        let plan = &plan;
        tokio::pin!(interrupt);
        let are_made = keys.iter().any(|(_, record)| record.is_none());
        let bar = SequenceBar::new(keys.len() as u32, plan.timing.frames, are_made, quiet);
        // Room for all there is to tell: key frames lie on the disk, whoever is behind.
        let (news, told) = sync_channel::<News>(keys.len() + 1);
        let stop = Arc::new(AtomicBool::new(false));
        let assembling = Assembling {
            plan: Arc::clone(plan),
            folder: Arc::clone(folder),
            bar: bar.clone(),
            stop: Arc::clone(&stop),
        };
        let sink = opened(plan)?;
        let (end, mut ended) = oneshot::channel::<anyhow::Result<Assembled>>();
        std::thread::Builder::new()
            .name("frames".into())
            .spawn(move || {
                let _ = end.send(assembling.run(told, sink));
            })?;
        let mut early = None;
        let made = {
            let ends = async {
                tokio::select! {
                    () = &mut interrupt => CollectError::Interrupted,
                    end = &mut ended => {
                        early = Some(end);
                        CollectError::Output
                    }
                }
            };
            let making = Making {
                plan,
                folder,
                keys,
                news: &news,
                bar: &bar,
                quiet,
            };
            make_keys(making, are_made, ends).await
        };
        drop(news);
        let assembled = match (&made, early) {
            (_, Some(end)) => Ok(end),
            (Ok(_), None) => tokio::select! {
                () = &mut interrupt => Err(CollectError::Interrupted),
                end = &mut ended => Ok(end),
            },
            (Err(_), None) => {
                stop.store(true, Ordering::Relaxed);
                // What is unfinished of the file goes with its thread.
                let end = tokio::time::timeout(LAST_GASP, &mut ended).await;
                match (
                    made.as_ref().err().and_then(|error| error.downcast_ref()),
                    end,
                ) {
                    // The file says better what is wrong with it.
                    (Some(CollectError::Output), Ok(end)) => Ok(end),
                    _ => Err(CollectError::Interrupted),
                }
            }
        };
        bar.clear();
        let assembled = match assembled {
            Ok(end) => end.context("a fault in the program")??,
            Err(interrupted) => {
                stop.store(true, Ordering::Relaxed);
                made?;
                let _ = tokio::time::timeout(LAST_GASP, ended).await;
                return Err(interrupted.into());
            }
        };
        Ok(report(plan, folder, &made?, assembled, started))
    }
}

/// Makes the key frames that are missing: on a queue, where any is.
async fn make_keys(
    making: Making<'_>,
    are_made: bool,
    ends: impl Future<Output = CollectError>,
) -> anyhow::Result<Made> {
    if let (false, Some(values)) = (are_made, making.known_values()) {
        return Ok(making.tell_all(values)?);
    }
    on_queue(
        &making.plan.place,
        making.plan.backend,
        making.quiet,
        ends,
        making,
    )
    .await
}

fn report(
    plan: &ZoomPlan,
    folder: &Folder,
    made: &Made,
    assembled: Assembled,
    started: Instant,
) -> SequenceReport {
    let iterations_keys = assembled
        .records
        .values()
        .map(|record| record.iterations_total)
        .sum();
    let iterations_direct = report::direct(plan, &assembled.records);
    let kept = |path: &Path| path.to_string_lossy().into_owned();
    SequenceReport {
        width: plan.size.0,
        height: plan.size.1,
        frames: plan.timing.frames,
        fps: plan.fps,
        duration_secs: f64::from(plan.timing.frames) / plan.fps,
        octaves: plan.timing.octaves,
        key_frames: assembled.records.len() as u32,
        key_frames_made: made.reports.len() as u32,
        key_width: plan.sequence.key.0,
        key_height: plan.sequence.key.1,
        iterations_total: made
            .reports
            .iter()
            .map(|report| report.iterations_total)
            .sum(),
        iterations_keys,
        iterations_direct: iterations_direct as u128,
        times_less: iterations_direct / (iterations_keys as f64).max(1.0),
        colour_range: assembled.range,
        composed_fps: f64::from(plan.timing.frames) / assembled.composing.as_secs_f64().max(1e-9),
        elapsed_secs: started.elapsed().as_secs_f64(),
        keys: (!plan.is_temporary).then(|| kept(folder.path())),
        fallback: None,
        output: assembled.output,
    }
}
