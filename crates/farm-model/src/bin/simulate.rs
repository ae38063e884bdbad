//! `simulate`: a large farm in virtual time, and what came of it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use clap::Parser;
use farm_model::simulate::{Settings, Simulation};

/// Plays a render farm in virtual time: the queue's own protocol, with speeds, faults and the server's time.
///
/// Everything follows from the seed. Times that are not given are those of `docs/scale.md`.
#[derive(Parser, Debug)]
#[command(name = "simulate")]
struct Cli {
    /// Workers, with one lane each.
    #[arg(long, default_value_t = 10_000)]
    workers: u32,
    /// Strips of the picture.
    #[arg(long, default_value_t = 1_000_000)]
    strips: u32,
    /// From which everything follows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds that a strip takes on a worker of average speed.
    #[arg(long, value_name = "SECS", default_value_t = 10.0)]
    strip_secs: f64,
    /// Bytes of a strip's buffer.
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 10)]
    strip_bytes: u64,
    /// Most strips on the queue, under way and not collected [default: twice the workers].
    #[arg(long, value_name = "STRIPS")]
    window: Option<usize>,
    /// Share of the workers that are ten times slower.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    slow: f64,
    /// Crashes, and pauses, of one worker in an hour.
    #[arg(long, value_name = "RATE", default_value_t = 0.2)]
    faults_per_hour: f64,
    /// Seconds between restarts of the server, each of which forgets up to a second; 0: none.
    #[arg(long, value_name = "SECS", default_value_t = 300.0)]
    restarts: f64,
    /// Share of answers that get lost.
    #[arg(long, value_name = "SHARE", default_value_t = 1e-4)]
    lost_answers: f64,
    /// One way through the network, in microseconds.
    #[arg(long, value_name = "US", default_value_t = 250)]
    network_us: u64,
    /// Factor on all times of the server: 0.5 is one twice as fast.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    server: f64,
    /// The submitter's own time for a strip, in microseconds.
    #[arg(long, value_name = "US", default_value_t = 50.0)]
    submitter_us: f64,
    /// Late strips are not issued once more.
    #[arg(long)]
    no_speculation: bool,
    /// Idle workers wait longer each time, and a hint wakes no more than there is work for.
    #[arg(long)]
    gentle: bool,
    /// Instead, so many small farms on bad days, from the seed on: nothing may be lost.
    #[arg(long, value_name = "N", default_value_t = 0)]
    bad_days: u64,
    /// A quiet day: nothing goes wrong.
    #[arg(long)]
    no_faults: bool,
}

impl Cli {
    fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.seed, self.workers, self.strips);
        settings.strip_secs = self.strip_secs;
        settings.strip_bytes = self.strip_bytes;
        settings.window = self.window.unwrap_or(settings.window);
        settings.slow_share = self.slow;
        settings.crashes_per_hour = self.faults_per_hour;
        settings.pauses_per_hour = self.faults_per_hour;
        settings.restart_secs = self.restarts;
        settings.lost_answers = self.lost_answers;
        settings.network = Duration::from_micros(self.network_us);
        settings.gentle = self.gentle;
        settings.speculation = !self.no_speculation;
        let costs = &mut settings.costs;
        for cost in [
            &mut costs.enqueue,
            &mut costs.lease,
            &mut costs.script,
            &mut costs.deliver,
            &mut costs.collect,
            &mut costs.byte,
        ] {
            *cost *= self.server;
        }
        costs.submitter = self.submitter_us * 1e-6;
        if self.no_faults {
            settings.without_faults()
        } else {
            settings
        }
    }
}

/// Plays small farms on bad days, and says what went wrong on them.
fn bad_days(seed: u64, days: u64) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in (seed..).take(usize::try_from(days)?) {
        let report = Simulation::new(&Settings::bad_day(seed)).run();
        let report =
            report.map_err(|broken| anyhow::anyhow!("bad day of seed {seed}: {broken}"))?;
        for (name, count) in report.faults {
            *faults.entry(name).or_default() += count;
        }
    }
    let faults: Vec<String> = (faults.iter())
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    let took = start.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "nothing lost on {days} bad days from seed {seed}, in {took:.1} s: {}",
        faults.join(", ")
    )?;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if cli.bad_days > 0 {
        return bad_days(cli.seed, cli.bad_days);
    }
    let settings = cli.settings();
    let start = Instant::now();
    let report = Simulation::new(&settings).run()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", report.with(&settings))?;
    let (events, took) = (report.events, start.elapsed().as_secs_f64());
    writeln!(
        out,
        "simulated         {events} events in {took:.1} s, seed {}",
        settings.seed
    )?;
    Ok(())
}
