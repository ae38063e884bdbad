//! What a pixel holds: every measure, view and parameter against one-pixel-at-a-time code.

use farm_tests::naive::{self, Escape};
use farm_tests::pictures::Npy;
use farm_tests::{Server, Worker, digest, folder, gpu, submitter};

const WIDTH: usize = 96;
const HEIGHT: usize = 72;
/// Percent of pixels that may differ: near the boundary the last bits decide a count.
const MAY_DIFFER: f64 = 1.0;

/// One measure, by formula: arguments, value of a pixel at `c`, and how near (relative, but at least one).
struct Case {
    args: &'static str,
    value: fn((f64, f64)) -> f64,
    nearness: f64,
}

/// Distance between neighbouring pixels of the view below: 4/zoom over the rows.
const SPACING: f64 = 4.0 / 1.5 / HEIGHT as f64;
const N: u32 = 400;

fn at(c: (f64, f64), radius: f64) -> Escape {
    naive::iterate(c, (0.0, 0.0), N, radius)
}

const CASES: [Case; 9] = [
    Case {
        args: "--measure iterations",
        value: |c| f64::from(at(c, 256.0).count),
        nearness: 0.0,
    },
    Case {
        args: "--measure iterations --escape-radius 2",
        value: |c| f64::from(at(c, 2.0).count),
        nearness: 0.0,
    },
    Case {
        args: "--measure iterations --z0 0.3 -0.2",
        value: |c| f64::from(naive::iterate(c, (0.3, -0.2), N, 256.0).count),
        nearness: 0.0,
    },
    Case {
        args: "--measure smooth",
        value: |c| naive::smooth(at(c, 256.0), 256.0),
        nearness: 1e-4,
    },
    Case {
        args: "--measure smooth --escape-radius 1000",
        value: |c| naive::smooth(at(c, 1000.0), 1000.0),
        nearness: 1e-4,
    },
    Case {
        args: "--measure distance",
        value: |c| naive::distance(at(c, 256.0), SPACING),
        nearness: 1e-3,
    },
    Case {
        args: "--measure stability",
        value: |c| naive::stability(c, (0.0, 0.0), N),
        nearness: 1e-6,
    },
    Case {
        args: "--measure stability --z0 0.1 0.1",
        value: |c| naive::stability(c, (0.1, 0.1), N),
        nearness: 1e-6,
    },
    Case {
        args: "--measure fraction",
        value: |c| naive::smooth(at(c, 256.0), 256.0) - f64::from(at(c, 256.0).count),
        nearness: 1e-4,
    },
];

/// Percent of pixels whose value is not the formula's.
fn percent_off(case: &Case, backend: &str) -> f64 {
    let folder = folder();
    let args = case.args;
    let line = format!(
        "render --re -0.6 --im 0.05 --zoom 1.5 --size {WIDTH}x{HEIGHT} --iterations {N} --backend {backend} -q -o x.npy {args}"
    );
    submitter(&line).within(&folder).ok();
    let values = Npy::read(folder.path().join("x.npy")).values_f64();
    assert_eq!(values.len(), WIDTH * HEIGHT);
    let off = (0..values.len())
        .filter(|pixel| {
            let (col, row) = ((pixel % WIDTH) as f64, (pixel / WIDTH) as f64);
            let (w, h) = (WIDTH as f64, HEIGHT as f64);
            let c = (
                -0.6 + (col + 0.5 - w / 2.0) * SPACING,
                0.05 - (row + 0.5 - h / 2.0) * SPACING,
            );
            let (got, expected) = (values[*pixel], (case.value)(c));
            if expected.is_nan() {
                return !got.is_nan();
            }
            got.is_nan() || (got - expected).abs() > case.nearness * expected.abs().max(1.0)
        })
        .count();
    100.0 * off as f64 / values.len() as f64
}

#[test]
fn every_measure_is_its_formula() {
    for case in &CASES {
        let percent = percent_off(case, "cpu");
        assert!(
            percent <= MAY_DIFFER,
            "{}: {percent:.2} % differ",
            case.args
        );
    }
}

#[test]
fn every_measure_is_its_formula_on_adapters() {
    if !gpu::is_there() {
        return;
    }
    for case in &CASES {
        let percent = percent_off(case, "gpu");
        assert!(
            percent <= MAY_DIFFER,
            "{}: {percent:.2} % differ",
            case.args
        );
    }
}

#[test]
fn control_another_formula_is_far_off() {
    for (args, other) in [(0, 1), (2, 0), (3, 4), (5, 3), (6, 7)] {
        let case = Case {
            args: CASES[args].args,
            value: CASES[other].value,
            nearness: CASES[args].nearness,
        };
        let percent = percent_off(&case, "cpu");
        assert!(
            percent > MAY_DIFFER,
            "{} as if {}",
            CASES[args].args,
            CASES[other].args
        );
    }
}

/// Digests of pictures by several ways to say one view, which have to be equal.
#[test]
fn one_view_has_many_spellings() {
    let zeros = "0".repeat(300);
    let spellings: [&[String]; 3] = [
        &[
            "--density 40".to_owned(),
            "--xmin -2 --xmax 0.5 --ymin -1.5 --ymax 1.5 --density 40".to_owned(),
            "--xmin=-2.0 --xmax 5e-1 --ymin=-15e-1 --ymax +1.5 --density 4E1".to_owned(),
            "--re -0.75 --im 0 --zoom 1.33333333333333333333333333333333333333333 --size 100x120"
                .to_owned(),
        ],
        &[
            "--re -0.7436 --im 0.1318 --zoom 2000 --size 64x48".to_owned(),
            format!("--re -0.7436{zeros} --im 0.1318{zeros} --zoom 2e3 --size 64x48"),
            format!("--re -{zeros}0.7436 --im 13.18e-2 --zoom 0.002e6 --size 64X48"),
        ],
        &[
            "--re -1.2 --im 0 --zoom 2 --size 40x30 --iterations 1000".to_owned(),
            "--re -1.2 --im 0 --zoom 2 --size 40x30 --escape-radius 256 --z0 0 0 --grid pixels"
                .to_owned(),
        ],
    ];
    let folder = folder();
    let mut seen = Vec::new();
    for (group, lines) in spellings.iter().enumerate() {
        let digests: Vec<u64> = lines
            .iter()
            .map(|line| {
                submitter(&format!("render --backend cpu -q -o x.npy {line}"))
                    .within(&folder)
                    .ok();
                digest(folder.path().join("x.npy"))
            })
            .collect();
        assert!(
            digests.windows(2).all(|pair| pair[0] == pair[1]),
            "{group}: {lines:?} {digests:x?}"
        );
        assert!(
            !seen.contains(&digests[0]),
            "control: another view is another picture"
        );
        seen.push(digests[0]);
    }
}

#[test]
fn totals_beyond_64_bits_are_told() {
    // All of it inside: 2^14 pixels of 2^53 iterations each.
    const VIEW: &str = "--re 0 --im 0 --zoom 1e10 --size 128x128 --iterations 9007199254740992 --measure iterations \
                        --backend cpu --strip-rows 128";
    const TOTAL: &str = "147573952589676412928";
    let told = format!("\"iterations_total\":{TOTAL}");
    let (server, folder) = (Server::start(), folder());
    let here = submitter(&format!("render {VIEW} --json -q -o x.npy"));
    let here = here.within(&folder).ok();
    assert!(here.stdout.contains(&told), "{here:?}");
    // By a worker elsewhere, and in a batch's report.
    let _worker = Worker::start(&server, "worker");
    let far = format!("render {VIEW} --redis {} --json -q -o y.npy", server.url());
    let far = submitter(&far).within(&folder).ok();
    assert!(far.stdout.contains(&told), "{far:?}");
    assert_eq!(
        digest(folder.path().join("x.npy")),
        digest(folder.path().join("y.npy"))
    );
    let batch = "[[job]]\nre = \"0\"\nim = \"0\"\nzoom = \"1e10\"\nsize = \"128x128\"\niterations = 9007199254740992\n\
                 measure = \"iterations\"\nbackend = \"cpu\"\noutput = \"z.npy\"\n";
    std::fs::write(folder.path().join("jobs.toml"), batch).expect("a file");
    let batch = submitter("batch jobs.toml -q --json").within(&folder).ok();
    assert!(batch.stdout.contains(&told), "{batch:?}");
    // And of a sequence, from what its key frames keep.
    let zoom = |more: &str| {
        let line = format!("zoom {more} --fps 1 --backend cpu --json -q");
        submitter(&line).within(&folder).ok().json()
    };
    let made = zoom(
        "--re 0 --im 0 --from 1e10 --to 4e10 --size 128x128 --iterations 9007199254740992 --keep keys -o a/%02d.png",
    );
    let again = zoom("--reuse keys -o b/%02d.png");
    let figure = |name: &str| made[name].as_f64().expect("a figure");
    let pixels = figure("key_frames") * figure("key_width") * figure("key_height");
    assert!(figure("iterations_total") > 2f64.powi(64), "{made}");
    assert_eq!(figure("iterations_total"), pixels * 2f64.powi(53), "{made}");
    assert_eq!(
        again["iterations_keys"], made["iterations_total"],
        "{again}"
    );
}
