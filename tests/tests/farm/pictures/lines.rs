//! Pictures of one row, one column or one sample at depth, and pixels that are far from square.

use farm_tests::pictures::Npy;
use farm_tests::{folder, gpu, submitter};
use fractal::{FrameSpec, Grid, Measure, MeasureSet, SKIP_ERROR_LOG2, Transform, View, oracle};

const RE: &str =
    "-0.7437485627794257007334747472549807878117145697411620836770853449423833889100126";
const IM: &str =
    "0.1318710906608262749433175178216937155291090265305708196113361784344997403491702";
const ZOOM: &str = "1.764e47";
const ITERATIONS: u64 = 6000;

fn spec(grid: Grid, (width, height): (u32, u32)) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: RE.parse().expect("a number"),
            im: IM.parse().expect("a number"),
            zoom: ZOOM.parse().expect("a number"),
        },
        transform: Transform::default(),
        grid,
        width,
        height,
        iterations: ITERATIONS,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: fractal::Formula::default(),
        julia: None,
        skip_error_log2: SKIP_ERROR_LOG2,
        counts: fractal::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

/// How many counts of a picture differ from exact ones.
fn off(grid: Grid, size: (u32, u32), more: &str) -> usize {
    let folder = folder();
    let name = match grid {
        Grid::Linspace => "linspace",
        _ => "pixels",
    };
    submitter(&format!(
        "render --re {RE} --im {IM} --zoom {ZOOM} --grid {name} --size {}x{} --iterations {ITERATIONS} \
         --measure iterations -q -o x.npy {more}",
        size.0, size.1
    ))
    .within(&folder)
    .ok();
    let counts = Npy::read(folder.path().join("x.npy")).u32s();
    let spec = spec(grid, size);
    let known =
        (0..size.0 * size.1).map(|at| oracle::iteration_count(&spec, at % size.0, at / size.0));
    let pairs = counts.iter().zip(known);
    assert_eq!(pairs.len(), counts.len());
    pairs
        .filter(|(count, known)| u64::from(**count) != *known)
        .count()
}

#[test]
fn rows_columns_and_single_samples_have_exact_counts() {
    for grid in [Grid::Linspace, Grid::Pixels] {
        for size in [(96, 1), (1, 48), (1, 1)] {
            let off = off(grid, size, "--backend cpu");
            // The last bits may decide one of a hundred.
            assert!(off <= size.0 as usize / 96, "{grid:?} {size:?}: {off}");
        }
    }
    if gpu::is_there() {
        assert!(off(Grid::Linspace, (96, 1), "--backend gpu") <= 1);
    }
}

#[test]
fn a_row_is_that_of_a_higher_picture() {
    let folder = folder();
    let bounds = "--xmin=-1.7499999999999999999999999999 --xmax=-1.7499999999999999999999999998 --ymin 1e-29";
    let counts = |line: &str| {
        submitter(&format!(
            "render {bounds} --grid linspace --iterations 2000 --measure iterations --backend cpu -q -o x.npy {line}"
        ))
        .within(&folder)
        .ok();
        Npy::read(folder.path().join("x.npy"))
    };
    // A density so low that there is one row, and one so high that there are some, the first of which is the same.
    let low = counts("--ymax 1.4e-29 --density 3e29");
    assert_eq!((low.width, low.height), (30, 1), "one row");
    let high = counts("--ymax 3e-29 --density 3e29");
    assert_eq!((high.width, high.height), (30, 6));
    assert_eq!(low.u32s(), high.u32s()[..30]);
}

#[test]
fn pixels_far_from_square_are_refused_in_a_sentence() {
    let folder = folder();
    let place = |high: &str| {
        let text = format!(
            "xmin = \"-1.7005\"\nxmax = \"-1.6995\"\nymin = \"-{high}\"\nymax = \"{high}\"\n\
             iterations = 1000\nescape_radius = 256.0\ngrid = \"pixels\"\nwidth = 60\nheight = 40\n"
        );
        std::fs::write(folder.path().join("place.toml"), text).expect("a file");
        submitter("render --location place.toml --measure iterations --backend cpu -q -o x.npy")
            .within(&folder)
            .run()
    };
    let refused = place("5e-21");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let said = &refused.stderr;
    assert!(
        said.contains("pixels are too far from square") && said.lines().count() == 1,
        "{said}"
    );
    // Control: less narrow ones are drawn.
    assert_eq!(place("5e-10").code, Some(0));
}
