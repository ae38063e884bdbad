//! The proofs of arithmetic: what passes, and that what should fail does.

use shaders::{Kernel, Program};

use super::super::proof;
use super::*;

#[test]
fn every_adapter_offers_what_it_should() {
    on_every_adapter(|device| {
        let info = device.info();
        eprintln!("  {:?}", info.arithmetics);
        assert!(info.arithmetics.contains(&Arithmetic::F32));
        assert!(
            info.arithmetics.contains(&Arithmetic::DoubleSingle),
            "hiding the roundings did not help"
        );
        let has_f64 = device
            .with_workspace(|workspace| Ok(workspace.context.has_f64()))
            .unwrap();
        assert_eq!(info.arithmetics.contains(&Arithmetic::F64), has_f64);
        // Both software adapters bind buffers enough for deltas.
        if info.software {
            assert!(info.arithmetics.contains(&Arithmetic::DeltaDoubleSingle));
            for double in [Arithmetic::DeltaF64, Arithmetic::DeltaFloatexp] {
                assert_eq!(info.arithmetics.contains(&double), has_f64);
            }
        }
    });
}

#[test]
fn the_limit_of_every_arithmetic_can_be_measured() {
    on_every_adapter(|device| {
        for arithmetic in &plain(device) {
            let rate = device.multiply_add_rate(*arithmetic).unwrap();
            // Any processor of this century makes a few million a second.
            assert!(rate.is_finite() && rate > 1e7, "{rate:e}");
        }
    });
}

#[test]
fn textbook_double_single_fails_its_proof() {
    on_every_adapter(|device| {
        let outcomes = |program: fn(Kernel) -> Option<Program>| {
            device
                .with_workspace(|workspace| {
                    let context = &workspace.context;
                    let operations =
                        proof::prove_operations_of(context, program(Kernel::ProveOperations));
                    let orbit = proof::prove_orbit_of(context, program(Kernel::ProveOrbit));
                    Ok((operations, orbit))
                })
                .unwrap()
        };
        let (operations, orbit) = outcomes(|kernel| Program::new(kernel, Arithmetic::DoubleSingle));
        assert_eq!((operations, orbit), (Ok(()), Ok(())));
        let (operations, orbit) = outcomes(Program::textbook);
        eprintln!("  textbook: {operations:?} {orbit:?}");
        // Mesa simplifies it. Other drivers need not, and then it rightly passes.
        if device.info().software {
            assert!(operations.is_err() && orbit.is_err());
        }
    });
}

#[test]
fn checks_refuse_what_is_slightly_wrong() {
    assert_eq!(proof::check_of_exact_outcomes(|_| {}), Ok(()));
    assert!(proof::check_of_exact_outcomes(|o| o.sum[1] = 0.0).is_err());
    assert!(proof::check_of_exact_outcomes(|o| o.quick_sum[1] = 0.0).is_err());
    assert!(proof::check_of_exact_outcomes(|o| o.product[1] = 0.0).is_err());
    assert!(proof::check_of_exact_outcomes(|o| o.product[0] = f32::NAN).is_err());
    assert!(proof::check_of_exact_outcomes(|o| o.plain_product *= 1.001).is_err());
    assert!(
        proof::check_of_exact_outcomes(|o| o.plain_product = o.plain_product.min(1e30)).is_err()
    );
}
