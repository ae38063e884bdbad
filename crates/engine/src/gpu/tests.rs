//! Tests on real adapters: one body for all that the machine has.
//!
//! With `FARM_GPU=require` a machine without adapters fails them; otherwise they say that they are skipped.

mod checks;
mod deltas;
mod faults;
mod formulas;
mod kernels;
mod proofs;
mod ties;

use std::sync::OnceLock;

use fractal::{
    Arithmetic, FrameSpec, Grid, Measure, MeasureSet, Strip, StripBuffer, StripPlan, View,
};

use super::*;
use crate::frame::PreparedFrame;
use crate::progress::Progress;

/// Every adapter of the machine, opened once for all tests.
fn devices() -> &'static [GpuDevice] {
    static DEVICES: OnceLock<Vec<GpuDevice>> = OnceLock::new();
    DEVICES.get_or_init(open_all)
}

/// Runs one test body on every adapter, and says which.
fn on_every_adapter(body: impl Fn(&GpuDevice)) {
    if devices().is_empty() {
        assert_ne!(
            std::env::var("FARM_GPU").as_deref(),
            Ok("require"),
            "FARM_GPU=require, but no adapter is usable: {:?}",
            list_adapters()
        );
        eprintln!("SKIPPED: this machine has no usable adapter, so nothing of the GPU was tested");
    }
    for device in devices() {
        eprintln!("on {}", device.info().name);
        body(device);
    }
}

/// The arithmetics of plain iteration that a device offers, the fastest first.
fn plain(device: &GpuDevice) -> Vec<Arithmetic> {
    let offered = device.info().arithmetics.iter().copied();
    offered
        .filter(|arithmetic| !arithmetic.is_delta())
        .collect()
}

fn measures(all: &[Measure]) -> MeasureSet {
    all.iter().copied().collect()
}

fn frame(view: View, size: (u32, u32), iterations: u64, measures: MeasureSet) -> FrameSpec {
    FrameSpec {
        view,
        transform: fractal::Transform::default(),
        grid: Grid::Pixels,
        width: size.0,
        height: size.1,
        iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures,
    }
}

fn centre(re: &str, im: &str, zoom: &str) -> View {
    View::Centre {
        re: re.parse().unwrap(),
        im: im.parse().unwrap(),
        zoom: zoom.parse().unwrap(),
    }
}

fn prepared(spec: FrameSpec) -> PreparedFrame {
    PreparedFrame::new(spec).unwrap()
}

/// The whole picture in strips of `strip_rows`, each checked as the queue would check it.
fn strips(
    device: &GpuDevice,
    frame: &PreparedFrame,
    arithmetic: Arithmetic,
    strip_rows: u32,
) -> Vec<StripBuffer> {
    let plan = StripPlan {
        height: frame.spec.height,
        strip_rows,
    };
    plan.strips()
        .map(|strip| {
            let buffer = device
                .compute(frame, arithmetic, strip, &Progress::default())
                .unwrap();
            assert!(buffer.fits(&frame.spec, strip));
            assert_eq!(buffer.origin.device, device.info().name);
            assert_eq!(buffer.origin.arithmetic, arithmetic);
            buffer
        })
        .collect()
}

fn whole(device: &GpuDevice, frame: &PreparedFrame, arithmetic: Arithmetic) -> StripBuffer {
    strips(device, frame, arithmetic, frame.spec.height)
        .pop()
        .unwrap()
}

fn counts(buffer: &StripBuffer) -> &[u32] {
    buffer.values(Measure::Iterations).expect("counts")
}

/// A strip of the whole picture.
fn whole_strip(frame: &PreparedFrame) -> Strip {
    Strip {
        index: 0,
        row0: 0,
        rows: frame.spec.height,
    }
}
