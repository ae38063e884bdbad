//! `farm-worker bench`: prints what this machine can do.

use std::io::Write;
use std::path::Path;

use disk::limited::read_text_limited;
use engine::bench::{self, Report};
use fractal::BackendChoice;

use crate::cli::BenchArgs;
use crate::terminal;

/// Most bytes of what the system says of its processors: thousands of them.
const MAX_CPUINFO_BYTES: u64 = 16 << 20;

/// Measures and prints, as a table or as JSON.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let choice = BackendChoice::from(args.backend);
    let report = bench::run(choice, &args.scene, machine())?;
    let mut out = Vec::new();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        table(&mut out, &report)?;
    }
    std::io::stdout().write_all(&terminal::data(&out))?;
    Ok(())
}

fn table(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    writeln!(out, "{}\n", report.machine)?;
    writeln!(
        out,
        "{:<44} {:<14} {:>7} {:>12} {:>15}",
        "limit of", "arithmetic", "threads", "Gfma/s", "bound Giter/s"
    )?;
    for limit in &report.limits {
        writeln!(
            out,
            "{:<44} {:<14} {:>7} {:>12.2} {:>15.3}",
            limit.device, limit.arithmetic, limit.threads, limit.gfma_per_sec, limit.giter_per_sec
        )?;
    }
    writeln!(
        out,
        "\n{:<44} {:<19} {:<9} {:>10} {:>13}",
        "kernels of", "kernel", "scene", "Giter/s", "of the bound"
    )?;
    for kernel in &report.kernels {
        writeln!(
            out,
            "{:<44} {:<19} {:<9} {:>10.3} {:>13.2}",
            kernel.device, kernel.name, kernel.scene, kernel.giter_per_sec, kernel.of_limit
        )?;
    }
    writeln!(
        out,
        "\n{:<44} {:<24} {:<6} {:>7} {:>8} {:>9} {:>10} {:>9}",
        "deep views of", "kernel", "scene", "pixels", "seconds", "Giter/s", "applied/px", "skipped"
    )?;
    for figure in &report.deep {
        let applied = figure.applied.map_or("-".to_owned(), |applied| {
            format!("{:.0}", applied as f64 / figure.pixels as f64)
        });
        let skipped = figure.skipped.map_or("-".to_owned(), |skipped| {
            format!("{:.2} %", 100.0 * skipped as f64 / figure.iterations as f64)
        });
        writeln!(
            out,
            "{:<44} {:<24} {:<6} {:>7} {:>8.3} {:>9.1} {applied:>10} {skipped:>9}",
            figure.device,
            figure.name,
            figure.scene,
            figure.pixels,
            figure.secs,
            figure.giter_per_sec
        )?;
    }
    Ok(())
}

/// What this machine is, as far as it says so: processor, threads, system.
fn machine() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = read_text_limited(Path::new("/proc/cpuinfo"), MAX_CPUINFO_BYTES)
        .ok()
        .and_then(|text| {
            let (_, name) = text
                .lines()
                .find(|line| line.starts_with("model name"))?
                .split_once(':')?;
            Some(name.trim().to_owned())
        });
    let processor = processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{processor}, {threads} threads, {}", std::env::consts::OS)
}
