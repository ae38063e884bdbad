//! Every decoder of the queue, as something that takes any bytes: for the fuzzer, for property tests, and for the
//! corpus that lies in the repository.
//!
//! A probe panics when a decoder breaks its promise: whatever it accepts is whole, and comes back when it is written
//! again. A new decoder is a line in [`ALL`] and a file in `fuzz/fuzz_targets`.

use farm_queue::protocol::attempts::{self, MAX_REASONS};
use farm_queue::protocol::entry::{self, Field, MAX_FIELDS};
use farm_queue::protocol::lines::{self, MAX_REASON_BYTES};
use farm_queue::protocol::{blob, packing, spec};
use farm_queue::status::{JobReport, Quarantine, WorkerRecord};
use farm_queue::{JobId, JobSpec};
use fractal::{
    Arithmetic, Backend, BackendChoice, FrameSpec, Grid, Measure, MeasureSet, Origin, Plane,
    StripBuffer, StripPlan, View,
};

/// A decoder: its name, what tries it, and what it should accept.
#[derive(Clone, Copy)]
pub struct Decoder {
    /// Name of the fuzz target and of the corpus' folder.
    pub name: &'static str,
    /// Takes any bytes; whether they were accepted.
    pub probe: fn(&[u8]) -> bool,
    /// Things that are accepted.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every decoder.
pub const ALL: [Decoder; 6] = [
    Decoder {
        name: "spec",
        probe: probe_spec,
        seeds: spec_seeds,
    },
    Decoder {
        name: "blob",
        probe: probe_blob,
        seeds: blob_seeds,
    },
    Decoder {
        name: "packing",
        probe: probe_packing,
        seeds: packing_seeds,
    },
    Decoder {
        name: "entry",
        probe: probe_entry,
        seeds: entry_seeds,
    },
    Decoder {
        name: "attempts",
        probe: probe_attempts,
        seeds: attempts_seeds,
    },
    Decoder {
        name: "status",
        probe: probe_status,
        seeds: status_seeds,
    },
];

const HEIGHT: u32 = 6;
const WIDTH: u32 = 13;
const PLAN: StripPlan = StripPlan {
    height: HEIGHT,
    strip_rows: 2,
};

/// A job that is always the same.
///
/// # Panics
/// Never: what is parsed here is constant.
#[must_use]
pub fn job(measures: MeasureSet) -> JobSpec {
    let bound = |text: &str| text.parse().expect("a constant that parses");
    JobSpec {
        id: JobId::parse("01J9ZZZZZZZZZZZZZZZZZZZZZZ").expect("a constant that parses"),
        frame: FrameSpec {
            view: View::Bounds {
                xmin: bound("-2"),
                xmax: bound("0.5"),
                ymin: bound("-1.5"),
                ymax: bound("1.5"),
            },
            transform: fractal::Transform::default(),
            grid: Grid::Pixels,
            width: WIDTH,
            height: HEIGHT,
            iterations: 100,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
            measures,
        },
        strips: PLAN,
        backend: BackendChoice::Auto,
        max_workers: None,
        build: 7,
        orbit: None,
        arithmetic: None,
        on: None,
    }
}

fn measure_sets() -> [MeasureSet; 2] {
    [
        MeasureSet::default().with(Measure::Smooth),
        Measure::ALL.into_iter().collect(),
    ]
}

fn probe_spec(bytes: &[u8]) -> bool {
    let Ok(job) = spec::decode(bytes, None) else {
        return false;
    };
    let again = spec::encode(&job, None).expect("what was read can be written");
    assert_eq!(spec::decode(&again, None).as_ref(), Ok(&job));
    true
}

fn spec_seeds() -> Vec<Vec<u8>> {
    let jobs = measure_sets().map(job);
    let encode = |job| spec::encode(job, None).expect("a good job");
    jobs.iter().map(encode).collect()
}

fn probe_blob(bytes: &[u8]) -> bool {
    let mut accepted = false;
    for measures in measure_sets() {
        let job = job(measures);
        for strip in PLAN.strips() {
            if let Ok(decoded) = blob::decode(bytes, &job, strip) {
                assert!(decoded.buffer.fits(&job.frame, strip));
                let (worker, attempt) = (&decoded.worker, decoded.attempt);
                let again = blob::encode(&job.id, &decoded.buffer, worker, attempt);
                assert!(blob::decode(&again, &job, strip).is_ok());
                accepted = true;
            }
        }
    }
    accepted
}

fn blob_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for measures in measure_sets() {
        let job = job(measures);
        for (at, strip) in PLAN.strips().enumerate() {
            let pixels = (strip.rows * WIDTH) as usize;
            let plane = |measure: Measure| {
                // Rows that pack well, and rows that do not.
                let bytes: Vec<u8> = (0..pixels * measure.bytes())
                    .map(|byte| match at {
                        0 if byte % measure.bytes() > 0 => 0,
                        0 => (byte / measure.bytes()) as u8,
                        _ => (byte as u8).wrapping_mul(31),
                    })
                    .collect();
                Plane::from_bytes(measure, &bytes)
            };
            let buffer = StripBuffer {
                strip,
                width: WIDTH,
                planes: job.frame.measures.iter().map(plane).collect(),
                iterations_total: 7,
                settling: fractal::Settling::default(),
                origin: Origin {
                    backend: Backend::Cpu,
                    arithmetic: Arithmetic::F64,
                    device: "a device".into(),
                    kernel_id: 1,
                },
                busy_secs: 0.5,
            };
            seeds.push(blob::encode(&job.id, &buffer, "a worker", at as u32 + 1));
        }
    }
    seeds
}

/// The first two bytes say which measure and how wide; the rest is packed.
fn probe_packing(bytes: &[u8]) -> bool {
    let [kind, width, packed @ ..] = bytes else {
        return false;
    };
    let measure = Measure::ALL[usize::from(*kind) % Measure::ALL.len()];
    let (width, rows) = (usize::from(*width % 64) + 1, usize::from(*kind / 16) + 1);
    let count = width * rows;
    let Ok(plane) = packing::unpack(measure, packed, count, width, None) else {
        return false;
    };
    assert_eq!(plane.bytes().len(), count * measure.bytes());
    if let Some(again) = packing::pack(&plane, width) {
        let back = packing::unpack(measure, &again, count, width, Some(plane.clone()));
        // By bytes: some of the values may be no numbers.
        assert_eq!(back.expect("what was packed").bytes(), plane.bytes());
    }
    true
}

fn packing_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (kind, measure) in Measure::ALL.into_iter().enumerate() {
        for (width, rows) in [(64usize, 16usize), (40, 16)] {
            let bytes: Vec<u8> = (0..width * rows * measure.bytes())
                .map(|at| match at % measure.bytes() {
                    0 => (at / measure.bytes() / 7) as u8,
                    _ => 0,
                })
                .collect();
            let plane = Plane::from_bytes(measure, &bytes);
            if let Some(packed) = packing::pack(&plane, width) {
                // A kind that says 16 rows and this measure.
                let kind = (0..=255u8).find(|byte| {
                    usize::from(*byte) % Measure::ALL.len() == kind && byte / 16 == 15
                });
                seeds.push([&[kind.unwrap_or(0), width as u8 - 1], &packed[..]].concat());
            }
        }
    }
    seeds
}

/// Fields, each a length and so many bytes, name and value in turn.
fn fields(mut bytes: &[u8]) -> Vec<Field> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (text, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        texts.push(text.to_vec());
        bytes = rest;
    }
    let pairs = texts.chunks_exact(2);
    pairs
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect()
}

fn probe_entry(bytes: &[u8]) -> bool {
    let fields = fields(bytes);
    let reasons = entry::reasons(&fields);
    assert!(reasons.len() <= MAX_REASONS);
    assert!(
        reasons
            .iter()
            .all(|reason| reason.len() <= MAX_REASON_BYTES)
    );
    let order = entry::order(&fields, PLAN);
    let strip = entry::strip(&fields, PLAN);
    assert_eq!(order.is_ok(), strip.is_ok());
    let Ok((strip, issue)) = strip else {
        return false;
    };
    assert!(fields.len() <= MAX_FIELDS);
    assert_eq!(PLAN.strip(strip.index), Some(strip));
    assert!(issue.slot(strip, PLAN) < 2 * PLAN.count());
    true
}

fn entry_seeds() -> Vec<Vec<u8>> {
    let fields = |texts: &[&str]| {
        let text = |text: &&str| [&[text.len() as u8], text.as_bytes()].concat();
        texts.iter().flat_map(text).collect::<Vec<u8>>()
    };
    let version = entry::ENTRY_VERSION;
    vec![
        fields(&["v", version, "s", "1"]),
        fields(&["v", version, "s", "4", "n", "a worker", "x", "1"]),
        fields(&[
            "v",
            version,
            "s",
            "0",
            "r",
            "a.1.00ff: no heartbeat\nb: x\n",
        ]),
    ]
}

fn probe_attempts(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let line = lines::reason_line(&text);
    assert!(line.len() <= MAX_REASON_BYTES && !line.chars().any(char::is_control));
    assert_eq!(lines::reason_line(&line), line);
    let name = lines::worker_name(&text);
    assert!(name.len() <= lines::MAX_NAME_BYTES && !name.contains(':'));
    assert!(text.starts_with(lines::worker_of(&text)));
    let mut reasons = Vec::new();
    for line in text.lines() {
        attempts::remember(&mut reasons, line);
    }
    assert!(reasons.len() <= MAX_REASONS);
    attempts::failure_source(&text).is_some()
}

fn attempts_seeds() -> Vec<Vec<u8>> {
    [
        "box.local.12.00ff: no heartbeat",
        "box: device lost",
        "é: \u{7}x",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn probe_status(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let quarantine = Quarantine::parse(&text);
    if let Some(quarantine) = &quarantine {
        assert!(quarantine.reason.len() <= MAX_REASON_BYTES);
    }
    let report: Result<JobReport, _> = serde_json::from_slice(bytes);
    let worker: Result<WorkerRecord, _> = serde_json::from_slice(bytes);
    quarantine.is_some() || report.is_ok() || worker.is_ok()
}

fn status_seeds() -> Vec<Vec<u8>> {
    let report = serde_json::to_vec(&JobReport::default());
    let worker = serde_json::to_vec(&WorkerRecord::default());
    let mut seeds = vec![b"1700000000000 2 three failures".to_vec()];
    seeds.extend([report, worker].into_iter().flatten());
    seeds
}

/// Runs the probe of that name.
///
/// # Panics
/// When the decoder breaks its promise, or there is none of that name.
pub fn probe(name: &str, bytes: &[u8]) {
    let decoder = ALL.iter().find(|decoder| decoder.name == name);
    (decoder.expect("a decoder of that name").probe)(bytes);
}
