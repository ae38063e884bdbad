//! What the blob's reader must accept, refuse and survive.

use fractal::{
    Arithmetic, Backend, BackendChoice, Counts, FrameSpec, Grid, Measure, MeasureSet, Origin,
    Plane, Settling, StripBuffer, StripPlan, View,
};
use proptest::prelude::*;

use super::format::*;
use super::read::decode_with;
use super::*;
use crate::job::{JobId, JobSpec};
use crate::order::Issue;
use crate::protocol::signing::{FarmKey, SEAL_BYTES};
use crate::protocol::spec;

/// Where a header has its iterations: any number of them may be true.
const ITERATIONS_AT: usize = 72;

fn spec_with(measures: MeasureSet) -> JobSpec {
    let spec = JobSpec {
        id: JobId::generate(),
        frame: FrameSpec {
            view: View::Bounds {
                xmin: "-2".parse().unwrap(),
                xmax: "0.5".parse().unwrap(),
                ymin: "-1.5".parse().unwrap(),
                ymax: "1.5".parse().unwrap(),
            },
            transform: fractal::Transform::default(),
            grid: Grid::Pixels,
            width: 13,
            height: 20,
            iterations: 100,
            escape_radius: 256.0,
            z0: (0.0, 0.0),
            formula: fractal::Formula::default(),
            julia: None,
            skip_error_log2: fractal::SKIP_ERROR_LOG2,
            counts: fractal::Counts::Fast,
            measures,
        },
        strips: StripPlan {
            height: 20,
            strip_rows: 3,
        },
        backend: BackendChoice::Auto,
        max_workers: None,
        build: 0,
        orbit: None,
        arithmetic: None,
        on: None,
    };
    spec::check(&spec).unwrap();
    spec
}

fn all_measures() -> MeasureSet {
    Measure::ALL.into_iter().collect()
}

/// A buffer whose planes are packed where `seed` is even, and are not worth packing where it is odd.
fn buffer_of(spec: &JobSpec, index: u32, seed: u8) -> StripBuffer {
    let strip = spec.strips.strip(index).unwrap();
    let pixels = (strip.rows * spec.frame.width) as usize;
    let planes = spec.frame.measures.iter().map(|measure| {
        let bytes: Vec<u8> = (0..pixels * measure.bytes())
            .map(|at| match seed % 2 {
                0 if at % measure.bytes() > 0 => 0,
                0 => (at / measure.bytes()) as u8 ^ seed,
                _ => (at as u8).wrapping_mul(31).wrapping_add(seed),
            })
            .collect();
        Plane::from_bytes(measure, &bytes)
    });
    let buffer = StripBuffer {
        strip,
        width: spec.frame.width,
        planes: planes.collect(),
        iterations_total: 1234,
        settling: Settling::default(),
        origin: Origin {
            backend: Backend::Gpu,
            arithmetic: Arithmetic::DoubleSingle,
            device: "Gerät 7".into(),
            kernel_id: 0xfeed_beef_0123_4567,
        },
        busy_secs: 0.125,
    };
    assert!(buffer.fits(&spec.frame, strip));
    buffer
}

fn same(a: &StripBuffer, b: &StripBuffer) -> bool {
    // By bytes: a plane may hold NaN.
    let bytes = |buffer: &StripBuffer| -> Vec<Vec<u8>> {
        (buffer.planes.iter()).map(|p| p.bytes().to_vec()).collect()
    };
    let bare = |buffer: &StripBuffer| StripBuffer {
        planes: Vec::new(),
        ..buffer.clone()
    };
    bytes(a) == bytes(b) && bare(a) == bare(b)
}

#[test]
fn names_of_any_length_are_cut_to_fit() {
    let spec = spec_with(all_measures());
    let mut buffer = buffer_of(&spec, 0, 1);
    buffer.origin.device = "é".repeat(500);
    let blob = encode(&spec.id, &buffer, &"w".repeat(500), 1);
    let decoded = decode(&blob, &spec, buffer.strip).unwrap();
    assert_eq!(decoded.worker, "w".repeat(MAX_NAME_BYTES));
    assert_eq!(decoded.buffer.origin.device, "é".repeat(MAX_NAME_BYTES / 2));
    assert!(blob.len() as u64 <= MAX_HEADER_BYTES as u64 + spec::largest_strip_bytes(&spec));
}

#[test]
fn names_lose_their_control_characters() {
    let spec = spec_with(all_measures());
    let mut buffer = buffer_of(&spec, 0, 0);
    buffer.origin.device = "\u{1b}[2Jé\u{9b}H\0".into();
    let blob = encode(&spec.id, &buffer, "a\r\nb", 1);
    let decoded = decode(&blob, &spec, buffer.strip).unwrap();
    assert_eq!(decoded.buffer.origin.device, "[2JéH");
    assert_eq!(decoded.worker, "ab");
}

#[test]
fn refuses_more_iterations_than_a_strip_has() {
    let spec = spec_with(all_measures());
    let mut buffer = buffer_of(&spec, 0, 0);
    let most = 3 * 13 * 100;
    for (total, good) in [(most, true), (most + 1, false), (u128::MAX, false)] {
        buffer.iterations_total = total;
        let blob = encode(&spec.id, &buffer, "w", 1);
        assert_eq!(decode(&blob, &spec, buffer.strip).is_ok(), good, "{total}");
    }
    for busy_secs in [-1.0, f64::NAN, f64::INFINITY] {
        buffer.iterations_total = 0;
        buffer.busy_secs = busy_secs;
        let blob = encode(&spec.id, &buffer, "w", 1);
        let refused = decode(&blob, &spec, buffer.strip);
        assert_eq!(refused, Err(BlobError::Field("busy time")));
    }
}

#[test]
fn totals_beyond_64_bits_travel() {
    let mut spec = spec_with(MeasureSet::default().with(Measure::Stability));
    (spec.frame.width, spec.frame.iterations) = (1 << 13, fractal::frame::MAX_ITERATIONS);
    let mut buffer = buffer_of(&spec, 0, 0);
    let most = 3 * (1u128 << (13 + 53));
    for (total, good) in [(1 << 64, true), (most, true), (most + 1, false)] {
        buffer.iterations_total = total;
        let blob = encode(&spec.id, &buffer, "w", 1);
        let decoded =
            decode(&blob, &spec, buffer.strip).map(|decoded| decoded.buffer.iterations_total);
        assert_eq!(decoded.ok(), good.then_some(total));
    }
}

#[test]
fn what_it_took_to_settle_counts_travels() {
    let mut spec = spec_with(all_measures());
    spec.frame.counts = Counts::Settled;
    let mut buffer = buffer_of(&spec, 0, 0);
    // Three rows of 13 pixels.
    for (again, unsettled, good) in [
        (0, 0, true),
        (39, 1, true),
        (7, 39, true),
        (40, 0, false),
        (0, 40, false),
        (u64::MAX, 0, false),
    ] {
        buffer.settling = Settling { again, unsettled };
        let blob = encode(&spec.id, &buffer, "w", 1);
        let decoded = decode(&blob, &spec, buffer.strip).map(|decoded| decoded.buffer.settling);
        assert_eq!(decoded.ok(), good.then_some(buffer.settling));
    }
    // Of fast counts there is nothing to settle.
    buffer.settling = Settling {
        again: 1,
        unsettled: 0,
    };
    let blob = encode(&spec.id, &buffer, "w", 1);
    spec.frame.counts = Counts::Fast;
    let refused = decode(&blob, &spec, buffer.strip);
    assert_eq!(refused, Err(BlobError::Field("number of settled pixels")));
}

#[test]
fn refuses_what_is_foreign() {
    let spec = spec_with(all_measures());
    let strip = spec.strips.strip(1).unwrap();
    let blob = encode(&spec.id, &buffer_of(&spec, 1, 0), "w", 1);
    let refused = |spec: &JobSpec, strip| decode(&blob, spec, strip).unwrap_err();

    let other_strip = spec.strips.strip(2).unwrap();
    assert_eq!(refused(&spec, other_strip), BlobError::Foreign("strip"));
    let last = spec.strips.strip(6).unwrap();
    assert_eq!(refused(&spec, last), BlobError::Foreign("strip"));
    // Longer than its strip may be: not even looked into.
    let raw = encode(&spec.id, &buffer_of(&spec, 1, 1), "w", 1);
    let error = decode(&raw, &spec, last).unwrap_err();
    assert!(matches!(error, BlobError::Length { .. }));
    let mut other = spec.clone();
    other.id = JobId::generate();
    assert_eq!(refused(&other, strip), BlobError::Foreign("job"));
    let mut other = spec.clone();
    other.frame.measures = [Measure::Iterations, Measure::Stability, Measure::Distance]
        .into_iter()
        .collect();
    assert_eq!(
        refused(&other, strip),
        BlobError::Foreign("set of measures")
    );
    let mut pinned = spec;
    pinned.backend = BackendChoice::Cpu;
    assert_eq!(refused(&pinned, strip), BlobError::Backend("gpu"));
}

#[test]
fn refuses_measures_of_the_same_size() {
    let smooth = spec_with(MeasureSet::default().with(Measure::Smooth));
    let mut distance = smooth.clone();
    distance.frame.measures = MeasureSet::default().with(Measure::Distance);
    let buffer = buffer_of(&smooth, 0, 0);
    let blob = encode(&smooth.id, &buffer, "w", 1);
    assert_eq!(
        decode(&blob, &distance, buffer.strip),
        Err(BlobError::Foreign("set of measures"))
    );
}

#[test]
fn refuses_other_versions_and_other_things() {
    let spec = spec_with(all_measures());
    let buffer = buffer_of(&spec, 0, 0);
    let blob = encode(&spec.id, &buffer, "w", 1);
    let changed = |at: usize, to: u8| {
        let mut blob = blob.clone();
        blob[at] = to;
        decode(&blob, &spec, buffer.strip).unwrap_err()
    };
    assert_eq!(changed(0, b'X'), BlobError::Magic);
    assert_eq!(changed(4, 9), BlobError::Version(9));
    assert_eq!(changed(4, 4), BlobError::Version(4), "of an earlier build");
    assert_eq!(
        changed(124, 1),
        BlobError::Field("number of settled pixels")
    );
    assert_eq!(changed(56, 0), BlobError::Field("attempt"));
    assert_eq!(changed(61, 77), BlobError::Field("back end"));
    assert_eq!(changed(62, 77), BlobError::Field("arithmetic"));
    assert_eq!(
        changed(63, 0xff),
        BlobError::Field("set of packed measures")
    );
    assert_eq!(changed(75, 1), BlobError::Field("number of iterations"));
    assert_eq!(changed(95, 0xff), BlobError::Field("busy time"));
    assert_eq!(changed(132, 121), BlobError::Field("length of names"));
    assert_eq!(changed(134, 0xff), BlobError::Field("device's name"));
    assert_eq!(changed(134, 0x1b), BlobError::Field("device's name"));
    let last_of_names = 134 + buffer.origin.device.len();
    assert_eq!(
        changed(last_of_names, 0x07),
        BlobError::Field("worker's name")
    );
    assert_eq!(
        decode(&[], &spec, buffer.strip),
        Err(BlobError::Truncated(0))
    );
}

/// A blob is never longer than its strip, packed or not, and says for each plane which it is.
#[test]
fn refuses_planes_of_other_lengths() {
    let spec = spec_with(MeasureSet::default().with(Measure::Smooth));
    let refused = |seed: u8, at: usize, to: u8| {
        let buffer = buffer_of(&spec, 0, seed);
        let mut blob = encode(&spec.id, &buffer, "w", 1);
        assert_eq!(
            blob[63],
            if seed.is_multiple_of(2) {
                bit(Measure::Smooth)
            } else {
                0
            }
        );
        assert_eq!(blob.len() < 200, seed.is_multiple_of(2));
        blob[at] = to;
        decode(&blob, &spec, buffer.strip).unwrap_err()
    };
    let plane = |measure: Measure, found, raw| BlobError::Plane {
        measure: measure.name(),
        found,
        raw,
    };
    // Three rows of 13 pixels: 156 bytes. Lengths of planes begin at 96.
    assert_eq!(refused(0, 63, 0), plane(Measure::Smooth, 33, 156));
    assert_eq!(refused(1, 63, 2), plane(Measure::Smooth, 156, 156));
    assert_eq!(refused(1, 100, 155), plane(Measure::Smooth, 155, 156));
    assert_eq!(refused(0, 96, 1), plane(Measure::Iterations, 1, 0));
    let payload = BlobError::Field("length of its payload");
    assert_eq!(refused(0, 100, 32), payload);
    assert!(matches!(refused(0, 16, 112), BlobError::Length { .. }));
}

/// The control of the flips below: without the digest, a changed pixel goes unseen.
#[test]
fn only_the_digest_sees_a_changed_pixel() {
    let spec = spec_with(all_measures());
    let buffer = buffer_of(&spec, 0, 1);
    let mut blob = encode(&spec.id, &buffer, "w", 1);
    *blob.last_mut().unwrap() ^= 1;
    assert_eq!(decode(&blob, &spec, buffer.strip), Err(BlobError::Digest));
    let missed = decode_with(&blob, &spec, buffer.strip, Vec::new(), None, blind).unwrap();
    assert!(!same(&missed.buffer, &buffer));
}

fn blind(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[DIGEST_AT..AFTER_DIGEST].try_into().unwrap())
}

fn any_measures() -> impl Strategy<Value = MeasureSet> {
    (1u8..16).prop_map(|bits| {
        let chosen = |measure: &Measure| bits & bit(*measure) != 0;
        Measure::ALL.into_iter().filter(chosen).collect()
    })
}

#[test]
fn a_key_takes_its_own_seal_for_this_strip_of_this_picture_and_no_other() {
    let spec = spec_with(all_measures());
    let buffer = buffer_of(&spec, 1, 0);
    let key = |of| FarmKey::new(&[of; 32]).unwrap();
    let (ours, theirs) = (key(1), key(2));
    let sealed = |key: &FarmKey, spec: &JobSpec, issue| {
        let parts = parts(&spec.id, &buffer, "w", 1).sealed(&Sealer::new(key, spec), issue, "w");
        let total = parts.total_len();
        let bytes: Vec<u8> = parts.pieces().flatten().copied().collect();
        assert_eq!(bytes.len(), total);
        bytes
    };
    let sealer = Sealer::new(&ours, &spec);
    let read = |bytes: &[u8], issue| {
        open(
            bytes,
            &spec,
            buffer.strip,
            Vec::new(),
            Some((&sealer, issue)),
        )
    };
    let good = sealed(&ours, &spec, Issue::Render);
    assert_eq!(read(&good, Issue::Render).unwrap().buffer, buffer);
    // Who has no key does not look at it.
    assert_eq!(decode(&good, &spec, buffer.strip).unwrap().buffer, buffer);
    assert_eq!(read(&good, Issue::Audit), Err(BlobError::Seal));
    let theirs = sealed(&theirs, &spec, Issue::Render);
    assert_eq!(read(&theirs, Issue::Render), Err(BlobError::Seal));
    let mut other = spec.clone();
    other.frame.iterations += 1;
    let of_another = sealed(&ours, &other, Issue::Render);
    assert_eq!(read(&of_another, Issue::Render), Err(BlobError::Seal));
    let unsealed = encode(&spec.id, &buffer, "w", 1);
    assert_eq!(read(&unsealed, Issue::Render), Err(BlobError::Unsealed));
    // As somebody would who knows how digests are made, and has no key.
    for at in [ITERATIONS_AT, good.len() - SEAL_BYTES - 1] {
        let mut forged = good.clone();
        forged[at] ^= 1;
        let end = forged.len() - SEAL_BYTES;
        let right = digest(&forged[..end], std::iter::empty());
        forged[DIGEST_AT..AFTER_DIGEST].copy_from_slice(&right.to_le_bytes());
        assert_eq!(read(&forged, Issue::Render), Err(BlobError::Seal), "{at}");
    }
    for at in 0..good.len() {
        let mut damaged = good.clone();
        damaged[at] ^= 0x10;
        assert!(read(&damaged, Issue::Render).is_err(), "{at}");
    }
}

proptest! {
    #[test]
    fn comes_back_as_it_went(
        measures in any_measures(), index in 0u32..7, seed: u8, worker in "w.{0,59}", attempt in 1u32..,
        kernel_id: u64, iterations_total in 0u128..=13 * 2 * 100, busy_secs in 0.0f64..1e9,
    ) {
        let spec = spec_with(measures);
        let mut buffer = buffer_of(&spec, index, seed);
        buffer.origin.kernel_id = kernel_id;
        buffer.iterations_total = iterations_total;
        buffer.busy_secs = busy_secs;
        let decoded = decode(&encode(&spec.id, &buffer, &worker, attempt), &spec, buffer.strip).unwrap();
        prop_assert!(same(&decoded.buffer, &buffer));
        prop_assert!(decoded.buffer.fits(&spec.frame, buffer.strip));
        prop_assert_eq!(decoded.worker, name(&worker));
        prop_assert_eq!(decoded.attempt, attempt);
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let spec = spec_with(all_measures());
        prop_assert!(decode(&bytes, &spec, spec.strips.strip(0).unwrap()).is_err());
    }

    #[test]
    fn any_bytes_behind_a_good_start_are_refused(keep in 0usize..200, bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let spec = spec_with(all_measures());
        let buffer = buffer_of(&spec, 0, 0);
        let mut blob = encode(&spec.id, &buffer, "w", 1);
        blob.truncate(keep);
        blob.extend(bytes);
        prop_assert!(decode(&blob, &spec, buffer.strip).is_err());
    }

    #[test]
    fn any_flipped_bit_is_seen(at: prop::sample::Index, bit in 0u8..8, seed: u8) {
        let spec = spec_with(all_measures());
        let buffer = buffer_of(&spec, 0, seed);
        let mut blob = encode(&spec.id, &buffer, "worker", 1);
        let at = at.index(blob.len());
        blob[at] ^= 1 << bit;
        prop_assert!(decode(&blob, &spec, buffer.strip).is_err());
    }

    /// A forged blob: its digest is right, and what it holds is anything.
    #[test]
    fn damage_behind_a_right_digest_is_survived(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let spec = spec_with(all_measures());
        let buffer = buffer_of(&spec, 0, 2);
        let mut blob = encode(&spec.id, &buffer, "worker", 1);
        for (at, to) in damage {
            let at = at.index(blob.len());
            blob[at] = to;
        }
        if let Ok(decoded) = decode_with(&blob, &spec, buffer.strip, Vec::new(), None, blind) {
            prop_assert!(decoded.buffer.fits(&spec.frame, buffer.strip));
        }
    }

    #[test]
    fn any_other_length_is_seen(cut in 1usize..400, more in prop::collection::vec(any::<u8>(), 1..400)) {
        // So long is a seal, at which nobody looks who has no key.
        prop_assume!(more.len() != SEAL_BYTES);
        let spec = spec_with(all_measures());
        let buffer = buffer_of(&spec, 0, 3);
        let blob = encode(&spec.id, &buffer, "worker", 1);
        prop_assert!(decode(&blob[..blob.len() - cut], &spec, buffer.strip).is_err());
        let longer = [&blob[..], &more].concat();
        let refused = matches!(decode(&longer, &spec, buffer.strip), Err(BlobError::Length { .. }));
        prop_assert!(refused);
    }
}
