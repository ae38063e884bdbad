//! The renders of a sweep: each number of workers in turn, round by round, so that a machine that slows down slows down
//! all of them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use farm_queue::QueueError;
use farm_queue::redis::control::WorkerSummary;
use farm_queue::redis::{ConnectOptions, RedisControl};
use render::plan::Place;
use render::render::render;
use render::{Event, RenderPlan, Report, Silent};
use requests::perform::picture::plan_picture;
use requests::place::placing::{Placing, serves};
use requests::place::staging::Staged;
use requests::request::means::Fallback;
use tempfile::TempDir;
use xxhash_rust::xxh3::Xxh3;

use super::figures::{self, Sweep, Timed};
use super::processors::{Processors, plural};
use crate::cli::scale::ScaleArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::runs_bar::RunsBar;

/// Strips that each of the most workers has at least, so that the last one to finish does not decide the time.
const STRIPS_EACH: u32 = 16;
/// Bytes of a file that are read at a time.
const CHUNK: usize = 1 << 20;

/// A sweep of which nothing in the arguments can be refused any more.
pub struct Plan {
    counts: Vec<u16>,
    repeat: u16,
    threads: Option<u16>,
    /// The render of every run, but for the number of workers.
    render: RenderPlan,
    /// Where files are that nobody asked for.
    _folder: Option<TempDir>,
}

impl Plan {
    /// The plan of `args`, whose runs write `pictures`, or a file of their own if there are none; and where it runs.
    ///
    /// # Errors
    /// As of a render.
    pub async fn new(
        args: &ScaleArgs,
        pictures: Vec<PathBuf>,
        context: &Context,
    ) -> Result<(Self, Placing), Failure> {
        let (folder, outputs) = if pictures.is_empty() {
            let folder = tempfile::tempdir().context("no folder for pictures")?;
            let file = folder.path().join("picture.npy");
            (Some(folder), vec![file])
        } else {
            (None, pictures)
        };
        let most = args.workers.most();
        let (request, mut means) = args.split(outputs)?;
        // A sweep is about the farm, however small the picture is.
        means.farm.fallback = Some(Fallback::Never);
        let (progress, stop) = (&*context.progress, &context.stop);
        let (mut render, placing) = plan_picture(request, means, progress, stop).await?;
        if args.strip_rows.is_none() {
            let fair = render.strips.height / (STRIPS_EACH * u32::from(most));
            render.strips.strip_rows = render.strips.strip_rows.min(fair).max(1);
        }
        let plan = Self {
            counts: args.workers.all().to_vec(),
            repeat: args.repeat,
            threads: args.threads,
            render,
            _folder: folder,
        };
        Ok((plan, placing))
    }

    /// Runs it in its place, and makes the figures.
    ///
    /// # Errors
    /// When the farm has fewer workers, a render fails, or two pictures are not the same.
    pub async fn run(mut self, placing: Placing, context: &Context) -> Result<Sweep, Failure> {
        let staged = Staged::ready(placing, &*context.progress, &context.stop).await?;
        self.render.place = staged.place.clone();
        let swept = self.sweep(context).await;
        staged.end().await;
        swept
    }

    /// The sweep itself, where there are workers.
    async fn sweep(&mut self, context: &Context) -> Result<Sweep, Failure> {
        for warning in &self.render.warnings {
            context.progress.tell(Event::Warning(warning));
        }
        let most = self.counts.last().copied().unwrap_or(1);
        let processors = self.processors(most).await?;
        let runs = self.counts.len() * usize::from(self.repeat);
        let bar = RunsBar::new(runs as u64 + 1, context.quiet);
        let mut same = Same::default();
        // Untimed: the farm knows the scripts after it, files and devices are warm.
        bar.next("warming up");
        self.render_with(most, context).await?;
        same.check(&self.render, most)?;
        let mut timed: Vec<(u16, Vec<Timed>)> = (self.counts.iter())
            .map(|workers| (*workers, Vec::new()))
            .collect();
        for _ in 0..self.repeat {
            for (workers, runs) in &mut timed {
                bar.next(&format!(
                    "{workers} {}",
                    plural((*workers).into(), "worker")
                ));
                let report = self.render_with(*workers, context).await?;
                same.check(&self.render, *workers)?;
                let names = report.worker_names();
                runs.push(Timed {
                    elapsed_secs: report.elapsed_secs,
                    took_part: names.len(),
                    enough_cores: processors.are_enough(*workers, &names),
                });
            }
        }
        bar.clear();
        let rows = figures::rows(&timed);
        let frame = &self.render.frame;
        Ok(Sweep {
            width: frame.width,
            height: frame.height,
            iterations: frame.iterations,
            strips: self.render.strips.count(),
            processors: processors.describe(),
            repeat: self.repeat,
            same_bytes: same.pictures,
            digests: same.digests(),
            notes: figures::notes(&rows, &processors.describe()),
            rows,
        })
    }

    /// What there is to compute with; settles how many threads each worker of this process has.
    async fn processors(&mut self, most: u16) -> Result<Processors, Failure> {
        match &mut self.render.place {
            Place::InProcess { threads, .. } => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let share = (cores / usize::from(most)).max(1);
                let each = self.threads.map_or(share, usize::from);
                *threads = Some(each);
                Ok(Processors::Here {
                    cores,
                    threads: each,
                })
            }
            Place::Farm { farm, .. } => {
                let workers = serving(farm).await?;
                if workers.len() < usize::from(most) {
                    return Err(Failure::failed(format!(
                        "--workers asks for up to {most}, and the farm has {} {} that would serve",
                        workers.len(),
                        plural(workers.len(), "worker")
                    )));
                }
                Ok(Processors::of(&workers))
            }
        }
    }

    /// One run.
    async fn render_with(&self, count: u16, context: &Context) -> Result<Report, Failure> {
        let mut plan = self.render.clone();
        match &mut plan.place {
            Place::InProcess { workers, .. } => *workers = count,
            Place::Farm { workers, .. } => *workers = Some(count),
        }
        let rendered = render(&plan, None, &Silent, &context.stop).await;
        let rendered = rendered.map_err(|failed| requests::Error::from(failed.error))?;
        Ok(rendered.report)
    }
}

/// The workers of a farm that would be given strips of this build.
async fn serving(farm: &ConnectOptions) -> Result<Vec<WorkerSummary>, QueueError> {
    let control = RedisControl::connect(farm).await?;
    let mut workers = control.workers().await?;
    workers.retain(serves);
    Ok(workers)
}

/// The files of the first run, which all others have to be like.
#[derive(Debug, Default)]
struct Same {
    digests: Vec<u128>,
    pictures: usize,
}

impl Same {
    /// Looks at the files of one more run.
    fn check(&mut self, plan: &RenderPlan, workers: u16) -> Result<(), Failure> {
        let outputs = plan.outputs.iter();
        let digests = outputs
            .map(|output| digest(&output.path))
            .collect::<anyhow::Result<Vec<_>>>()?;
        if self.pictures == 0 {
            self.digests = digests;
        } else if let Some(at) = (0..digests.len()).find(|at| digests[*at] != self.digests[*at]) {
            return Err(Failure::failed(format!(
                "{}: with {workers} {} it has other bytes than before: workers of different kinds take part (--backend cpu or gpu pins one), or one of them computes wrongly (--audit of `render` finds it)",
                plan.outputs[at].path.display(),
                plural(workers.into(), "worker")
            )));
        }
        self.pictures += 1;
        Ok(())
    }

    /// In hexadecimal, by file.
    fn digests(&self) -> Vec<String> {
        self.digests
            .iter()
            .map(|digest| format!("{digest:032x}"))
            .collect()
    }
}

/// XXH3 of a file.
fn digest(path: &Path) -> anyhow::Result<u128> {
    let read = || -> std::io::Result<u128> {
        let mut file = File::open(path)?;
        let mut hash = Xxh3::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(hash.digest128()),
                length => hash.update(&chunk[..length]),
            }
        }
    };
    read().with_context(|| format!("{}: cannot be read back", path.display()))
}
