//! Times deep views and holds their counts against the exact ones: `deep_bench [SIDE|0] [NAME]...`, 0 for the
//! oracle's own size, at which its samples are compared.
#![allow(clippy::print_stdout)] // printing is what this program is for

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use engine::cpu::{CpuDevice, Isa};
use engine::{PreparedFrame, Progress};
use fractal::reference::{ReferencePoint, compute};
use fractal::{FrameSpec, Grid, Measure, MeasureSet, Strip, View};

/// The views of the project's goals.
const NAMES: [&str; 8] = [
    "wiki-seahorse-wiki14",
    "e14",
    "e50",
    "e113",
    "flake",
    "e227",
    "e533",
    "e1086",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let side: u32 = args.next().map_or(Ok(1024), |side| side.parse())?;
    let named: Vec<String> = args.collect();
    let names: Vec<&str> = if named.is_empty() {
        NAMES.to_vec()
    } else {
        named.iter().map(String::as_str).collect()
    };
    println!("view                  reference  M       table  1 thread  all threads  px/s  off");
    for name in names {
        one(name, side)?;
    }
    Ok(())
}

/// One view.
fn one(name: &str, side: u32) -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/oracle");
    let text = std::fs::read_to_string(folder.join(name).with_extension("json"))?;
    let file: serde_json::Value = serde_json::from_str(&text)?;
    let decimal = |key: &str| file[key].as_str().unwrap_or_default().parse();
    let number = |key: &str| file[key].as_u64().unwrap_or_default();
    let size = |key: &str| {
        if side == 0 { number(key) as u32 } else { side }
    };
    let spec = FrameSpec {
        view: View::Centre {
            re: decimal("re")?,
            im: decimal("im")?,
            zoom: decimal("zoom")?,
        },
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: size("width"),
        height: size("height"),
        iterations: number("iterations"),
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    };
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: spec.height,
    };
    let began = Instant::now();
    let point = ReferencePoint::centre_of(&spec);
    let orbit = Arc::new(compute(&spec, point, 1 << 27, &mut |_| true)?);
    let reference = began.elapsed().as_secs_f64();
    let mut secs = [0.0; 2];
    let mut table = 0.0;
    let mut off = String::new();
    for (threads, secs) in [Some(1), None].into_iter().zip(&mut secs) {
        let frame = PreparedFrame::with_reference(spec.clone(), Arc::clone(&orbit))?;
        let began = Instant::now();
        if let Some(deep) = &frame.deep {
            deep.bla();
        }
        table = began.elapsed().as_secs_f64();
        let device = CpuDevice::with_isa(Isa::detect(), threads);
        let began = Instant::now();
        let buffer = device.compute(&frame, strip, &Progress::default())?;
        *secs = began.elapsed().as_secs_f64();
        if let (0, Some(counts)) = (side, buffer.values::<u32>(Measure::Iterations)) {
            let samples: Vec<[u32; 3]> = serde_json::from_value(file["samples"].clone())?;
            let at = |s: &[u32; 3]| counts[(s[1] * spec.width + s[0]) as usize];
            let wrong = samples.iter().filter(|s| at(s) != s[2]).count();
            let inside = samples.iter().filter(|s| at(s) == 0 && s[2] != 0).count();
            off = format!("{wrong} of {}, {inside} falsely inside", samples.len());
        }
    }
    println!(
        "{name:20}  {reference:8.3}  {:7}  {table:.3}  {:8.3}  {:10.3}  {:.2e}  {off}",
        orbit.steps(),
        secs[0],
        secs[1],
        spec.pixels() as f64 / secs[1]
    );
    Ok(())
}
