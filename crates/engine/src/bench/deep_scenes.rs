//! The deep scenes of the benchmark, with some of their exact counts: a wrong fast result is an error.
//!
//! Three kinds of place: a spiral whose neighbouring pixels go different ways (`e50`), one where nearly all steps are skipped
//! (`flake`), and one below the range of doubles (`e533`).

use fractal::decimal::DecimalError;
use fractal::{FrameSpec, Grid, Measure, MeasureSet, View};

use super::figures::BenchError;
use crate::frame::PreparedFrame;
use crate::frame::picks::index_of;

/// Samples along each side of a scene.
pub(super) const SIDE: u32 = 512;
/// The same for adapters that are software: every eighth one.
pub(super) const SMALL_SIDE: u32 = 64;
/// Exact counts along each side: of every 64th sample.
const KNOWN_SIDE: u32 = 8;
const KNOWN: usize = (KNOWN_SIDE * KNOWN_SIDE) as usize;
/// Most known counts of a scene that may differ: the last bits decide some.
const MOST_OFF: usize = 1;
/// By how much the total may be off, as a share of it.
const TOLERANCE: f64 = 1e-4;

/// A deep scene.
#[derive(Clone, Copy, Debug)]
pub struct DeepScene {
    /// Its name in reports.
    pub name: &'static str,
    re: &'static str,
    im: &'static str,
    zoom: &'static str,
    iterations: u64,
    /// Row by row, by big integers.
    known: [u32; KNOWN],
    /// Sum over all samples, and over those of small scenes, of the count, or of the limit where there is none.
    totals: [u64; 2],
}

/// All deep scenes.
pub const DEEP_SCENES: [DeepScene; 3] = [
    DeepScene {
        name: "e50",
        re: concat!(
            "-0.0494700290631040937516922267273536301187457124882248793181049402326421947726869034279",
            "915499747594190000000000000000000",
        ),
        im: concat!(
            "-0.6747875758446753640113920531305976563347707068224034806979997947909941983454845111514",
            "208499540310299999999999999999880",
        ),
        zoom: "1.00E50",
        iterations: 263_010,
        known: [
            170_464, 170_533, 170_548, 170_692, 170_653, 170_635, 170_600, 170_547, 170_525,
            170_603, 170_785, 172_998, 173_250, 173_266, 173_317, 170_644, 170_599, 173_391,
            173_147, 173_191, 173_267, 173_361, 173_148, 170_827, 170_633, 173_261, 173_348,
            173_574, 174_161, 173_516, 173_185, 172_921, 170_867, 173_252, 173_272, 174_104,
            187_240, 173_845, 173_327, 173_253, 170_797, 172_907, 173_185, 173_557, 173_840,
            173_503, 173_340, 173_379, 170_547, 170_772, 173_176, 173_465, 173_336, 173_183,
            173_163, 173_368, 170_582, 170_600, 173_542, 173_303, 173_281, 172_877, 170_776,
            170_649,
        ],
        totals: [45_208_248_489, 706_360_542],
    },
    DeepScene {
        name: "flake",
        re: concat!(
            "-1.9999661944503703041843468850635057967553124154072485151176192294480158424234268438137",
            "6129778868913812287046406560949864353810575744772166485672496092803920095331999999999999",
            "999999999979999999999999999999999999999999999999999",
        ),
        im: concat!(
            "-0.0000000000000000000000000000000003001382436790938324072497303977592498734683119077333",
            "5270174257280120474975614823581185647299288414075519224186504978181625478528999999999999",
            "999999999979999999999999999999999999999999999999999",
        ),
        zoom: "2.56203307883E157",
        iterations: 60_000,
        known: [
            30_396, 30_402, 30_431, 30_452, 30_473, 30_483, 30_423, 30_401, 30_402, 30_443, 30_572,
            31_093, 30_746, 30_769, 30_562, 30_441, 30_425, 30_561, 30_808, 31_056, 31_363, 30_967,
            30_803, 30_569, 30_480, 30_803, 30_969, 31_340, 31_804, 31_355, 31_051, 31_090, 30_472,
            30_747, 31_363, 31_802, 32_065, 31_778, 31_366, 30_742, 30_460, 31_088, 31_058, 31_329,
            31_781, 31_338, 30_968, 30_774, 30_428, 30_567, 30_805, 30_968, 31_365, 31_057, 30_800,
            30_556, 30_401, 30_444, 30_556, 30_844, 30_742, 31_085, 30_565, 30_441,
        ],
        totals: [8_105_803_644, 126_655_098],
    },
    DeepScene {
        name: "e533",
        re: concat!(
            "-1.7691083304074772808923062435577784835600639118623400650778788340418929715985908084423",
            "4601990886820204375798539711744042815186207867460953613415842432757944592767829349335811",
            "2333445291014142565932118624495970123204844421824353001868066369287727901987459220461426",
            "8420905821786062918666635035342611915658806880066347282330639604002596506287211145256744",
            "7461778249159612483961826938045120616222919425540724435314735525341255820663672868054494",
            "8343043687334876817161811548434128474621486997968757044320805797353787079320992599433404",
            "96912407404389999999999999999999998",
        ),
        im: concat!(
            "-0.0090206880570726176003609359849476201123055846741238668897279198171291100002730703257",
            "3465274857726041164197728426795343558667918574806252145218561840172051237592827928284001",
            "7325461435395900347333831678867372709608373937732035861376732233573306124188011779554347",
            "2467270322925169006099066989627478449886024284049770185184903331804575294502523633927531",
            "5448898727818174162698044355889583608736485127229946909629832632750839622459160046934443",
            "9018862266215051078424481599350178419410453543640423233428241935033928198320388056103242",
            "79071648713679999999999999999999998",
        ),
        zoom: "4.00000000000E533",
        iterations: 120_000,
        known: [
            104_564, 104_775, 104_957, 105_130, 105_060, 104_942, 104_744, 104_568, 104_638,
            104_935, 105_332, 105_746, 105_755, 105_220, 104_933, 104_699, 104_744, 104_974,
            105_399, 105_696, 105_729, 105_348, 105_012, 104_824, 104_727, 104_958, 105_230,
            105_680, 105_727, 105_401, 105_083, 104_912, 104_710, 104_935, 105_140, 105_494,
            105_730, 105_500, 105_140, 104_935, 104_654, 104_911, 105_080, 105_394, 105_725,
            105_752, 105_246, 104_958, 104_592, 104_835, 105_030, 105_350, 105_732, 105_703,
            105_414, 104_965, 104_528, 104_704, 104_930, 105_215, 105_702, 105_737, 105_331,
            104_940,
        ],
        totals: [27_566_485_450, 430_725_763],
    },
];

impl DeepScene {
    fn spec(&self) -> Result<FrameSpec, DecimalError> {
        Ok(FrameSpec {
            view: View::Centre {
                re: self.re.parse()?,
                im: self.im.parse()?,
                zoom: self.zoom.parse()?,
            },
            transform: fractal::Transform::default(),
            grid: Grid::Pixels,
            width: SIDE,
            height: SIDE,
            iterations: self.iterations,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
            measures: MeasureSet::default().with(Measure::Iterations),
        })
    }

    /// The frame to compute.
    ///
    /// # Errors
    /// None: the coordinates are constants, and a test parses them.
    pub fn frame(&self) -> Result<FrameSpec, BenchError> {
        self.spec().map_err(|error| BenchError::Scene {
            scene: self.name,
            reason: error.to_string(),
        })
    }

    /// The same of few samples, from the frame of all.
    #[must_use]
    pub fn small(&self, frame: &PreparedFrame) -> PreparedFrame {
        frame.thinned(FrameSpec {
            width: SMALL_SIDE,
            height: SMALL_SIDE,
            ..frame.spec.clone()
        })
    }

    /// Holds a kernel's counts, of all samples or of the small scene, against what is known of them.
    ///
    /// # Errors
    /// [`BenchError::WrongCounts`] or [`BenchError::WrongTotal`].
    pub fn check(&self, kernel: &str, counts: &[u32]) -> Result<(), BenchError> {
        let side = if counts.len() > (SMALL_SIDE * SMALL_SIDE) as usize {
            SIDE
        } else {
            SMALL_SIDE
        };
        let index = |at: u32| index_of(at, KNOWN_SIDE, side as usize);
        let places =
            (0..KNOWN_SIDE).flat_map(|row| (0..KNOWN_SIDE).map(move |column| (row, column)));
        let found =
            places.map(|(row, column)| counts.get(index(row) * side as usize + index(column)));
        let pairs: Vec<(Option<&u32>, &u32)> = found.zip(&self.known).collect();
        let off = pairs
            .iter()
            .filter(|(found, known)| *found != Some(*known))
            .count();
        let inside = pairs
            .iter()
            .any(|(found, known)| *found == Some(&0) && **known != 0);
        if off > MOST_OFF || inside {
            return Err(BenchError::WrongCounts {
                kernel: kernel.to_owned(),
                scene: self.name,
                off,
                of: KNOWN,
            });
        }
        let steps = |n: &u32| {
            if *n == 0 {
                self.iterations
            } else {
                u64::from(*n)
            }
        };
        let (total, expected) = (
            counts.iter().map(steps).sum::<u64>(),
            self.totals[usize::from(side == SMALL_SIDE)],
        );
        if total.abs_diff(expected) as f64 <= TOLERANCE * expected as f64 {
            return Ok(());
        }
        Err(BenchError::WrongTotal {
            kernel: kernel.to_owned(),
            scene: self.name,
            total: total.into(),
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fractal::Strip;
    use fractal::reference::{self, ReferencePoint};

    use super::*;
    use crate::Progress;
    use crate::cpu::CpuDevice;

    fn prepared(scene: &DeepScene) -> PreparedFrame {
        let spec = scene.frame().unwrap();
        let point = ReferencePoint::centre_of(&spec);
        let orbit = reference::compute(&spec, point, 1 << 24, &mut |_| true).unwrap();
        PreparedFrame::with_reference(spec, Arc::new(orbit)).unwrap()
    }

    #[test]
    #[ignore = "a minute: a part of tests/long/run"]
    fn long_known_counts_are_exact() {
        for scene in DEEP_SCENES {
            let frame = scene.frame().unwrap();
            let at = |sample: u32| index_of(sample, KNOWN_SIDE, SIDE as usize) as u32;
            let one = |sample: usize| {
                let sample = sample as u32;
                let (column, row) = (at(sample % KNOWN_SIDE), at(sample / KNOWN_SIDE));
                fractal::oracle::iteration_count(&frame, column, row) as u32
            };
            // A diagonal: big integers of e533 take a tenth of a second and more each.
            for sample in (0..KNOWN).step_by(KNOWN_SIDE as usize + 1) {
                assert_eq!(one(sample), scene.known[sample], "{}: {sample}", scene.name);
            }
        }
    }

    #[test]
    fn a_wrong_picture_is_an_error() {
        let scene = DEEP_SCENES[1];
        let frame = scene.small(&prepared(&scene));
        let strip = Strip {
            index: 0,
            row0: 0,
            rows: SMALL_SIDE,
        };
        let buffer = CpuDevice::new(None).compute(&frame, strip, &Progress::default());
        let buffer = buffer.unwrap();
        let Some(counts) = buffer.values::<u32>(Measure::Iterations) else {
            panic!("no counts")
        };
        scene.check("k", counts).unwrap();
        let refused = |change: &dyn Fn(usize, u32) -> u32| {
            let counts = counts.iter().enumerate();
            let counts: Vec<u32> = counts.map(|(at, n)| change(at, *n)).collect();
            scene.check("k", &counts).unwrap_err().to_string()
        };
        assert!(refused(&|_, n| n + 1).contains("known counts"));
        assert!(refused(&|at, n| if at == 0 { 0 } else { n }).contains("known counts"));
        // Wrong where no count is known.
        assert!(refused(&|at, n| if at % 8 == 1 { n / 2 } else { n }).contains("iterations on"));
    }
}
