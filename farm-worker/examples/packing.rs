//! Prints what packing does to the default picture at a density of 2048, measure by measure: how much smaller,
//! and how fast on one core. Speeds are of the plane's own bytes, each strip's best of several rounds.
#![allow(clippy::print_stdout)] // printing is what this program is for

use std::time::Instant;

use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress};
use farm_queue::protocol::packing;
use fractal::{FrameSpec, Grid, Measure, MeasureSet, Plane, StripPlan, View};

const WIDTH: u32 = 5120;
const HEIGHT: u32 = 6144;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = CpuDevice::new(None);
    for measure in Measure::ALL {
        let frame = PreparedFrame::new(FrameSpec {
            view: View::Bounds {
                xmin: "-2".parse()?,
                xmax: "0.5".parse()?,
                ymin: "-1.5".parse()?,
                ymax: "1.5".parse()?,
            },
            transform: fractal::Transform::default(),
            grid: Grid::Pixels,
            width: WIDTH,
            height: HEIGHT,
            iterations: 1000,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
            measures: MeasureSet::default().with(measure),
        })?;
        let (mut raw, mut sent, mut pack_secs, mut unpack_secs) = (0, 0, 0.0, 0.0);
        for strip in StripPlan::for_picture(WIDTH, HEIGHT, measure.bytes()).strips() {
            let buffer = device.compute(&frame, strip, &Progress::default())?;
            let plane = &buffer.planes[0];
            raw += plane.bytes().len();
            let (packed, secs) = timed(|| packing::pack(plane, WIDTH as usize));
            pack_secs += secs;
            let Some(packed) = packed else {
                sent += plane.bytes().len();
                continue;
            };
            sent += packed.len();
            let (back, secs) = timed(|| {
                packing::unpack(measure, &packed, buffer.pixels(), WIDTH as usize, None)
                    .unwrap_or(Plane::zeroed(measure, 0))
            });
            unpack_secs += secs;
            assert!(
                back.bytes() == plane.bytes(),
                "a plane came back as another"
            );
        }
        let gigabytes = raw as f64 / 1e9;
        println!(
            "{:10} {:6.1} MB to {:5.1} MB, {:5.2} times smaller; packed at {:5.2} GB/s, unpacked at {:5.2} GB/s",
            measure.name(),
            raw as f64 / 1e6,
            sent as f64 / 1e6,
            raw as f64 / sent as f64,
            gigabytes / pack_secs,
            gigabytes / unpack_secs
        );
    }
    Ok(())
}

/// What `work` returns, and the least time that it took.
fn timed<T>(mut work: impl FnMut() -> T) -> (T, f64) {
    let mut once = || {
        let began = Instant::now();
        let made = work();
        (made, began.elapsed().as_secs_f64())
    };
    let (mut made, mut best) = once();
    for _ in 1..ROUNDS {
        let (again, secs) = once();
        (made, best) = (again, best.min(secs));
    }
    (made, best)
}
