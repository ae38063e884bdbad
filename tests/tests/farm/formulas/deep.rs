//! Deep views of hybrids and Julia sets, sample by sample against exact orbits, and the examples of docs/formulas.md.

use std::path::{Path, PathBuf};

use farm_tests::pictures::Npy;
use farm_tests::{folder, names_in, submitter};
use fractal::{Counts, FrameSpec, Grid, Measure, MeasureSet, Transform, View, oracle};

/// A fixed point of z² - i that repels orbits; in its first quadrant folds change nothing.
const FIXED: [&str; 2] = [
    "1.30024259022012041915890982074952138854853281918394761010483",
    "0.62481053384382658687960444744285144400523445641900232747015",
];
const SIZE: (u32, u32) = (12, 8);

/// The folder of the examples.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formulas")
}

/// A view: formula, c of a Julia set, centre, zoom and iteration limit.
struct Place {
    formula: String,
    julia: Option<[&'static str; 2]>,
    re: String,
    im: String,
    zoom: String,
    iterations: u64,
}

impl Place {
    /// Around the fixed point, which every phase has.
    fn julia(formula: &str, zoom: &str) -> Self {
        Self {
            formula: formula.to_owned(),
            julia: Some(["0", "-1"]),
            re: FIXED[0].to_owned(),
            im: FIXED[1].to_owned(),
            zoom: zoom.to_owned(),
            iterations: 2000,
        }
    }

    /// Of an example.
    fn example(name: &str, iterations: u64) -> Self {
        let path = examples().join(name);
        let said = submitter("info --json").arg(&path).ok().json();
        let text = |key: &str| said["location"][key].as_str().expect(key).to_owned();
        Self {
            formula: text("formula"),
            julia: None,
            re: text("re"),
            im: text("im"),
            zoom: text("zoom"),
            iterations,
        }
    }

    /// How many settled counts are not those of exact orbits, and how many different ones there are.
    fn compare(&self) -> (usize, usize) {
        let frame = FrameSpec {
            view: View::Centre {
                re: self.re.parse().expect("a number"),
                im: self.im.parse().expect("a number"),
                zoom: self.zoom.parse().expect("a number"),
            },
            transform: Transform::default(),
            grid: Grid::Pixels,
            width: SIZE.0,
            height: SIZE.1,
            iterations: self.iterations,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: self.formula.parse().expect("a formula"),
            julia: (self.julia).map(|c| c.map(|part| part.parse().expect("a number"))),
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: Counts::Settled,
            measures: MeasureSet::default().with(Measure::Iterations),
        };
        let folder = folder();
        let line = format!(
            "render -q --counts settled --measure iterations --re {} --im {} --zoom {} --size {}x{} --iterations {} -o x.npy",
            self.re, self.im, self.zoom, SIZE.0, SIZE.1, self.iterations
        );
        let mut render = submitter(&line).arg("--formula").arg(&self.formula);
        if let Some(c) = self.julia {
            render = render.arg("--julia").args(c);
        }
        render.within(&folder).ok();
        let mut counts = Npy::read(folder.path().join("x.npy")).u32s();
        let known = (0..SIZE.0 * SIZE.1)
            .map(|at| oracle::iteration_count(&frame, at % SIZE.0, at / SIZE.0));
        let wrong =
            (counts.iter().zip(known)).filter(|(count, known)| u64::from(**count) != *known);
        let wrong = wrong.count();
        counts.sort_unstable();
        counts.dedup();
        (wrong, counts.len())
    }
}

#[test]
fn deep_counts_of_hybrids_and_julia_sets_are_exact() {
    for place in [
        Place::julia("mandelbrot", "1e40"),
        Place::julia("burning-ship", "1e40"),
        Place::julia("sqr add / absx absy sqr add", "1e20"),
        Place::julia("absx absy sqr add / sqr add", "1e40"),
        Place::example("stripe-colouring.toml", 8000),
        Place::example("rainbow-fringe.toml", 8000),
        Place::example("saturated-boundary.toml", 20_000),
    ] {
        let (wrong, different) = place.compare();
        let what = format!("{} at {}", place.formula, place.zoom);
        assert_eq!(wrong, 0, "{what}");
        assert!(different > 2, "{what}: nothing to tell apart");
    }
}

#[test]
fn every_example_is_a_place_of_its_formula() {
    let names = names_in(&examples());
    let places = names
        .iter()
        .filter(|name| name.ends_with(".toml") && *name != "gallery.toml");
    let mut seen = 0;
    for name in places {
        let plan = submitter("plan --json --location")
            .arg(examples().join(name))
            .ok()
            .json();
        let is_other = plan["formula"].is_string() || plan["julia"].is_array();
        assert!(is_other, "{name}: {plan}");
        let warned = plan["warnings"].to_string();
        assert!(!warned.contains("digits too few"), "{name}: {warned}");
        seen += 1;
    }
    assert!(seen >= 6, "{names:?}");
}
