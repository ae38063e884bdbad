//! A job's spec as it travels: JSON in an envelope with a version.
//!
//! Where the farm has a key, the envelope carries a signature of the job's exact bytes; a reader with a key looks at
//! nothing else before it knows that the signature is right. A spec read from outside is checked whole before anybody plans with it: workers size their buffers
//! by it.

use fractal::strip::MAX_STRIP_BYTES;
use fractal::{Arithmetic, BackendChoice, Counts, FrameError, StripPlan};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::job::JobSpec;
use crate::orbit::OrbitKey;
use crate::protocol::lines;
use crate::protocol::signing::FarmKey;

/// Version of the envelope that this build writes, and the only one that it reads.
pub const SPEC_VERSION: u32 = 1;
/// Most bytes of a spec as it travels: four coordinates of the largest length and change.
pub const MAX_SPEC_BYTES: usize = 1 << 20;

/// Why a spec was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// Longer than [`MAX_SPEC_BYTES`].
    #[error("a job spec of {0} bytes is over the limit of {MAX_SPEC_BYTES}")]
    TooLong(usize),
    /// Not the JSON of a spec.
    #[error("malformed job spec: {0}")]
    Malformed(String),
    /// Written by a build of another version.
    #[error("job spec of version {0}; this build reads version {SPEC_VERSION}")]
    Version(u32),
    /// The farm has a key, and whoever made the spec used none.
    #[error("job spec without a signature, and this farm has a key")]
    Unsigned,
    /// Whoever made it has a key, and there is none here.
    #[error("signed job spec, and there is no farm key here to check it")]
    Signed,
    /// Signed with another key, or changed since.
    #[error("job spec with a signature that is not of this farm's key")]
    Signature,
    /// The frame keeps no limits.
    #[error("job spec with a bad frame: {0}")]
    Frame(#[from] FrameError),
    /// The strips do not tile the frame.
    #[error(
        "job spec cuts {plan_height} rows of a picture of {height} into strips of {strip_rows}"
    )]
    Plan {
        /// Rows that the plan cuts.
        plan_height: u32,
        /// Rows of the frame.
        height: u32,
        /// Rows of a strip.
        strip_rows: u32,
    },
    /// The orbit has no proper name, or an arithmetic is asked for that has no use for it or cannot do without.
    #[error("job spec with a reference orbit that cannot be")]
    Orbit,
    /// Settled counts are asked for where none are made: of adapters, or in another arithmetic than that of processors.
    #[error("job spec with settled counts that cannot be")]
    Settled,
    /// A view of another formula than z² + c that processors alone compute.
    #[error("this view of a formula is computed by processors alone")]
    Formula,
    /// What is no tag is asked for.
    #[error("job spec for workers with a tag that is none")]
    Tag,
    /// A strip of several rows is larger than [`MAX_STRIP_BYTES`].
    #[error("job spec with strips of {0} bytes, over the limit of {MAX_STRIP_BYTES}")]
    StripBytes(u64),
}

#[derive(Serialize)]
struct EnvelopeOut<'a> {
    version: u32,
    job: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeIn<'a> {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(borrow)]
    job: &'a RawValue,
    mac: Option<String>,
}

/// The spec as it travels, signed where the farm has a key; it is checked first, so that nothing is written which
/// nobody would read.
///
/// # Errors
/// The first thing that is wrong with the spec.
pub fn encode(spec: &JobSpec, key: Option<&FarmKey>) -> Result<Vec<u8>, SpecError> {
    check(spec)?;
    let malformed = |error: serde_json::Error| SpecError::Malformed(error.to_string());
    let job = serde_json::value::to_raw_value(spec).map_err(malformed)?;
    let text = serde_json::to_vec(&EnvelopeOut {
        version: SPEC_VERSION,
        mac: key.map(|key| key.sign(job.get().as_bytes())),
        job: &job,
    })
    .map_err(malformed)?;
    if text.len() > MAX_SPEC_BYTES {
        return Err(SpecError::TooLong(text.len()));
    }
    Ok(text)
}

/// The checked spec in bytes from outside. With a key it has to be signed with that; without one it must not be
/// signed: nobody could check its results, or make some that are taken.
///
/// # Errors
/// The first thing that is wrong with them.
pub fn decode(bytes: &[u8], key: Option<&FarmKey>) -> Result<JobSpec, SpecError> {
    if bytes.len() > MAX_SPEC_BYTES {
        return Err(SpecError::TooLong(bytes.len()));
    }
    let malformed = |error: serde_json::Error| SpecError::Malformed(error.to_string());
    // The version first: a spec of another version may have any other fields.
    let VersionOnly { version } = serde_json::from_slice(bytes).map_err(malformed)?;
    if version != SPEC_VERSION {
        return Err(SpecError::Version(version));
    }
    let EnvelopeIn { job, mac, .. } = serde_json::from_slice(bytes).map_err(malformed)?;
    match (key, mac) {
        (Some(_), None) => return Err(SpecError::Unsigned),
        (None, Some(_)) => return Err(SpecError::Signed),
        (Some(key), Some(mac)) if !key.verifies(job.get().as_bytes(), &mac) => {
            return Err(SpecError::Signature);
        }
        _ => {}
    }
    let job = serde_json::from_str(job.get()).map_err(malformed)?;
    check(&job)?;
    Ok(job)
}

/// Whether a spec may be computed.
///
/// # Errors
/// The first limit that is not kept.
pub fn check(spec: &JobSpec) -> Result<(), SpecError> {
    let (frame, plan) = (&spec.frame, spec.strips);
    frame.check()?;
    if plan.height != frame.height || plan.strip_rows == 0 {
        return Err(SpecError::Plan {
            plan_height: plan.height,
            height: frame.height,
            strip_rows: plan.strip_rows,
        });
    }
    if frame.is_general() {
        check_general(spec)?;
    } else {
        check_orbit(spec)?;
    }
    if !spec.on.as_deref().is_none_or(lines::is_tag) {
        return Err(SpecError::Tag);
    }
    let bytes = largest_strip_bytes(spec);
    if bytes > MAX_STRIP_BYTES && tallest(plan) > 1 {
        return Err(SpecError::StripBytes(bytes));
    }
    Ok(())
}

/// Whether a spec of z² + c has a reference orbit where it needs one, and none where it does not.
fn check_orbit(spec: &JobSpec) -> Result<(), SpecError> {
    /// log2 of the distance of samples below which nearly all pixels would go again.
    const LEAST_SETTLED_LOG2: f64 = -44.0;
    let frame = &spec.frame;
    let is_delta = spec.orbit.is_some();
    if !spec.orbit.as_ref().is_none_or(OrbitKey::is_sound)
        || (spec.arithmetic).is_some_and(|arithmetic| arithmetic.is_delta() != is_delta)
        || (is_delta && frame.z0 != (0.0, 0.0))
        // Plain kernels count in 32 bits.
        || (!is_delta && frame.short_limit().is_none())
    {
        return Err(SpecError::Orbit);
    }
    let of_processors = match is_delta {
        false => Arithmetic::F64,
        true => Arithmetic::delta_of_processors(frame.spacing_log2()),
    };
    let is_other = (spec.arithmetic).is_some_and(|arithmetic| arithmetic != of_processors);
    let is_too_deep = !is_delta && frame.spacing_log2() < LEAST_SETTLED_LOG2;
    if frame.counts == Counts::Settled
        && (is_other || is_too_deep || spec.backend == BackendChoice::Gpu)
    {
        return Err(SpecError::Settled);
    }
    Ok(())
}

/// Whether a spec of another formula leaves reference orbits to workers, and to processors what adapters do not compute.
fn check_general(spec: &JobSpec) -> Result<(), SpecError> {
    let own = spec.frame.general_arithmetic();
    let adapters = spec.frame.processors_alone().is_none();
    let fits = |arithmetic: Arithmetic| arithmetic == own || adapters && !arithmetic.is_delta();
    if spec.orbit.is_some() || !spec.arithmetic.is_none_or(fits) {
        return Err(SpecError::Orbit);
    }
    if spec.backend == BackendChoice::Gpu && !adapters {
        return Err(SpecError::Formula);
    }
    Ok(())
}

/// Payload bytes of the job's largest strip.
#[must_use]
pub fn largest_strip_bytes(spec: &JobSpec) -> u64 {
    strip_bytes(spec, tallest(spec.strips))
}

/// Payload bytes of `rows` rows of the job.
#[must_use]
pub fn strip_bytes(spec: &JobSpec, rows: u32) -> u64 {
    u64::from(rows) * u64::from(spec.frame.width) * spec.frame.measures.bytes_per_pixel() as u64
}

fn tallest(plan: StripPlan) -> u32 {
    plan.strip_rows.min(plan.height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobId;
    use fractal::{FrameSpec, Grid, Measure, MeasureSet, View};
    use proptest::prelude::*;

    fn spec() -> JobSpec {
        JobSpec {
            id: JobId::generate(),
            frame: FrameSpec {
                view: View::Centre {
                    re: "-0.75".parse().unwrap(),
                    im: "1e-40".parse().unwrap(),
                    zoom: "1e9".parse().unwrap(),
                },
                transform: fractal::Transform::default(),
                grid: Grid::Pixels,
                width: 1000,
                height: 700,
                iterations: 5000,
                escape_radius: 0.1 + 0.2,
                z0: (1.0 / 3.0, -0.0),
                formula: fractal::Formula::default(),
                julia: None,
                skip_error_log2: -23,
                counts: fractal::Counts::Fast,
                measures: MeasureSet::default().with(Measure::Smooth),
            },
            strips: StripPlan {
                height: 700,
                strip_rows: 64,
            },
            backend: BackendChoice::Gpu,
            max_workers: None,
            build: 0,
            orbit: None,
            arithmetic: None,
            on: None,
        }
    }

    fn refused(change: impl FnOnce(&mut JobSpec)) -> SpecError {
        let mut spec = spec();
        change(&mut spec);
        // As a foreign writer would send it: without the check that our own writer makes.
        let envelope = serde_json::json!({ "version": SPEC_VERSION, "job": spec });
        let read = decode(envelope.to_string().as_bytes(), None).unwrap_err();
        assert_eq!(encode(&spec, None).unwrap_err(), read);
        read
    }

    #[test]
    fn comes_back_as_it_went() {
        let spec = spec();
        assert_eq!(decode(&encode(&spec, None).unwrap(), None).unwrap(), spec);
    }

    #[test]
    fn refuses_plans_that_do_not_tile_and_strips_that_are_too_large() {
        assert!(matches!(
            refused(|s| s.strips.height = 699),
            SpecError::Plan { .. }
        ));
        assert!(matches!(
            refused(|s| s.strips.strip_rows = 0),
            SpecError::Plan { .. }
        ));
        assert!(matches!(
            refused(|s| s.frame.width = 0),
            SpecError::Frame(_)
        ));
        let large = refused(|s| {
            s.frame.width = 100_000;
            s.strips.strip_rows = 11;
        });
        assert_eq!(large, SpecError::StripBytes(4_400_000));
        // A single row may be as large as it has to be.
        let mut wide = spec();
        wide.frame.width = fractal::frame::MAX_SIDE;
        wide.frame.measures = Measure::ALL.into_iter().collect();
        wide.strips.strip_rows = 1;
        assert_eq!(check(&wide), Ok(()));
    }

    #[test]
    fn formulas_are_for_adapters_as_far_as_these_compute_them() {
        let of = |zoom: &str, change: &dyn Fn(&mut JobSpec)| {
            let mut spec = spec();
            spec.frame.formula = "burning-ship".parse().unwrap();
            spec.frame.view = View::Centre {
                re: "-0.4".parse().unwrap(),
                im: "0.1".parse().unwrap(),
                zoom: zoom.parse().unwrap(),
            };
            change(&mut spec);
            check(&spec)
        };
        assert_eq!(of("1", &|_| ()), Ok(()));
        let single = |spec: &mut JobSpec| spec.arithmetic = Some(Arithmetic::F32);
        assert_eq!(of("1", &single), Ok(()));
        let delta = |spec: &mut JobSpec| spec.arithmetic = Some(Arithmetic::DeltaF64);
        assert_eq!(of("1", &delta), Err(SpecError::Orbit));
        assert_eq!(of("1e12", &|_| ()), Err(SpecError::Formula));
        let auto = |spec: &mut JobSpec| spec.backend = BackendChoice::Auto;
        assert_eq!(of("1e12", &auto), Ok(()));
        let single = |spec: &mut JobSpec| {
            auto(spec);
            single(spec);
        };
        assert_eq!(of("1e12", &single), Err(SpecError::Orbit));
    }

    #[test]
    fn settled_counts_are_another_picture_and_are_made_by_processors_in_their_arithmetic() {
        let settle = |spec: &mut JobSpec| {
            spec.frame.counts = Counts::Settled;
            spec.backend = BackendChoice::Cpu;
            let View::Centre { zoom, .. } = &mut spec.frame.view else {
                unreachable!()
            };
            *zoom = "1e6".parse().unwrap();
        };
        let mut settled = spec();
        settle(&mut settled);
        let text = encode(&settled, None).unwrap();
        assert_eq!(decode(&text, None).unwrap(), settled);
        let mut fast = settled.clone();
        fast.frame.counts = Counts::Fast;
        assert_ne!(encode(&fast, None).unwrap(), text);
        // What is usual is not said.
        let fast = String::from_utf8(encode(&fast, None).unwrap()).unwrap();
        assert!(!fast.contains("counts"), "{fast}");
        settled.arithmetic = Some(Arithmetic::F64);
        assert_eq!(check(&settled), Ok(()));
        for change in [
            |spec: &mut JobSpec| spec.backend = BackendChoice::Gpu,
            |spec: &mut JobSpec| spec.arithmetic = Some(Arithmetic::F32),
        ] {
            let refused = refused(|spec| {
                settle(spec);
                change(spec);
            });
            assert_eq!(refused, SpecError::Settled);
        }
        // Of deltas as well.
        let mut deep = settled;
        deep.arithmetic = None;
        deep.frame.z0 = (0.0, 0.0);
        let View::Centre { zoom, .. } = &mut deep.frame.view else {
            unreachable!()
        };
        *zoom = "1e30".parse().unwrap();
        assert_eq!(check(&deep), Err(SpecError::Settled));
        deep.orbit = Some(OrbitKey::of(b"an orbit"));
        assert_eq!(check(&deep), Ok(()));
        deep.arithmetic = Some(Arithmetic::DeltaDoubleSingle);
        assert_eq!(check(&deep), Err(SpecError::Settled));
    }

    #[test]
    fn refuses_other_versions_and_other_things() {
        let text = String::from_utf8(encode(&spec(), None).unwrap()).unwrap();
        let changed = |from: &str, to: &str| {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            decode(changed.as_bytes(), None).unwrap_err()
        };
        assert_eq!(
            changed("\"version\":1", "\"version\":2"),
            SpecError::Version(2)
        );
        assert!(matches!(
            changed("\"backend\"", "\"backing\""),
            SpecError::Malformed(_)
        ));
        // A name that would make another key than the one it was found under.
        assert!(matches!(
            changed("\"id\":\"0", "\"id\":\"}"),
            SpecError::Malformed(_)
        ));
        assert_eq!(
            decode(&vec![b' '; MAX_SPEC_BYTES + 1], None),
            Err(SpecError::TooLong(MAX_SPEC_BYTES + 1))
        );
    }

    fn key(of: u8) -> FarmKey {
        FarmKey::new(&[of; 32]).unwrap()
    }

    #[test]
    fn a_key_wants_its_own_signature() {
        let (spec, ours, theirs) = (spec(), key(1), key(2));
        let signed = encode(&spec, Some(&ours)).unwrap();
        let unsigned = encode(&spec, None).unwrap();
        assert_eq!(decode(&signed, Some(&ours)).unwrap(), spec);
        assert_eq!(decode(&signed, Some(&theirs)), Err(SpecError::Signature));
        assert_eq!(decode(&unsigned, Some(&ours)), Err(SpecError::Unsigned));
        // Without a key nobody could make results that are taken.
        assert_eq!(decode(&signed, None), Err(SpecError::Signed));
        assert_eq!(decode(&unsigned, None).unwrap(), spec);
        // What is signed is refused even where it says the same in other bytes.
        let text = String::from_utf8(signed).unwrap();
        let spaced = text.replacen("\"frame\":", "\"frame\": ", 1);
        let refused = decode(spaced.as_bytes(), Some(&ours));
        assert_eq!(refused, Err(SpecError::Signature));
        // And nothing unsigned is looked at: here the frame is none.
        let broken = format!("{{\"version\":{SPEC_VERSION},\"job\":[]}}");
        let refused = decode(broken.as_bytes(), Some(&ours));
        assert_eq!(refused, Err(SpecError::Unsigned));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            prop_assert!(decode(&bytes, None).is_err());
            prop_assert!(decode(&bytes, Some(&key(1))).is_err());
        }

        #[test]
        fn damaged_signed_specs_are_the_same_or_refused(at: prop::sample::Index, to: u8) {
            let spec = spec();
            let mut bytes = encode(&spec, Some(&key(1))).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(read) = decode(&bytes, Some(&key(1))) {
                prop_assert_eq!(read, spec);
            }
        }

        #[test]
        fn damaged_specs_never_panic_and_never_pass_unchecked(
            at: prop::sample::Index, to: u8, cut: prop::sample::Index,
        ) {
            let mut bytes = encode(&spec(), None).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(spec) = decode(&bytes, None) {
                prop_assert!(check(&spec).is_ok());
            }
            bytes.truncate(cut.index(bytes.len()));
            prop_assert!(decode(&bytes, None).is_err());
        }
    }
}
