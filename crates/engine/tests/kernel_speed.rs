//! The processor's kernels are compiled for their instruction set.
//!
//! A kernel is generic code that becomes part of an entry point, and that entry point alone is compiled for an
//! instruction set. What is not inlined into it, a closure first of all, is compiled without: its intrinsics become calls,
//! its multiply-adds calls of a library. The bytes are right then, and the kernel takes seven times as long.
//!
//! So each kind of kernel is timed here in units of the machine's own limit, the multiply-adds that a straight loop makes
//! in the same time with the same vectors. A kernel fails that takes five times as long as it should.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::cpu::{CpuDevice, Isa};
use engine::{PreparedFrame, Progress};
use fractal::reference::{ReferencePoint, compute};
use fractal::{FrameSpec, Grid, Measure, Strip, Transform, View};

/// One kind of kernel, on a scene that it takes most of the time of.
struct Kind {
    name: &'static str,
    /// Centre and zoom.
    place: [&'static str; 3],
    deep: bool,
    shortcuts: bool,
    side: u32,
    iterations: u64,
    measures: &'static [Measure],
    /// Multiply-adds of one lane, in the time that one pixel takes: measured with AVX2, where the larger vectors of
    /// AVX-512 help least.
    cost: f64,
}

const SEAHORSE: [&str; 3] = ["-0.743643887037151", "0.131825904205330", "1e3"];
/// In the bulb of period 3, which no shortcut knows.
const BULB: [&str; 3] = ["-0.1225611668766536", "0.7448617666197442", "40"];

const KINDS: [Kind; 13] = [
    Kind {
        name: "steps",
        place: BULB,
        deep: false,
        shortcuts: false,
        side: 128,
        iterations: 3000,
        measures: &[Measure::Iterations],
        cost: 13_400.0,
    },
    Kind {
        name: "steps with cycles",
        place: BULB,
        deep: false,
        shortcuts: true,
        side: 256,
        iterations: 100_000,
        measures: &[Measure::Iterations],
        cost: 8_000.0,
    },
    Kind {
        name: "known parts",
        place: ["-0.2", "0", "20"],
        deep: false,
        shortcuts: true,
        side: 1024,
        iterations: 1000,
        measures: &[Measure::Iterations],
        cost: 126.0,
    },
    Kind {
        name: "first steps",
        place: ["0.3", "0.8", "10"],
        deep: false,
        shortcuts: true,
        side: 512,
        iterations: 100,
        measures: &[Measure::Iterations],
        cost: 510.0,
    },
    Kind {
        name: "smooth",
        place: SEAHORSE,
        deep: false,
        shortcuts: true,
        side: 256,
        iterations: 2000,
        measures: &[Measure::Smooth],
        cost: 1_560.0,
    },
    Kind {
        name: "distance",
        place: SEAHORSE,
        deep: false,
        shortcuts: true,
        side: 256,
        iterations: 2000,
        measures: &[Measure::Distance],
        cost: 2_320.0,
    },
    Kind {
        name: "angles",
        place: SEAHORSE,
        deep: false,
        shortcuts: true,
        side: 256,
        iterations: 2000,
        measures: &[Measure::Phase, Measure::Direction],
        cost: 4_400.0,
    },
    Kind {
        name: "stability",
        place: BULB,
        deep: false,
        shortcuts: false,
        side: 128,
        iterations: 3000,
        measures: &[Measure::Stability],
        cost: 13_500.0,
    },
    Kind {
        name: "tiles",
        place: ["-1.401155189092051", "0", "1e14"],
        deep: true,
        shortcuts: true,
        side: 64,
        iterations: 9000,
        measures: &[Measure::Iterations],
        cost: 6200.0,
    },
    Kind {
        name: "deltas",
        place: ["-0.743643887037151", "0.131825904205330", "1e9"],
        deep: true,
        shortcuts: true,
        side: 128,
        iterations: 5000,
        measures: &[Measure::Stability],
        cost: 38_700.0,
    },
    Kind {
        name: "tails",
        place: ["-0.743643887037151", "0.131825904205330", "1e9"],
        deep: true,
        shortcuts: true,
        side: 128,
        iterations: 20_000,
        measures: &[Measure::Iterations],
        cost: 25_000.0,
    },
    Kind {
        name: "deltas with slopes",
        place: ["-0.743643887037151", "0.131825904205330", "1e9"],
        deep: true,
        shortcuts: true,
        side: 128,
        iterations: 20_000,
        measures: &[Measure::Distance],
        cost: 30_000.0,
    },
    Kind {
        name: "exponents",
        place: ["0", "1", "1e400"],
        deep: true,
        shortcuts: true,
        side: 256,
        iterations: 4000,
        measures: &[Measure::Iterations],
        cost: 1_770.0,
    },
];

/// A kernel may take so many times what it should: other programs take their share of the processor, and a kernel that
/// is compiled without its instruction set is slower still.
const MOST: f64 = 5.0;
/// Rounds after which the best of each counts; fewer where all kernels are fast enough before.
const MOST_ROUNDS: usize = 16;
/// No further round is begun after this long.
const ENOUGH: Duration = Duration::from_secs(8);
/// Multiply-adds of one measurement of the limit: a few milliseconds.
const LIMIT_FMAS: u64 = 1 << 25;

impl Kind {
    fn frame(&self) -> PreparedFrame {
        let [re, im, zoom] = self.place.map(|text| text.parse().unwrap());
        let spec = FrameSpec {
            view: View::Centre { re, im, zoom },
            transform: Transform::default(),
            grid: Grid::Pixels,
            width: self.side,
            height: self.side,
            iterations: self.iterations,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
            measures: self.measures.iter().copied().collect(),
        };
        if !self.deep {
            return PreparedFrame::new(spec).unwrap();
        }
        let point = ReferencePoint::centre_of(&spec);
        let orbit = compute(&spec, point, 1 << 20, &mut |_| true).unwrap();
        PreparedFrame::with_reference(spec, Arc::new(orbit)).unwrap()
    }
}

/// Seconds of one strip, the whole picture.
fn time(device: &CpuDevice, frame: &PreparedFrame) -> f64 {
    // Without the series that an earlier run left behind; blocks of steps are shared.
    let frame = frame.thinned(frame.spec.clone());
    if let Some(deep) = &frame.deep {
        let _ = (deep.bla(), deep.jets());
    }
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: frame.spec.height,
    };
    let began = Instant::now();
    device.compute(&frame, strip, &Progress::default()).unwrap();
    began.elapsed().as_secs_f64()
}

/// Multiply-adds a second of a loop that is compiled for whatever the compiler's target has.
fn plain_rate() -> f64 {
    const ROUNDS: u32 = 1 << 20;
    let mut chains = std::hint::black_box([0.0f64; 16]);
    let began = Instant::now();
    for _ in 0..ROUNDS {
        for chain in &mut chains {
            *chain = *chain * 0.5 + 0.5;
        }
    }
    std::hint::black_box(chains);
    f64::from(ROUNDS) * 16.0 / began.elapsed().as_secs_f64()
}

#[test]
#[cfg_attr(debug_assertions, ignore = "times optimised code")]
fn every_kernel_is_compiled_for_its_instruction_set() {
    let began = Instant::now();
    let frames: Vec<PreparedFrame> = KINDS.iter().map(Kind::frame).collect();
    // The portable kernels are compiled for the target as they are: there is nothing to lose.
    for isa in Isa::available() {
        if isa == Isa::Portable {
            continue;
        }
        let device = |shortcuts| CpuDevice::with_isa(isa, Some(1)).shortcuts(shortcuts);
        let devices = [device(false), device(true)];
        let (mut limit, mut plain) = (0.0f64, 0.0f64);
        let mut best = [f64::INFINITY; KINDS.len()];
        let mut ratios = Vec::new();
        for round in 0..MOST_ROUNDS {
            if round > 1 && began.elapsed() > ENOUGH {
                break;
            }
            // In turns, so that a slow spell of the machine meets both.
            for ((kind, frame), best) in KINDS.iter().zip(&frames).zip(&mut best) {
                limit = limit.max(devices[0].multiply_add_rate(LIMIT_FMAS));
                plain = plain.max(plain_rate());
                let device = &devices[usize::from(kind.shortcuts)];
                *best = best.min(time(device, frame));
            }
            let ratio = |(kind, secs): (&Kind, &f64)| {
                let pixels = f64::from(kind.side * kind.side);
                (kind.name, secs * limit / pixels / kind.cost)
            };
            ratios = KINDS.iter().zip(&best).map(ratio).collect();
            if limit > plain && ratios.iter().all(|(_, ratio)| *ratio <= MOST) {
                break;
            }
        }
        eprintln!("{isa:?}, times what it should take: {ratios:.2?}");
        assert!(
            limit > plain,
            "{isa:?}: {limit:e} multiply-adds a second, {plain:e} of a plain loop"
        );
        ratios.retain(|(_, ratio)| *ratio > MOST);
        assert!(
            ratios.is_empty(),
            "not compiled for {isa:?}: {ratios:.2?} times what they should take"
        );
    }
}
