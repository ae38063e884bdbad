//! The steps of a formula as WGSL: a function for each phase, of the operations that every number type offers.

use std::fmt::Write;

use fractal::formula::{Fold, Instruction, Phase, turns_of};
use fractal::{Arithmetic, Formula};

use crate::layout::{BLOCK, split};

/// Steps between two tests for escape, of a formula with so many phases: whole cycles of them.
pub(crate) fn block_of(phases: usize) -> u32 {
    BLOCK.next_multiple_of(phases as u32)
}

/// The functions `cycle` (each phase once), `block` (whole cycles) and `trace_cycle` (one step at a time).
pub(crate) fn steps(formula: &Formula, arithmetic: Arithmetic) -> String {
    let phases = formula.phases();
    let turns: Vec<String> = (turns_of(formula).into_iter())
        .map(|turn| complex(turn, arithmetic))
        .collect();
    let mut text = String::from("// ---- steps\n");
    for (index, one) in phases.iter().enumerate() {
        text += &phase(index, one, &turns);
    }
    let calls: Vec<String> = (0..phases.len())
        .map(|index| format!("phase_{index}(o, c)"))
        .collect();
    text += "fn cycle(start: Orbit, c: Complex) -> Orbit {\n    var o = start;\n";
    for call in &calls {
        let _ = writeln!(text, "    o = {call};");
    }
    text += "    return o;\n}\n\n";
    let block = block_of(phases.len());
    let _ = write!(
        text,
        "const FORMULA_BLOCK: u32 = {block}u;\nconst CYCLES: u32 = {}u;\n\n",
        block / phases.len() as u32
    );
    text += "fn block(start: Orbit, c: Complex) -> Orbit {
    var o = start;
    for (var cycles = 0u; cycles < CYCLES; cycles += 1u) {
        o = cycle(o, c);
    }
    return o;
}

";
    text
}

/// The function `trace_cycle`: the steps of a cycle one by one, until one leaves the escape radius or none is `left`; whether
/// one did.
pub(crate) fn traced(phases: usize) -> String {
    let mut text = String::from(
        "fn trace_cycle(orbit: ptr<function, Orbit>, c: Complex, left: ptr<function, u32>) -> bool {\n    var o = *orbit;\n    var out = false;\n",
    );
    for index in 0..phases {
        let goes_on = if index == 0 {
            "true"
        } else {
            "!out && *left > 0u"
        };
        let _ = write!(
            text,
            "    if {goes_on} {{\n        o = phase_{index}(o, c);\n        *left -= 1u;\n        out = is_out(o.z);\n    }}\n"
        );
    }
    text += "    *orbit = o;\n    return out;\n}\n\n";
    text
}

fn phase(index: usize, phase: &Phase, turns: &[String]) -> String {
    let mut text = format!("fn phase_{index}(start: Orbit, c: Complex) -> Orbit {{\n");
    let mut line = |line: &str| {
        let _ = writeln!(text, "    {line}");
    };
    line("var o = start;");
    for place in 0..2 {
        let uses = |one: &Instruction| *one == Instruction::Multiply(place);
        if phase.instructions().iter().any(uses) {
            line(&format!("var kept_{place} = start;"));
        }
    }
    let mut rest = phase.instructions().iter().peekable();
    while let Some(instruction) = rest.next() {
        match *instruction {
            Instruction::Tap => {}
            Instruction::Square if rest.peek() == Some(&&Instruction::Add) => {
                rest.next();
                line("o = squared_plus(o, c);");
            }
            Instruction::Square => line("o = squared(o);"),
            Instruction::Store(place) => {
                let uses = |one: &Instruction| *one == Instruction::Multiply(place);
                if phase.instructions().iter().any(uses) {
                    line(&format!("kept_{place} = o;"));
                }
            }
            Instruction::Multiply(place) => line(&format!("o = multiplied(o, kept_{place});")),
            Instruction::Fold(Fold::AbsX) => line("o = abs_x(o);"),
            Instruction::Fold(Fold::AbsY) => line("o = abs_y(o);"),
            Instruction::Fold(Fold::NegX) => line("o = neg_x(o);"),
            Instruction::Fold(Fold::NegY) => line("o = neg_y(o);"),
            Instruction::Rotate(turn) => line(&format!("o = rotated(o, {});", turns[turn])),
            Instruction::Add => line("o = added(o, c);"),
        }
    }
    line("return o;");
    text += "}\n\n";
    text
}

/// A complex constant.
fn complex([re, im]: [f64; 2], arithmetic: Arithmetic) -> String {
    /// Below it a part of an angle's point is 0: singles have no such small ones.
    const LEAST: f64 = 1e-30;
    let pair = |x: f64| {
        split(x).map(|part| {
            if f64::from(part).abs() < LEAST {
                0.0
            } else {
                part
            }
        })
    };
    let ([re_high, re_low], [im_high, im_low]) = (pair(re), pair(im));
    match arithmetic {
        Arithmetic::F32 => format!("vec2<f32>({re_high:?}f, {im_high:?}f)"),
        Arithmetic::F64 => format!("vec2<f64>({re:?}lf, {im:?}lf)"),
        _ => format!("vec4<f32>({re_high:?}f, {re_low:?}f, {im_high:?}f, {im_low:?}f)"),
    }
}
