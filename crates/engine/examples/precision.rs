//! Measures how exact plain iteration is in each number type: the share of iteration counts that differ from the exact
//! ones, view by view, as a Markdown table.
//!
//! The counts of all arithmetics come from the adapters of this machine, software ones included, and the processor;
//! the exact ones from big integers, for a sample of the pixels. `Arithmetic::exact_extent_log2` rests on this.
#![allow(clippy::print_stdout)] // printing is what this program is for

use engine::cpu::CpuDevice;
use engine::gpu::GpuDevice;
use engine::{PreparedFrame, Progress};
use fractal::{Arithmetic, FrameSpec, Grid, Measure, MeasureSet, Strip, StripBuffer, View};

/// Rows of a view that are computed, evenly spread.
const SAMPLED_ROWS: u32 = 128;
/// Pixels of a view whose exact count is computed, evenly spread over the sampled rows.
const EXACT_SAMPLES: usize = 6000;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Anyhow<()> {
    let adapters = engine::gpu::open_all();
    for device in &adapters {
        eprintln!("{}: {:?}", device.info().name, device.info().arithmetics);
    }
    let device = adapters.first().ok_or("this machine has no adapter")?;
    println!(
        "Counts that differ, in percent; f32 and double-single as {} computes them.\n",
        device.info().name
    );
    println!(
        "| view | log2 of the longer side | f32 off f64 | double-single off f64 | f32 off the exact | double-single off the \
         exact | f64 off the exact |"
    );
    println!("|---|---|---|---|---|---|---|");
    for density in [64u32, 256, 1024, 4096] {
        let (width, height) = (density * 5 / 2, density * 3);
        let view = bounds("-2", "0.5", "-1.5", "1.5")?;
        row(
            device,
            &format!("whole set, density {density}"),
            spec(view, width, height, 1000),
        )?;
    }
    let places = [
        ("seahorse", "-0.743643887037151", "0.131825904205330"),
        ("elephant", "0.2925755", "-0.0149977"),
        ("needle", "-1.7687788", "0.0017389"),
    ];
    for (name, re, im) in places {
        for width in [
            "1", "3e-1", "1e-1", "3e-2", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6",
        ] {
            row(
                device,
                &format!("{name}, width {width}"),
                square(re, im, width, 512)?,
            )?;
        }
    }
    // The same places at other densities: the share depends on the view, hardly on its pixels.
    for (name, re, im) in places {
        for (width, side) in [("1e-1", 128), ("1e-1", 4096), ("1e-4", 128), ("1e-4", 4096)] {
            row(
                device,
                &format!("{name}, width {width}, {side} samples a side"),
                square(re, im, width, side)?,
            )?;
        }
    }
    Ok(())
}

/// A square picture about a centre.
fn square(re: &str, im: &str, width: &str, side: u32) -> Anyhow<FrameSpec> {
    // Half the height in the plane is 2 / zoom.
    let zoom = parse(&format!("{}", 4.0 / width.parse::<f64>()?))?;
    Ok(spec(
        View::Centre {
            re: parse(re)?,
            im: parse(im)?,
            zoom,
        },
        side,
        side,
        2000,
    ))
}

fn parse(text: &str) -> Anyhow<fractal::Decimal> {
    text.parse()
        .map_err(|error| format!("{text}: {error:?}").into())
}

fn bounds(xmin: &str, xmax: &str, ymin: &str, ymax: &str) -> Anyhow<View> {
    Ok(View::Bounds {
        xmin: parse(xmin)?,
        xmax: parse(xmax)?,
        ymin: parse(ymin)?,
        ymax: parse(ymax)?,
    })
}

fn spec(view: View, width: u32, height: u32, iterations: u64) -> FrameSpec {
    FrameSpec {
        view,
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width,
        height,
        iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

/// Measures one view and prints its row.
fn row(device: &GpuDevice, name: &str, spec: FrameSpec) -> Anyhow<()> {
    let frame = PreparedFrame::new(spec)?;
    let rows: Vec<u32> = sampled_rows(frame.spec.height).collect();
    let cpu = CpuDevice::new(None);
    let f64s = counts(&rows, |strip| {
        Ok(cpu.compute(&frame, strip, &Progress::default())?)
    })?;
    let on_gpu = |arithmetic| {
        counts(&rows, |strip| {
            Ok(device.compute(&frame, arithmetic, strip, &Progress::default())?)
        })
    };
    let singles = on_gpu(Arithmetic::F32)?;
    let double_singles = on_gpu(Arithmetic::DoubleSingle)?;

    // A stride that is no divisor of the width, so that samples spread over the columns.
    let stride = (f64s.len() / EXACT_SAMPLES).max(1) | 1;
    let width = frame.spec.width as usize;
    let exact: Vec<(usize, u32)> = (0..f64s.len())
        .step_by(stride)
        .map(|at| {
            let (row, col) = (rows[at / width], (at % width) as u32);
            (
                at,
                u32::try_from(fractal::oracle::iteration_count(&frame.spec, col, row))
                    .unwrap_or(u32::MAX),
            )
        })
        .collect();
    let off_f64 = |counts: &[u32]| {
        percent(
            counts.iter().zip(&f64s).filter(|(a, b)| a != b).count(),
            counts.len(),
        )
    };
    let off_exact = |counts: &[u32]| {
        percent(
            exact.iter().filter(|(at, n)| counts[*at] != *n).count(),
            exact.len(),
        )
    };
    println!(
        "| {name} | {:.1} | {:.3} | {:.3} | {:.2} | {:.2} | {:.2} |",
        frame.extent_log2,
        off_f64(&singles),
        off_f64(&double_singles),
        off_exact(&singles),
        off_exact(&double_singles),
        off_exact(&f64s),
    );
    Ok(())
}

fn sampled_rows(height: u32) -> impl Iterator<Item = u32> {
    let step = (height / SAMPLED_ROWS).max(1);
    (step / 2..height).step_by(step as usize)
}

/// The counts of some rows, one after the other.
fn counts(rows: &[u32], compute: impl Fn(Strip) -> Anyhow<StripBuffer>) -> Anyhow<Vec<u32>> {
    let mut counts = Vec::new();
    for (index, row0) in (0..).zip(rows) {
        let buffer = compute(Strip {
            index,
            row0: *row0,
            rows: 1,
        })?;
        match buffer.values::<u32>(Measure::Iterations) {
            Some(values) => counts.extend_from_slice(values),
            _ => return Err("a buffer without counts".into()),
        }
    }
    Ok(counts)
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}
