//! What packing must keep, and what unpacking must refuse and survive.

use proptest::prelude::*;

use super::*;

fn words_of(plane: &Plane) -> usize {
    plane.bytes().len() / plane.measure().bytes()
}

/// Any plane of any shape: of one measure, in rows of some width, smooth, random, empty or mixed.
fn any_plane() -> impl Strategy<Value = (Plane, usize)> {
    let values = (0usize..1500, 0u64..=u64::MAX, 0u8..6).prop_map(|(count, seed, kind)| {
        let mut state = seed | 1;
        (0..count)
            .map(|i| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let random = state ^ (state >> 33);
                match kind {
                    0 => 0,
                    1 => random,
                    2 => (1.0 + i as f64 * 1e-3).to_bits(),
                    3 => u64::from((seed as f32 + i as f32 * 0.25).to_bits()),
                    4 => f64::NAN.to_bits() ^ (random & 1),
                    // Empty but for a few.
                    _ => random * u64::from(random >> 57 == 0),
                }
            })
            .collect::<Vec<u64>>()
    });
    let measure = prop::sample::select([&Measure::ALL[..], &[Measure::LongIterations]].concat());
    (values, measure, 1usize..400).prop_map(|(values, measure, width)| {
        let words: Vec<u32> = values.iter().map(|value| *value as u32).collect();
        let bytes = match measure.bytes() {
            4 => cast_slice(&words),
            _ => cast_slice(&values),
        };
        (Plane::from_bytes(measure, bytes), width)
    })
}

#[test]
fn what_is_empty_is_near_free() {
    let inside = Plane::new(Measure::Smooth, vec![0.0_f32; 5120 * 51]);
    let packed = pack(&inside, 5120).unwrap();
    assert_eq!(packed.len(), 5120 * 51 / BLOCK);
    let never = Plane::new(Measure::Stability, vec![f64::NAN; 5120 * 51]);
    assert!(pack(&never, 5120).unwrap().len() < 20_000);
}

#[test]
fn what_does_not_shrink_is_left_alone() {
    let mut state = 1u32;
    let noise = (0..100_000).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    });
    assert_eq!(
        pack(
            &Plane::new(Measure::Iterations, noise.collect::<Vec<u32>>()),
            1000
        ),
        None
    );
    assert_eq!(pack(&Plane::zeroed(Measure::Iterations, 0), 1000), None);
}

#[test]
fn slopes_take_few_bits() {
    let plane = (0..50_000).map(|i| 3 * (i % 1000) + 7 * (i / 1000));
    let packed = pack(
        &Plane::new(Measure::Iterations, plane.collect::<Vec<u32>>()),
        1000,
    )
    .unwrap();
    assert!(packed.len() < 50_000 * 4 / 8, "{} bytes", packed.len());
}

#[test]
fn refuses_bad_widths_lengths_and_tails() {
    let plane = Plane::new(Measure::Iterations, (0..300_u32).map(|i| i * i).collect());
    let packed = pack(&plane, 10).unwrap();
    let read = |bytes: &[u8]| unpack(Measure::Iterations, bytes, 300, 10, None);
    assert_eq!(read(&packed).unwrap(), plane);

    let mut wide = packed.clone();
    wide[1] = 33;
    assert_eq!(read(&wide), Err(PackingError::Width(33)));
    let mut wider = packed.clone();
    wider[1] += 1;
    assert!(matches!(read(&wider), Err(PackingError::Length { .. })));
    let longer = [&packed[..], &[0]].concat();
    assert!(matches!(read(&longer), Err(PackingError::Length { .. })));
    assert!(matches!(read(&[]), Err(PackingError::Length { .. })));
    let mut behind = packed;
    *behind.last_mut().unwrap() |= 0x80;
    assert_eq!(read(&behind), Err(PackingError::Padding));
}

/// The control of the round trips: with rows of another width, other values come back.
#[test]
fn the_width_of_rows_matters() {
    let plane = Plane::new(Measure::Iterations, (0..3000_u32).map(|i| i * i).collect());
    let packed = pack(&plane, 300).unwrap();
    let other = unpack(Measure::Iterations, &packed, 3000, 299, None).unwrap();
    assert_ne!(other, plane);
}

proptest! {
    #[test]
    fn every_width_comes_back(bits in 0u32..=32, seed: u64) {
        let mut state = seed | 1;
        let values: [u32; BLOCK] = std::array::from_fn(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 32) & ((1 << bits) - 1)) as u32
        });
        let mut packed = Vec::new();
        PACKERS[bits as usize](&values, &mut packed);
        prop_assert_eq!(packed.len(), bits as usize * BYTES_PER_BIT);
        let mut back = [7; BLOCK];
        UNPACKERS[bits as usize](&packed, &mut back);
        prop_assert_eq!(back, values);
    }

    #[test]
    fn planes_come_back((plane, width) in any_plane()) {
        if let Some(packed) = pack(&plane, width) {
            prop_assert!(packed.len() < plane.bytes().len());
            let back = unpack(plane.measure(), &packed, words_of(&plane), width, None).unwrap();
            // By bytes: a plane may hold NaN.
            prop_assert_eq!(back.bytes(), plane.bytes());
            // In memory that held something else.
            let used = vec![0xab; (words_of(&plane) + width) * plane.measure().bytes()];
            let spare = Plane::from_bytes(plane.measure(), &used);
            let back = unpack(plane.measure(), &packed, words_of(&plane), width, Some(spare)).unwrap();
            prop_assert_eq!(back.bytes(), plane.bytes());
        }
    }

    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec(prop_oneof![0u8..=32, any::<u8>()], 0..3000),
        measure in prop::sample::select([&Measure::ALL[..], &[Measure::LongIterations]].concat()), count in 0usize..2000, width in 1usize..400,
    ) {
        if let Ok(plane) = unpack(measure, &bytes, count, width, None) {
            prop_assert_eq!(plane.bytes().len(), count * measure.bytes());
        }
    }

    #[test]
    fn changed_bytes_are_survived((plane, width) in any_plane(), at: prop::sample::Index, bit in 0u8..8, cut in 0usize..50) {
        let Some(mut packed) = pack(&plane, width) else { return Ok(()) };
        let at = at.index(packed.len());
        packed[at] ^= 1 << bit;
        if let Ok(back) = unpack(plane.measure(), &packed, words_of(&plane), width, None) {
            prop_assert_eq!(back.bytes().len(), plane.bytes().len());
        }
        packed[at] ^= 1 << bit;
        packed.truncate(packed.len() - cut.min(packed.len()));
        let whole = cut == 0 || packed.is_empty();
        prop_assert!(whole || unpack(plane.measure(), &packed, words_of(&plane), width, None).is_err());
    }
}
