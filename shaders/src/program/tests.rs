//! Every program is valid WGSL, and agrees with Rust about what they share.

use std::collections::BTreeSet;

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module, TypeInner};

use super::*;
use crate::layout::{
    BLOCK_BYTES, Delta, DeltaOutcome, DoubleOutcome, JET_BYTES, NOTHING, Proof, Round,
    SingleOutcome, Slot, delta_binding, flag, proof_binding, round_binding, small_log2,
};

fn programs() -> Vec<Program> {
    let mut programs = Program::all();
    programs.extend(Kernel::ALL.into_iter().filter_map(Program::textbook));
    for formula in ["burning-ship", "multibrot-3", super::EXEMPLAR] {
        let formula = formula.parse().unwrap();
        for (kernel, arithmetic) in (Kernel::ALL.into_iter())
            .flat_map(|kernel| Arithmetic::PLAIN.map(|arithmetic| (kernel, arithmetic)))
        {
            let of = |is_julia| Program::of_formula(kernel, arithmetic, &formula, is_julia);
            programs.extend(of(false).into_iter().chain(of(true)));
        }
    }
    assert!(
        programs.len() >= 15,
        "programs got lost: {}",
        programs.len()
    );
    programs
}

fn parse(program: &Program) -> Module {
    naga::front::wgsl::parse_str(&program.source).unwrap_or_else(|error| {
        panic!(
            "{}:\n{}",
            program.name,
            error.emit_to_string(&program.source)
        )
    })
}

#[test]
fn every_program_is_valid() {
    let mut failures = Vec::new();
    for program in programs() {
        let module = match naga::front::wgsl::parse_str(&program.source) {
            Ok(module) => module,
            Err(error) => {
                failures.push(format!(
                    "{}:\n{}",
                    program.name,
                    error.emit_to_string(&program.source)
                ));
                continue;
            }
        };
        let capabilities = match program.arithmetic {
            Arithmetic::F64 | Arithmetic::DeltaF64 | Arithmetic::DeltaFloatexp => {
                Capabilities::FLOAT64
            }
            // A program in singles must not need more than every adapter has.
            Arithmetic::F32 | Arithmetic::DoubleSingle | Arithmetic::DeltaDoubleSingle => {
                Capabilities::empty()
            }
        };
        if let Err(error) = Validator::new(ValidationFlags::all(), capabilities).validate(&module) {
            failures.push(format!(
                "{}:\n{}",
                program.name,
                error.emit_to_string(&program.source)
            ));
        }
        let entries: Vec<_> = module
            .entry_points
            .iter()
            .map(|entry| (entry.name.as_str(), entry.workgroup_size))
            .collect();
        if entries != [(crate::ENTRY_POINT, [crate::WORKGROUP, 1, 1])] {
            failures.push(format!("{}: entry points {entries:?}", program.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn validation_can_fail() {
    let program = Program::new(Kernel::Escape, Arithmetic::F64).unwrap();
    let module = parse(&program);
    assert!(
        Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(&module)
            .is_err()
    );
}

#[test]
fn every_file_is_a_piece_of_some_program() {
    let files: BTreeSet<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/wgsl"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let pieces: BTreeSet<String> = PIECES
        .iter()
        .map(|piece| format!("{}.wgsl", piece.name))
        .collect();
    assert_eq!(files, pieces);
    for piece in PIECES {
        assert!(
            programs()
                .iter()
                .any(|program| program.source.contains(piece.text)),
            "{} is unused",
            piece.name
        );
    }
}

/// Members of a struct of a module: name and offset; and its size.
fn members(module: &Module, name: &str) -> Option<(Vec<(String, u32)>, u32)> {
    module.types.iter().find_map(|(_, ty)| match &ty.inner {
        TypeInner::Struct { members, span } if ty.name.as_deref() == Some(name) => Some((
            members
                .iter()
                .map(|m| (m.name.clone().unwrap_or_default(), m.offset))
                .collect(),
            *span,
        )),
        _ => None,
    })
}

macro_rules! rust_members {
    ($ty:ty { $($field:ident),* $(,)? }) => {
        (
            vec![$((stringify!($field).to_owned(), u32::try_from(std::mem::offset_of!($ty, $field)).unwrap())),*],
            u32::try_from(size_of::<$ty>()).unwrap(),
        )
    };
}

#[test]
fn structs_have_the_same_layout_in_rust_and_wgsl() {
    let expected = [
        (
            "Round",
            rust_members!(Round {
                zero,
                width,
                first_step,
                steps,
                limit,
                flags,
                slot,
                plane,
                z0,
                radius2,
                radius
            }),
        ),
        (
            "Slot",
            rust_members!(Slot {
                workgroups_x,
                workgroups_y,
                workgroups_z,
                count
            }),
        ),
        (
            "Proof",
            rust_members!(Proof {
                zero,
                count,
                steps,
                padding,
                radius2,
                radius
            }),
        ),
        (
            "Delta",
            rust_members!(Delta {
                c_exponent,
                last,
                first,
                end,
                first_level,
                end_level,
                first_jet_level,
                end_jet_level,
                jet_radii,
                least,
                spacing,
                spacing_exponent,
                offsets,
                jet_offsets
            }),
        ),
    ];
    let single = rust_members!(SingleOutcome {
        sum,
        quick_sum,
        product,
        plain_product,
        fused
    });
    let double = rust_members!(DoubleOutcome {
        sum,
        product,
        fused,
        padding
    });
    let mut seen = BTreeSet::new();
    for program in programs() {
        let module = parse(&program);
        for (name, rust) in &expected {
            if let Some(wgsl) = members(&module, name) {
                assert_eq!(&wgsl, rust, "{name} in {}", program.name);
                seen.insert(*name);
            }
        }
        if let Some(wgsl) = members(&module, "Outcome") {
            let double_outcome = program.arithmetic == Arithmetic::F64;
            assert_eq!(
                &wgsl,
                if double_outcome { &double } else { &single },
                "{}",
                program.name
            );
            seen.insert(if double_outcome { "double" } else { "single" });
        }
        if let Some((_, span)) = members(&module, "Block") {
            assert_eq!(span, BLOCK_BYTES as u32, "{}", program.name);
            seen.insert("Block");
        }
        if let Some((_, span)) = members(&module, "Jet") {
            assert_eq!(span, JET_BYTES as u32, "{}", program.name);
            seen.insert("Jet");
        }
        if let Some((fields, span)) = members(&module, "DeltaOutcome") {
            assert_eq!((fields[1].1, span), (16, size_of::<DeltaOutcome>() as u32));
            seen.insert("DeltaOutcome");
        }
        if let Some((_, span)) = members(&module, "State") {
            assert_eq!(span, program.state_bytes(), "{}", program.name);
            seen.insert("State");
        } else {
            assert_eq!(program.state_bytes(), 0, "{}", program.name);
        }
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
}

#[test]
fn bindings_and_constants_are_the_same_in_rust_and_wgsl() {
    let round_bindings = [
        ("params", round_binding::PARAMS),
        ("columns", round_binding::COLUMNS),
        ("rows", round_binding::ROWS),
        ("states_in", round_binding::STATES_IN),
        ("states_out", round_binding::STATES_OUT),
        ("slots", round_binding::SLOTS),
        ("output", round_binding::OUTPUT),
    ];
    let delta_bindings = [
        ("delta", delta_binding::DELTA),
        ("reference", delta_binding::REFERENCE),
        ("blocks", delta_binding::BLOCKS),
        ("radii", delta_binding::RADII),
        ("jets", delta_binding::JETS),
    ];
    let proof_bindings = [
        ("params", proof_binding::PARAMS),
        ("cases", proof_binding::CASES),
        ("results", proof_binding::RESULTS),
    ];
    let constants = [
        ("FLAG_FRESH", flag::FRESH),
        ("FLAG_SHORTCUTS", flag::SHORTCUTS),
        ("FLAG_BLOCKS", flag::BLOCKS),
        ("FLAG_NORM", flag::NORM),
        ("FLAG_LISTED", flag::LISTED),
        ("FLAG_MOVES", flag::MOVES),
        ("WORKGROUP", crate::WORKGROUP),
        ("BLOCK", crate::BLOCK),
    ];
    for program in programs() {
        let module = parse(&program);
        let wgsl: BTreeSet<(String, u32)> = module
            .global_variables
            .iter()
            .filter(|(_, global)| {
                !matches!(
                    global.space,
                    AddressSpace::WorkGroup | AddressSpace::Private
                )
            })
            .map(|(_, global)| {
                let binding = global.binding.expect("a resource has a binding");
                assert_eq!(binding.group, 0);
                (global.name.clone().unwrap_or_default(), binding.binding)
            })
            .collect();
        let rounds = program.state_bytes() > 0;
        let delta = program.arithmetic.is_delta();
        let (rust, more) = match (rounds, delta) {
            (true, true) => (&round_bindings[..], &delta_bindings[..]),
            (true, false) => (&round_bindings[..], &[][..]),
            (false, _) => (&proof_bindings[..], &[][..]),
        };
        if delta {
            let small = small_log2(program.arithmetic);
            for line in [
                format!("const NOTHING: i32 = {NOTHING};"),
                format!("const SMALL_LOG2: i32 = {small};"),
            ] {
                assert!(program.source.contains(&line), "{line} in {}", program.name);
            }
        }
        let rust: BTreeSet<(String, u32)> = rust
            .iter()
            .chain(more)
            .map(|(name, at)| ((*name).to_owned(), *at))
            .collect();
        assert_eq!(wgsl, rust, "{}", program.name);
        if rounds {
            for (name, value) in constants {
                assert!(
                    program
                        .source
                        .contains(&format!("const {name}: u32 = {value}u;")),
                    "{name} in {}",
                    program.name
                );
            }
        }
    }
}

#[test]
fn ids_tell_programs_apart_and_are_stable() {
    let all = programs();
    let (of_formulas, own): (Vec<&Program>, Vec<&Program>) =
        all.iter().partition(|program| program.is_of_formula);
    let ids: BTreeSet<u64> = own.iter().map(|program| program.id()).collect();
    assert_eq!(ids.len(), own.len());
    // One for all formulas and both planes, of each kernel and number type.
    let shared: BTreeSet<u64> = of_formulas.iter().map(|program| program.id()).collect();
    assert_eq!((shared.len(), of_formulas.len()), (11, 11 * 6));
    assert!(shared.is_disjoint(&ids));
    // No two of them are the same text: proofs do not tell planes apart by what they compute, and have both of them.
    let sources: BTreeSet<&str> = (of_formulas.iter().map(|program| &*program.source)).collect();
    assert_eq!(sources.len(), of_formulas.len());
    for program in own {
        if program.name.contains("textbook") {
            continue;
        }
        assert_eq!(
            Program::new(program.kernel, program.arithmetic)
                .unwrap()
                .id(),
            program.id()
        );
    }
}
