//! The renders of a sweep: each number of workers in turn, round by round, so that a machine that slows down slows down
//! all of them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};

use anyhow::{Context, bail};
use farm_queue::redis::control::WorkerSummary;
use farm_queue::redis::{ConnectOptions, RedisControl};
use farm_worker::usage::Misuse;
use tempfile::TempDir;
use xxhash_rust::xxh3::Xxh3;

use crate::bar::RunsBar;
use crate::cli::scale::ScaleArgs;
use crate::interrupt;
use crate::placing::serves;
use crate::plan::{self, Place, RenderPlan};
use crate::render;
use crate::report::Report;
use crate::scale::figures::{self, Sweep, Timed};
use crate::scale::processors::{Processors, plural};
use crate::world::Opened;
use crate::world::stage::{self, Stage};

/// Strips that each of the most workers has at least, so that the last one to finish does not decide the time.
const STRIPS_EACH: u32 = 16;
/// Bytes of a file that are read at a time.
const CHUNK: usize = 1 << 20;

/// A sweep of which nothing in the arguments can be refused any more.
pub struct Plan {
    counts: Vec<u16>,
    repeat: u16,
    quiet: bool,
    threads: Option<u16>,
    /// The network to boot for it.
    network: Option<Opened>,
    /// The render of every run, but for the number of workers.
    render: RenderPlan,
    /// Where files are that nobody asked for.
    _folder: Option<TempDir>,
}

impl Plan {
    /// The plan of `args`, whose runs write `pictures`, or a file of their own if there are none.
    ///
    /// # Errors
    /// As of a render.
    pub fn new(args: &ScaleArgs, pictures: Vec<PathBuf>) -> anyhow::Result<Self> {
        let (folder, outputs) = if pictures.is_empty() {
            let folder = tempfile::tempdir().context("no folder for pictures")?;
            let file = folder.path().join("picture.npy");
            (Some(folder), vec![file])
        } else {
            (None, pictures)
        };
        let network = stage::opened(&args.network)?;
        let typed = |url: &&str| !crate::cli::is_from_environment(url);
        if network.is_some() && args.access.redis().filter(typed).is_some() {
            return Err(Misuse("--redis and --world: a world names its Redis itself").into());
        }
        let most = args.workers.most();
        let mut render = plan::plan(args.render(most, outputs))?;
        if args.strip_rows.is_none() {
            let fair = render.strips.height / (STRIPS_EACH * u32::from(most));
            render.strips.strip_rows = render.strips.strip_rows.min(fair).max(1);
        }
        Ok(Self {
            counts: args.workers.all().to_vec(),
            repeat: args.repeat,
            quiet: args.say.quiet,
            threads: args.threads,
            network,
            render,
            _folder: folder,
        })
    }

    /// Runs it, and makes the figures.
    ///
    /// # Errors
    /// When the farm has fewer workers, a render fails, or two pictures are not the same.
    pub async fn run(mut self) -> anyhow::Result<Sweep> {
        let mut interrupt = pin!(interrupt::interrupted());
        let stage = match self.network.take() {
            None => None,
            Some(network) => {
                let most = self.counts.last().copied();
                let interrupt = interrupt.as_mut();
                Some(
                    Stage::boot(network, &mut self.render.place, most, self.quiet, interrupt)
                        .await?,
                )
            }
        };
        // What was booted is shut down again, whatever comes.
        let _hold = interrupt::hold();
        let swept = self.swept(interrupt.as_mut()).await;
        if let Some(stage) = stage {
            stage.end().await;
        }
        swept
    }

    /// The sweep itself, where there are workers.
    async fn swept(
        &mut self,
        mut interrupt: Pin<&mut impl Future<Output = ()>>,
    ) -> anyhow::Result<Sweep> {
        for warning in self.render.warnings.iter().filter(|_| !self.quiet) {
            crate::say(&format!("warning: {warning}"));
        }
        let most = self.counts.last().copied().unwrap_or(1);
        let processors = self.processors(most).await?;
        let runs = self.counts.len() * usize::from(self.repeat);
        let bar = RunsBar::new(runs as u64 + 1, self.quiet);
        let mut same = Same::default();
        // Untimed: the farm knows the scripts after it, files and devices are warm.
        bar.next("warming up");
        self.rendered(most, interrupt.as_mut()).await?;
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
                let report = self.rendered(*workers, interrupt.as_mut()).await?;
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
    async fn processors(&mut self, most: u16) -> anyhow::Result<Processors> {
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
                    bail!(
                        "--workers asks for up to {most}, and the farm has {} {} that would serve",
                        workers.len(),
                        plural(workers.len(), "worker")
                    );
                }
                Ok(Processors::of(&workers))
            }
        }
    }

    /// One run.
    async fn rendered(
        &self,
        count: u16,
        interrupt: Pin<&mut impl Future<Output = ()>>,
    ) -> anyhow::Result<Report> {
        let mut plan = self.render.clone();
        match &mut plan.place {
            Place::InProcess { workers, .. } => *workers = count,
            Place::Farm { workers, .. } => *workers = Some(count),
        }
        render::render(plan, None, true, interrupt).await.report
    }
}

/// The workers of a farm that would be given strips of this build.
async fn serving(farm: &ConnectOptions) -> anyhow::Result<Vec<WorkerSummary>> {
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
    fn check(&mut self, plan: &RenderPlan, workers: u16) -> anyhow::Result<()> {
        let outputs = plan.outputs.iter();
        let digests = outputs
            .map(|output| digest(&output.path))
            .collect::<anyhow::Result<Vec<_>>>()?;
        if self.pictures == 0 {
            self.digests = digests;
        } else if let Some(at) = (0..digests.len()).find(|at| digests[*at] != self.digests[*at]) {
            bail!(
                "{}: with {workers} {} it has other bytes than before: workers of different kinds take part (--backend cpu or gpu pins one), or one of them computes wrongly (--audit of `render` finds it)",
                plan.outputs[at].path.display(),
                plural(workers.into(), "worker")
            );
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
