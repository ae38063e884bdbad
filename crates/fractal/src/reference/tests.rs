//! The orbit against plain big integers.

use dashu_int::IBig;
use proptest::prelude::*;

use super::compute::compute_on;
use super::stepping::format::Format;
use super::stepping::stepper;
use super::stepping::steppers::Steppers;
use super::*;
use crate::numbers::floatexp::{ComplexExp, FloatExp};
use crate::picture::frame::FrameSpec;
use crate::picture::measure::{Measure, MeasureSet};
use crate::plane::view::{Grid, View};

pub(crate) fn frame(re: &str, im: &str, zoom: &str, iterations: u64) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: re.parse().unwrap(),
            im: im.parse().unwrap(),
            zoom: zoom.parse().unwrap(),
        },
        transform: crate::Transform::default(),
        grid: Grid::Pixels,
        width: 64,
        height: 36,
        iterations,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: crate::Formula::default(),
        julia: None,
        skip_error_log2: crate::SKIP_ERROR_LOG2,
        counts: crate::Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

/// The plain loop that everything else answers to.
pub(crate) fn plain(frame: &FrameSpec, point: &ReferencePoint) -> (Vec<ComplexExp>, OrbitEnd) {
    let bits = fraction_for(point.bits);
    let up = bits - point.bits as usize;
    let exponent = -(bits as i64);
    let reach = point.reach(frame);
    let radius2 = FloatExp::from_f64(frame.escape_radius * frame.escape_radius);
    let (cx, cy) = (&point.re << up, &point.im << up);
    let (mut x, mut y) = (IBig::ZERO, IBig::ZERO);
    let two = ComplexExp::from_f64(2.0, 0.0);
    let one = ComplexExp::from_f64(1.0, 0.0);
    let mut values = vec![ComplexExp::ZERO];
    let mut derivative = ComplexExp::ZERO;
    loop {
        let m = values.len() as u64;
        if m > frame.iterations {
            return (values, OrbitEnd::Limit);
        }
        derivative = two * values[values.len() - 1] * derivative + one;
        let (xx, yy, xy) = (&x * &x, &y * &y, &x * &y);
        x = ((xx - yy) >> bits) + &cx;
        y = (xy >> (bits - 1)) + &cy;
        let z = ComplexExp::new(
            FloatExp::from_big(&x, exponent),
            FloatExp::from_big(&y, exponent),
        );
        values.push(z);
        if z.norm2() > radius2 {
            return (values, OrbitEnd::Escaped);
        }
        let image = reach * derivative.abs();
        if z.norm2() < image * image {
            return (values, OrbitEnd::Period);
        }
    }
}

/// A point with the given bits, from words of noise.
fn point(bits: u32, words: &[u64], signs: [bool; 2]) -> ReferencePoint {
    let part = |shift: usize, negative: bool| {
        let noise = words
            .iter()
            .fold(IBig::ZERO, |all, word| (all << 64) + IBig::from(*word));
        let length = 64 * words.len();
        // Some hundred points of the plane with long orbits, and noise far below.
        let cut = if length + shift > bits as usize {
            noise >> (length + shift - bits as usize)
        } else {
            noise << (bits as usize - length - shift)
        };
        if negative { -cut } else { cut }
    };
    ReferencePoint {
        re: part(1, signs[0]),
        im: part(3, signs[1]),
        bits,
    }
}

/// |a - b| in units of 2^-`bits` at most.
fn apart(a: ComplexExp, b: ComplexExp) -> f64 {
    (a - b).abs().log2()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Each step against the exact one from the same place: no error but the one allowed, at any size.
    #[test]
    fn steps_are_exact_to_the_bits_asked_for(
        bits in prop_oneof![64u32..1400, 1400u32..9000, 9000u32..30_000],
        words in prop_oneof![
            prop::collection::vec(any::<u64>(), 4..40),
            prop::collection::vec(prop_oneof![any::<u64>(), Just(u64::MAX), Just(0), Just(1)], 4..400),
            (prop_oneof![Just(u64::MAX), Just(0x5555_5555_5555_5555), Just(1 << 63)], 4usize..400)
                .prop_map(|(word, n)| vec![word; n]),
        ],
        signs in any::<[bool; 2]>(),
        threads in 1usize..3,
    ) {
        let point = point(bits, &words, signs);
        let fraction = fraction_for(bits);
        let mut stepper = Steppers::new(&point, threads).at_zero(Format::of(bits));
        let up = fraction - bits as usize;
        let (mut x, mut y) = (IBig::ZERO, IBig::ZERO);
        for _ in 0..40 {
            let value = stepper.step();
            let [re, im] = stepper.parts().map(|part| to_big_of(part, fraction));
            let (xx, yy, xy) = (&x * &x, &y * &y, &x * &y);
            let exact_re = ((xx - yy) >> fraction) + (&point.re << up);
            let exact_im = (xy >> (fraction - 1)) + (&point.im << up);
            let most = (IBig::ONE << up) + IBig::from(2);
            for (own, exact) in [(&re, exact_re), (&im, exact_im)] {
                let error = own - exact;
                prop_assert!(-&most < error && error < most, "{bits} bits");
            }
            let exact = ComplexExp::new(
                FloatExp::from_big(&re, -(fraction as i64)),
                FloatExp::from_big(&im, -(fraction as i64)),
            );
            prop_assert_eq!(value.map(f64::to_bits), [exact.re.to_f64(), exact.im.to_f64()].map(f64::to_bits));
            if value[0].hypot(value[1]) >= stepper::BOUND {
                break;
            }
            (x, y) = (re, im);
        }
    }

    #[test]
    fn values_are_rounded_to_nearest(
        mut words in prop::collection::vec(prop_oneof![any::<u64>(), Just(0), Just(1 << 63)], 2..30),
        zeros in 0usize..20,
        shift in 6u32..64,
        negative in any::<bool>(),
    ) {
        let n = words.len();
        words[n - 1] >>= shift;
        for word in words.iter_mut().rev().take(zeros.min(n)) {
            *word = 0;
        }
        let exact = FloatExp::from_big(&stepper::to_big((negative, &words)), -(stepper::fraction_bits(n) as i64));
        prop_assert_eq!(stepper::to_f64(negative, &words), exact.to_f64());
    }

    /// Everything that is an orbit comes back bit for bit, on any number of threads; and is the plain loop's.
    #[test]
    fn orbits_are_the_plain_loops(
        re in "-?[01]\\.[0-9]{3,60}",
        im in "-?0\\.[0-9]{3,60}",
        zoom in 0u32..700,
        radius in prop_oneof![Just(2.0), Just(256.0), Just(1e9), Just(0.5), Just(3.0)],
    ) {
        let mut frame = frame(&re, &im, &format!("1e{zoom}"), 400);
        frame.escape_radius = radius;
        check(&frame)?;
    }
}

/// An orbit against the plain loop, and through its bytes.
fn check(frame: &FrameSpec) -> Result<ReferenceOrbit, TestCaseError> {
    let point = ReferencePoint::centre_of(frame);
    let orbit = compute_on(1, frame, point.clone(), u64::MAX, &mut |_| true).unwrap();
    let again = compute_on(2, frame, point.clone(), u64::MAX, &mut |_| true).unwrap();
    prop_assert!(again == orbit, "two threads");
    let (plain, end) = plain(frame, &point);
    prop_assert_eq!(orbit.end, end);
    prop_assert_eq!(orbit.values.len(), plain.len());
    for (m, value) in (0..).zip(&plain) {
        // Two digits that may be lost to a growth past the view, which ends the orbit.
        let allowed = value.abs().log2().max(-f64::from(point.bits)) - 44.0;
        prop_assert!(apart(orbit.at(m), *value) < allowed, "value {}", m);
    }
    let bytes = orbit.to_bytes();
    let back = ReferenceOrbit::from_bytes(&bytes, orbit.steps() + 1).unwrap();
    prop_assert!(back == orbit);
    prop_assert_eq!(back.to_bytes(), bytes);
    Ok(orbit)
}

/// A well-known place at 1e113 with period 11380.
fn e113() -> FrameSpec {
    frame(E113.0, E113.1, "5e113", 35_494)
}

const E113: (&str, &str) = (
    "-1.47981577613247326072298452597877854692240725774045369689878510139864920741002293820250517329282011227363313053159203914640783415609608168660705123082446357179491909705403381200",
    "-0.00063911193261361727152139632255671572957303918943984736047394936471220951961813321928573067036466151147195436388486168819318341208023229522609015461543581599807510715681229605",
);

#[test]
fn a_deep_orbit_ends_at_its_period_and_travels_in_few_bytes() {
    let orbit = check(&e113()).unwrap();
    assert_eq!((orbit.end, orbit.steps()), (OrbitEnd::Period, 11_380));
    assert!(!orbit.waypoints.is_empty());
    let bytes = orbit.to_bytes();
    assert!(bytes.len() < 1000, "{}", bytes.len());
    assert_ne!(digest(&bytes), digest(&bytes[1..]));

    // Without waypoints, or with wrong ones, it is longer, and as exact.
    let mut other = orbit.clone();
    other.waypoints.clear();
    let longer = other.to_bytes();
    assert!(longer.len() > 3 * bytes.len(), "{}", longer.len());
    let back = ReferenceOrbit::from_bytes(&longer, u64::MAX).unwrap();
    assert_eq!(back.values, orbit.values);
    other.replayed = 0;
    let back = ReferenceOrbit::from_bytes(&other.to_bytes(), u64::MAX).unwrap();
    assert_eq!(back.values, orbit.values);
}

#[test]
fn a_nucleus_is_small_where_doubles_end() {
    // The nucleus of period 2, exact, and a view around it deeper than doubles.
    let orbit = check(&frame("-1", "0", "1e400", 10)).unwrap();
    assert_eq!((orbit.end, orbit.steps()), (OrbitEnd::Period, 2));
    assert_eq!(orbit.small, [(2, ComplexExp::ZERO)]);
    let near = format!("-1.{}1", "0".repeat(349));
    let orbit = check(&frame(&near, "0", "1e340", 10)).unwrap();
    assert_eq!(
        (orbit.end, orbit.steps(), orbit.small.len()),
        (OrbitEnd::Period, 2, 1)
    );
    let [_, _, last] = orbit.values[..] else {
        panic!()
    };
    assert_eq!(last, [0.0, 0.0]);
    assert!((orbit.at(2).abs().log2() + 350.0 * 10f64.log2()).abs() < 1.0);
}

/// Bits of each step of a frame's orbit.
fn bits_of_steps(frame: &FrameSpec, steps: u64) -> Vec<u32> {
    let point = ReferencePoint::centre_of(frame);
    let mut walker = Walker::new(&point, FloatExp::ZERO, 1);
    let mut step = || {
        walker.step();
        walker.bits()
    };
    (0..steps).map(|_| step()).collect()
}

#[test]
fn bits_go_as_the_derivative_grows_and_come_back_beside_a_nucleus() {
    // Deeper than where it ends at its period, whose value is 2^-129 here: the next derivative is as much smaller.
    let frame = frame(E113.0, E113.1, "1e130", 12_000);
    let orbit = check(&frame).unwrap();
    assert_eq!((orbit.end, orbit.steps()), (OrbitEnd::Limit, 12_000));
    let bits = bits_of_steps(&frame, 12_000);
    let [first, before, after] = [0, 11_379, 11_380].map(|step| bits[step]);
    assert!(
        before + 100 < after && after <= first,
        "{first} {before} {after}"
    );
}

#[test]
fn bits_go_down_from_digits_to_limbs() {
    // Beside i, whose orbit is -1 + i and -i from the second step on: it stays there until it differs by 2^1.25 a step.
    let re = "31415926535e-1490";
    let im = format!("1.{}27182818284", "0".repeat(1480));
    let frame = frame(re, &im, "1e1500", 5000);
    let orbit = check(&frame).unwrap();
    assert!(orbit.steps() > 3900, "{} steps", orbit.steps());
    let bits = bits_of_steps(&frame, orbit.steps());
    assert!(
        bits[0] > 5000 && bits[3900] < 400,
        "{} {}",
        bits[0],
        bits[3900]
    );
}

#[test]
fn any_view_has_an_orbit() {
    // Bounds, wide: covered at once. Far outside: escapes at once. Between: whatever is first.
    let mut wide = frame("0", "0", "1", 100);
    wide.view = View::Bounds {
        xmin: "-2".parse().unwrap(),
        xmax: "0.5".parse().unwrap(),
        ymin: "-1.5".parse().unwrap(),
        ymax: "1.5".parse().unwrap(),
    };
    let orbit = check(&wide).unwrap();
    assert_eq!((orbit.end, orbit.steps()), (OrbitEnd::Period, 1));
    let orbit = check(&frame("1e40", "-3", "1e5", 100)).unwrap();
    assert_eq!((orbit.end, orbit.steps()), (OrbitEnd::Escaped, 1));
    let orbit = check(&frame("1", "0", "1e9", 100)).unwrap();
    assert_eq!((orbit.end, orbit.steps()), (OrbitEnd::Escaped, 5));
    assert_eq!(orbit.values[5], [677.0, 0.0]);
    let orbit = check(&frame("-1.75", "0.001", "1e9", 7)).unwrap();
    assert_eq!((orbit.end, orbit.steps()), (OrbitEnd::Limit, 7));
    // One sample has no extent, and its orbit no period.
    let mut one = frame("-1", "0", "1e5", 50);
    (one.width, one.height) = (1, 1);
    assert_eq!(check(&one).unwrap().end, OrbitEnd::Limit);
}

#[test]
fn an_orbit_can_be_cancelled_and_bounded() {
    let frame = e113();
    let point = ReferencePoint::centre_of(&frame);
    let mut calls = 0;
    let cancelled = compute(&frame, point.clone(), u64::MAX, &mut |steps| {
        calls += 1;
        assert!(steps < 11_380);
        calls < 3
    });
    assert_eq!((cancelled, calls), (Err(OrbitError::Cancelled), 3));
    let most = 11_380;
    assert_eq!(
        compute(&frame, point.clone(), most, &mut |_| true),
        Err(OrbitError::TooLong { most })
    );
    let orbit = compute(&frame, point, most + 1, &mut |_| true).unwrap();
    assert!(orbit.values.capacity() * 16 < 64 * orbit.values.len());
    assert_eq!(
        ReferenceOrbit::from_bytes(&orbit.to_bytes(), most),
        Err(CodecError::TooLong {
            values: most + 1,
            most
        })
    );
}

/// Bytes with every kind of entry.
fn rich() -> Vec<u8> {
    let near = format!("-1.{}1", "0".repeat(349));
    let mut orbit = check(&frame(&near, "0", "1e340", 10)).unwrap();
    orbit.values[1][1] = 0.125;
    orbit.values.push([2.0, f64::INFINITY]);
    orbit.waypoints.push(Waypoint {
        m: 2,
        negative: [true, false],
        parts: [[1, 2, 3, 4]; 2],
    });
    let bytes = orbit.to_bytes();
    assert_eq!(ReferenceOrbit::from_bytes(&bytes, 10).unwrap(), orbit);
    bytes
}

#[test]
fn bytes_cut_off_or_followed_by_others_are_refused() {
    let bytes = rich();
    for length in 0..bytes.len() {
        let cut = ReferenceOrbit::from_bytes(&bytes[..length], 10);
        assert_eq!(cut, Err(CodecError::Truncated), "{length} bytes");
    }
    let mut more = bytes.clone();
    more.push(0);
    assert_eq!(
        ReferenceOrbit::from_bytes(&more, 10),
        Err(CodecError::Trailing(1))
    );
    let mut other = bytes.clone();
    other[0] ^= 1;
    assert_eq!(
        ReferenceOrbit::from_bytes(&other, 10),
        Err(CodecError::Foreign)
    );
    other = bytes.clone();
    other[4] = 9;
    assert_eq!(
        ReferenceOrbit::from_bytes(&other, 10),
        Err(CodecError::Version(9))
    );
    other = bytes;
    other[5] = 3;
    assert_eq!(
        ReferenceOrbit::from_bytes(&other, 10),
        Err(CodecError::Field("end"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn wrong_bytes_are_an_error_or_an_orbit(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = RICH.with(Clone::clone);
        for (at, byte) in changes {
            // Most of the bytes are digits of the point; the others matter more.
            let length = bytes.len();
            let at = if byte.is_multiple_of(2) { at.index(length) } else { length - 1 - at.index(length.min(220)) };
            bytes[at] = byte;
        }
        if let Ok(orbit) = ReferenceOrbit::from_bytes(&bytes, 1000) {
            prop_assert!(orbit.values.len() > 1 && orbit.values.len() <= 1000);
            prop_assert!(orbit.small.iter().all(|(m, _)| *m <= orbit.steps()));
            prop_assert_eq!(ReferenceOrbit::from_bytes(&orbit.to_bytes(), 1000).unwrap(), orbit);
        }
    }

    #[test]
    fn noise_is_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(ReferenceOrbit::from_bytes(&bytes, 1000).is_err());
        bytes.splice(0..0, codec::MAGIC.into_iter().chain([codec::VERSION, 0, 64]));
        let _ = ReferenceOrbit::from_bytes(&bytes, 1000);
    }
}

thread_local! {
    static RICH: Vec<u8> = rich();
}
