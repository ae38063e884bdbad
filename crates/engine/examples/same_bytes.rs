//! Prints, for each instruction set of this processor, what six views' bytes are: `tests/cross` compares them between
//! processors. Each view takes another way through the kernels.
#![allow(clippy::print_stdout)] // printing is what this program is for

use std::error::Error;

use engine::cpu::{CpuDevice, Isa};
use engine::{PreparedFrame, Progress};
use fractal::{FrameSpec, Grid, Measure, MeasureSet, StripPlan, View};
use xxhash_rust::xxh3::Xxh3;

/// A view by its middle, and what is computed of it.
struct Picture {
    name: &'static str,
    re: &'static str,
    im: &'static str,
    zoom: &'static str,
    iterations: u64,
    side: u32,
    measures: &'static [Measure],
}

const SPIRAL: [&str; 2] = [
    "-0.0494700290631040937516922267273536301187457124882248793181049402326421947726869034279",
    "-0.6747875758446753640113920531305976563347707068224034806979997947909941983454845111514",
];
const FLAKE: [&str; 2] = [
    concat!(
        "-1.9999661944503703041843468850635057967553124154072485151176192294480158424234268438137",
        "61297788689138122870464065609498643538105757447721664856724960928039200953",
    ),
    concat!(
        "-0.0000000000000000000000000000000003001382436790938324072497303977592498734683119077333",
        "52701742572801204749756146235811856472992884140755192241865049781816254785",
    ),
];

const PICTURES: [Picture; 6] = [
    Picture {
        name: "plain",
        re: "-0.743643887",
        im: "0.131825904",
        zoom: "1e5",
        iterations: 5_000,
        side: 128,
        measures: &[Measure::Iterations],
    },
    // Deltas that are left to doubles of their own: the last thousands of steps of each pixel.
    Picture {
        name: "tail",
        re: SPIRAL[0],
        im: SPIRAL[1],
        zoom: "1e30",
        iterations: 20_000,
        side: 64,
        measures: &[Measure::Iterations],
    },
    // Squares of pixels that go most of their way as one.
    Picture {
        name: "jets",
        re: FLAKE[0],
        im: FLAKE[1],
        zoom: "2.56e150",
        iterations: 60_000,
        side: 128,
        measures: &[Measure::Iterations],
    },
    // Below the range of doubles.
    Picture {
        name: "floatexp",
        re: "-2",
        im: "0",
        zoom: "1e400",
        iterations: 20_000,
        side: 48,
        measures: &[Measure::Iterations],
    },
    Picture {
        name: "smooth",
        re: SPIRAL[0],
        im: SPIRAL[1],
        zoom: "1e20",
        iterations: 20_000,
        side: 64,
        measures: &[Measure::Smooth, Measure::Stability],
    },
    Picture {
        name: "distance",
        re: FLAKE[0],
        im: FLAKE[1],
        zoom: "1e25",
        iterations: 20_000,
        side: 64,
        measures: &[Measure::Smooth, Measure::Distance],
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    for isa in Isa::available() {
        let device = CpuDevice::with_isa(isa, Some(2));
        for picture in &PICTURES {
            let frame = PreparedFrame::new(picture.spec()?)?;
            let bytes_per_pixel = frame.spec.measures.bytes_per_pixel();
            let plan = StripPlan::for_picture(picture.side, picture.side, bytes_per_pixel);
            let mut digest = Xxh3::new();
            let mut total = 0;
            for strip in plan.strips() {
                let buffer = device.compute(&frame, strip, &Progress::default())?;
                buffer
                    .planes
                    .iter()
                    .for_each(|plane| digest.update(plane.bytes()));
                total += buffer.iterations_total;
            }
            println!(
                "{:10} {:10} {:016x} {total}",
                isa.name(),
                picture.name,
                digest.digest()
            );
        }
    }
    Ok(())
}

impl Picture {
    fn spec(&self) -> Result<FrameSpec, Box<dyn Error>> {
        Ok(FrameSpec {
            view: View::Centre {
                re: self.re.parse()?,
                im: self.im.parse()?,
                zoom: self.zoom.parse()?,
            },
            transform: fractal::Transform::default(),
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
            measures: self.measures.iter().copied().collect::<MeasureSet>(),
        })
    }
}
