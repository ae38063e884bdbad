//! Settled counts are those of long integers: at places where doubles lose them, and at places that nobody chose.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use engine::cpu::{CpuDevice, Isa};
use engine::{PreparedFrame, Progress};
use fractal::reference::{ReferencePoint, compute};
use fractal::{
    Counts, FrameSpec, Grid, Measure, MeasureSet, Settling, StripBuffer, StripPlan, View, oracle,
};
use serde_json::Value;

/// log2 of the distance of samples from which on they are computed as deltas.
const DEEP_LOG2: f64 = -26.0;
/// Exact counts of places where neighbouring samples have counts that differ by hundreds.
const DENSE: [&str; 2] = [
    include_str!("../../../tests/data/dense/dense-m-1e5.json"),
    include_str!("../../../tests/data/dense/dense-m-1e9.json"),
];
/// Bits after the point of what drawn places are compared with: more than any attempt to settle a count has.
const BITS: usize = 1200;
/// The same for those on the way down.
const WAY_BITS: usize = 1500;
/// Views that are drawn, and samples of each that are compared.
const DRAWN_VIEWS: u32 = 125;
const SAMPLES: u32 = 16;

/// George Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    /// From 0 to 1.
    fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, end: u32) -> u32 {
        (self.share() * f64::from(end)) as u32
    }
}

fn frame(re: &str, im: &str, zoom: &str, size: (u32, u32), iterations: u64) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: re.parse().unwrap(),
            im: im.parse().unwrap(),
            zoom: zoom.parse().unwrap(),
        },
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
        counts: Counts::Settled,
        measures: MeasureSet::default()
            .with(Measure::Iterations)
            .with(Measure::Smooth)
            .with(Measure::Distance),
    }
}

fn computed(device: &CpuDevice, spec: &FrameSpec) -> StripBuffer {
    let plan = StripPlan {
        height: spec.height,
        strip_rows: spec.height,
    };
    // Deltas where samples are near to each other, as programs choose.
    let frame = if spec.spacing_log2() < DEEP_LOG2 {
        let point = ReferencePoint::centre_of(spec);
        let orbit = compute(spec, point, 1 << 22, &mut |_| true).unwrap();
        PreparedFrame::with_reference(spec.clone(), Arc::new(orbit)).unwrap()
    } else {
        PreparedFrame::new(spec.clone()).unwrap()
    };
    device
        .compute(&frame, plan.strip(0).unwrap(), &Progress::default())
        .unwrap()
}

fn counts(strip: &StripBuffer) -> &[u32] {
    strip.values::<u32>(Measure::Iterations).unwrap()
}

#[test]
fn dense_places_have_no_wrong_count_on_any_instruction_set() {
    for text in DENSE {
        let known: Value = serde_json::from_str(text).unwrap();
        let text = |key: &str| known[key].as_str().unwrap();
        let number = |key: &str| known[key].as_u64().unwrap();
        let size = (number("width") as u32, number("height") as u32);
        let spec = frame(
            text("re"),
            text("im"),
            text("zoom"),
            size,
            number("iterations"),
        );
        let mut seen: Option<(Vec<u32>, Settling)> = None;
        // Integers take so long at the deeper one that one instruction set has to do.
        let all = Isa::available();
        let some = if text("zoom") == "1e9" { 1 } else { all.len() };
        for &isa in &all[..some] {
            let strip = computed(&CpuDevice::with_isa(isa, None), &spec);
            let found = counts(&strip);
            for sample in known["samples"].as_array().unwrap() {
                let [col, row, count] = [0, 1, 2].map(|i| sample[i].as_u64().unwrap());
                let at = (row * u64::from(size.0) + col) as usize;
                assert_eq!(u64::from(found[at]), count, "{isa:?} at {col}, {row}");
            }
            assert!(strip.settling.again > 100, "{:?}", strip.settling);
            assert_eq!(strip.settling.unsettled, 0);
            let all = (found.to_vec(), strip.settling);
            assert_eq!(*seen.get_or_insert_with(|| all.clone()), all, "{isa:?}");
        }
        // Doubles alone lose some of them.
        let fast = FrameSpec {
            counts: Counts::Fast,
            ..spec
        };
        let strip = computed(&CpuDevice::new(None), &fast);
        assert_ne!(Some(counts(&strip).to_vec()), seen.map(|seen| seen.0));
        assert_eq!(strip.settling, Settling::default());
    }
}

/// A point beside the set's boundary, by halving the way from a point outside to one inside.
fn near_boundary(dice: &mut Dice, halvings: u32) -> [f64; 2] {
    let escapes = |[cx, cy]: [f64; 2]| {
        let (mut x, mut y) = (0.0f64, 0.0f64);
        (0..2000).any(|_| {
            (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
            x * x + y * y > 4.0
        })
    };
    let turn = std::f64::consts::TAU * dice.share();
    let (mut outside, mut inside) = (
        [-0.5 + 2.5 * turn.cos(), 2.5 * turn.sin()],
        [-0.9 * dice.share(), 0.0],
    );
    for _ in 0..halvings {
        let middle = [0, 1].map(|i| f64::midpoint(outside[i], inside[i]));
        if escapes(middle) {
            outside = middle;
        } else {
            inside = middle;
        }
    }
    outside
}

fn drawn_seed() -> u64 {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = std::env::var("FARM_SEED").map_or(clock.as_secs(), |seed| seed.parse().unwrap());
    eprintln!("seed {seed}");
    seed
}

#[test]
fn drawn_places_have_no_wrong_count() {
    let seed = drawn_seed();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (seed << 20 | 1));
    let device = CpuDevice::new(None);
    let (mut again, mut lost) = (0, 0);
    for _ in 0..DRAWN_VIEWS {
        let halvings = 4 + dice.below(34);
        let [re, im] = near_boundary(&mut dice, halvings);
        let zoom = format!("1e{}", halvings * 3 / 10);
        let spec = frame(&re.to_string(), &im.to_string(), &zoom, (64, 48), 1500);
        let strip = computed(&device, &spec);
        assert_eq!(strip.settling.unsettled, 0, "{spec:?}, seed {seed}");
        again += strip.settling.again;
        let fast = FrameSpec {
            counts: Counts::Fast,
            ..spec.clone()
        };
        let fast = computed(&device, &fast);
        for _ in 0..SAMPLES {
            let (col, row) = (dice.below(spec.width), dice.below(spec.height));
            let at = (row * spec.width + col) as usize;
            let exact = oracle::iteration_count_in(&spec, col, row, BITS);
            let found = u64::from(counts(&strip)[at]);
            assert_eq!(found, exact, "{spec:?} at {col}, {row}, seed {seed}");
            lost += u32::from(u64::from(counts(&fast)[at]) != exact);
        }
    }
    eprintln!("{again} pixels went again; {lost} fast counts were off");
    assert!(again > 0);
}

/// Places whose whole way down leads along the boundary, with the limit of their iterations.
const WAYS: [(&str, &str, u64, [i32; 2]); 3] = [
    (
        "-0.04947002906310409375169222672735363011874571248822487931810494023264219477268690342799154997475941900",
        "-0.67478757584467536401139205313059765633477070682240348069799979479099419834548451115142084995403102999",
        30_000,
        [12, 24],
    ),
    (
        "-1.99999999913827011875827476290869498831680913663682095950680227",
        "-0.00000000000000000000000000000000000000000000000001",
        3000,
        [12, 30],
    ),
    (
        "-0.743643887037158704752191506114774",
        "0.131825904205311970493132056385139",
        6000,
        [9, 20],
    ),
];
/// Views that are drawn of each, and samples of each that are compared.
const WAY_VIEWS: u32 = 8;
const WAY_SAMPLES: u32 = 20;

#[test]
fn drawn_places_on_the_way_down_have_no_wrong_count() {
    let seed = drawn_seed();
    let mut dice = Dice(0xd1b5_4a32_d192_ed03 ^ (seed << 20 | 1));
    let device = CpuDevice::new(None);
    let mut again = 0;
    for (re, im, iterations, [from, to]) in WAYS {
        for _ in 0..WAY_VIEWS {
            let depth = f64::from(from) + dice.share() * f64::from(to - from);
            let zoom = format!("{}e{}", 1.0 + 8.0 * dice.share(), depth as i32);
            let mut spec = frame(re, im, &zoom, (32, 24), iterations);
            if dice.below(2) == 1 {
                spec.transform.rotate = f64::from(dice.below(360));
            }
            let strip = computed(&device, &spec);
            assert_eq!(strip.settling.unsettled, 0, "{spec:?}, seed {seed}");
            again += strip.settling.again;
            for _ in 0..WAY_SAMPLES {
                let (col, row) = (dice.below(spec.width), dice.below(spec.height));
                let at = (row * spec.width + col) as usize;
                let exact = oracle::iteration_count_in(&spec, col, row, WAY_BITS);
                let found = u64::from(counts(&strip)[at]);
                assert_eq!(found, exact, "{spec:?} at {col}, {row}, seed {seed}");
            }
        }
    }
    eprintln!("{again} pixels went again");
}
