//! Counts of other formulas: against exact ones, and against plain loops that are written out here.

use std::collections::BTreeSet;

use farm_tests::oracle::Oracle;
use farm_tests::pictures::Npy;
use farm_tests::{folder, names_in, submitter};
use fractal::formula::settle;
use fractal::settled::Settlement;
use fractal::{Counts, FrameSpec, Grid, Measure, MeasureSet, Transform, View};

/// Every view of which exact counts are known, and whether a whole picture of it is quick: a whole picture of the
/// others takes minutes, of which nearly all pixels go again in long integers.
const VIEWS: [(&str, bool); 14] = [
    ("buffalo-1e2", true),
    ("celtic-1e10", false),
    ("celtic-1e2", false),
    ("multibrot3-1e10", false),
    ("multibrot3-1e2", true),
    ("multibrot4-1e100", true),
    ("multibrot4-1e2", true),
    ("perp-mandelbrot-1e10", false),
    ("perp-mandelbrot-1e2", false),
    ("perp-ship-1e2", false),
    ("ship-1e100", false),
    ("ship-1e2", true),
    ("tricorn-1e10", true),
    ("tricorn-1e2", true),
];

#[test]
fn every_known_count_of_other_formulas_is_right_once_it_is_settled() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/data/oracle/formulas");
    let known = names_in(data.as_ref());
    let known: BTreeSet<&str> = (known.iter())
        .filter_map(|name| name.strip_suffix(".json"))
        .collect();
    let views = VIEWS.map(|(name, _)| name);
    assert_eq!(known, views.into_iter().collect(), "all, and no other");
    let mut total = 0;
    for (name, is_quick) in VIEWS {
        let oracle = Oracle::load(&format!("formulas/{name}"));
        let formula = oracle.formula.as_deref().expect("a formula");
        total += oracle.samples.len();
        if !is_quick {
            // Sample by sample, as the program settles them.
            let frame = frame(&oracle.args, formula);
            for (col, row, count) in &oracle.samples {
                let settled = settle(&frame, *col as u32, *row as u32, &|| true);
                let Settlement::Settled(end) = settled else {
                    panic!("{name}: {col}, {row}: {settled:?}");
                };
                assert_eq!(end.count, u64::from(*count), "{name}: {col}, {row}");
            }
            continue;
        }
        let folder = folder();
        let line = format!(
            "render {} --counts settled --measure iterations -q -o x.npy",
            oracle.args
        );
        let render = submitter(&line).arg("--formula").arg(formula);
        render.within(&folder).ok();
        let comparison = oracle.compare(&Npy::read(folder.path().join("x.npy")));
        assert_eq!(comparison.wrong, 0, "{name}: {comparison:?}");
        assert_eq!(comparison.falsely_inside, 0, "{name}: {comparison:?}");
    }
    assert!(total > 2400, "{total}");
}

/// The frame of arguments of `render`.
fn frame(args: &str, formula: &str) -> FrameSpec {
    let words: Vec<&str> = args.split_whitespace().collect();
    let said = |name: &str| {
        let at = words.iter().position(|word| *word == name).expect(name);
        words[at + 1]
    };
    let (width, height) = said("--size").split_once('x').expect("a size");
    FrameSpec {
        view: View::Centre {
            re: said("--re").parse().expect("a number"),
            im: said("--im").parse().expect("a number"),
            zoom: said("--zoom").parse().expect("a number"),
        },
        transform: Transform::default(),
        grid: Grid::Pixels,
        width: width.parse().expect("columns"),
        height: height.parse().expect("rows"),
        iterations: said("--iterations").parse().expect("a limit"),
        escape_radius: said("--escape-radius").parse().expect("a radius"),
        z0: (0.0, 0.0),
        formula: formula.parse().expect("a formula"),
        julia: None,
        skip_error_log2: fractal::SKIP_ERROR_LOG2,
        counts: Counts::Settled,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

type Point = (f64, f64);

fn square((x, y): Point) -> Point {
    (x * x - y * y, 2.0 * x * y)
}

fn cube((x, y): Point) -> Point {
    (x * x * x - 3.0 * x * y * y, 3.0 * x * x * y - y * y * y)
}

fn ship((x, y): Point) -> Point {
    square((x.abs(), y.abs()))
}

fn cubic_ship((x, y): Point) -> Point {
    cube((x.abs(), y.abs()))
}

fn tricorn((x, y): Point) -> Point {
    square((x, -y))
}

fn celtic(z: Point) -> Point {
    let (x, y) = square(z);
    (x.abs(), y)
}

fn perpendicular_buffalo((x, y): Point) -> Point {
    ((x * x - y * y).abs(), -2.0 * x * y.abs())
}

fn folded_product((x, y): Point) -> Point {
    // z times what is folded of it.
    let (a, b) = (x.abs(), y.abs());
    (x * a - y * b, x * b + y * a)
}

/// The count of a point, by phases that come again and again; 0 inside.
fn count(phases: &[fn(Point) -> Point], mut z: Point, c: Point, most: u32) -> u32 {
    for n in 1..=most {
        let (x, y) = phases[(n as usize - 1) % phases.len()](z);
        z = (x + c.0, y + c.1);
        if z.0 * z.0 + z.1 * z.1 > 256.0 * 256.0 {
            return n;
        }
    }
    0
}

/// A formula as it is typed, and as loops here have it.
type Case = (&'static str, &'static [fn(Point) -> Point]);

const CASES: [Case; 11] = [
    ("mandelbrot", &[square]),
    ("burning-ship", &[ship]),
    ("tricorn", &[tricorn]),
    ("celtic", &[celtic]),
    ("multibrot-3", &[cube]),
    ("perpendicular-buffalo", &[perpendicular_buffalo]),
    ("store absx absy mul add", &[folded_product]),
    ("sqr add / absx absy sqr add", &[square, ship]),
    ("absx absy sqr add / sqr add", &[ship, square]),
    ("absx absy pow3 add / pow3 add", &[cubic_ship, cube]),
    (
        "sqr add / sqr add / absx absy pow3 add",
        &[square, square, cubic_ship],
    ),
];

const SIDE: u32 = 60;
const MOST: u32 = 40;

/// Counts of a picture from -2 to 2 in both directions that are not those of a loop, and how many there are.
fn differing(formula: &str, phases: &[fn(Point) -> Point], julia: Option<Point>) -> usize {
    let folder = folder();
    let line = format!(
        "render --re 0 --im 0 --zoom 1 --size {SIDE}x{SIDE} --iterations {MOST} --measure iterations -q -o x.npy"
    );
    let mut render = submitter(&line).arg("--formula").arg(formula);
    if let Some((re, im)) = julia {
        render = render.args(["--julia".to_owned(), re.to_string(), im.to_string()]);
    }
    render.within(&folder).ok();
    let picture = Npy::read(folder.path().join("x.npy"));
    let values = picture.u32s();
    let mut differ = 0;
    for (at, seen) in values.iter().enumerate() {
        let (col, row) = (at as u32 % SIDE, at as u32 / SIDE);
        let place = |index: u32| (f64::from(index) + 0.5) * 4.0 / f64::from(SIDE) - 2.0;
        let point = (place(col), -place(row));
        let (z, c) = match julia {
            Some(c) => (point, c),
            None => ((0.0, 0.0), point),
        };
        differ += usize::from(count(phases, z, c, MOST) != *seen);
    }
    differ
}

/// How many counts of a picture may be another by roundings, of 3600.
const BY_ROUNDINGS: usize = 3;

#[test]
fn counts_are_those_of_loops_in_whichever_order_phases_come() {
    for (formula, phases) in CASES {
        let differ = differing(formula, phases, None);
        assert!(differ <= BY_ROUNDINGS, "{formula}: {differ}");
    }
    // Control: an order of phases is another formula than the other.
    let (formula, _) = CASES[7];
    assert!(differing(formula, CASES[8].1, None) > 100);
}

#[test]
fn counts_of_julia_sets_are_those_of_loops() {
    for (formula, phases) in CASES {
        let differ = differing(formula, phases, Some((-0.75, 0.125)));
        assert!(differ <= BY_ROUNDINGS, "{formula}: {differ}");
    }
}
