//! Formulas of `.kfr`: `FractalType` with `Power`, and `HybridFormula`.

use fractal::Formula;
use fractal::formula::Operation;

mod types;

pub(super) use types::{of_type, type_of};

/// The formula of a `HybridFormula`: `LOOP/REPEATS|LINE|LINE/…`, where a line is `ONE;TWO;MODE`, and one of the two is
/// `ABSX,ABSY,NEGX,NEGY,POWER,RE,IM`.
///
/// # Errors
/// What is wrong with it, or what of it we do not have.
pub(super) fn of_hybrid(text: &str) -> Result<Formula, String> {
    let mut stanzas = text.trim().split('/');
    let first = stanzas.next().unwrap_or_default();
    if first.trim().parse::<u32>() != Ok(0) {
        return Err(format!(
            "HybridFormula: its loop begins at part {first:.20}, and not with the first"
        ));
    }
    let mut phases: Vec<String> = Vec::new();
    for stanza in stanzas {
        let mut parts = stanza.split('|');
        let repeats = parts.next().unwrap_or_default();
        let repeats: usize = (repeats.trim().parse())
            .map_err(|_| format!("HybridFormula: '{repeats:.40}' is no whole number"))?;
        let lines = parts.map(line).collect::<Result<Vec<String>, String>>()?;
        let phase = format!("{} add", lines.join(" "));
        // One more than a formula may have is as wrong as all of them.
        let most = fractal::formula::MAX_PHASES + 1;
        phases.extend(vec![phase; repeats.min(most)]);
    }
    (phases.join(" / ").parse())
        .map_err(|error: fractal::formula::FormulaError| format!("HybridFormula: {error}"))
}

/// One of the two of a line.
#[derive(PartialEq)]
struct Operator {
    folds: Vec<&'static str>,
    power: u32,
    factor: (f64, f64),
}

impl Operator {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("HybridFormula: '{text:.60}' is no step");
        let values: Vec<&str> = text.split(',').map(str::trim).collect();
        let [abs_x, abs_y, neg_x, neg_y, power, re, im] = values[..] else {
            return Err(wrong());
        };
        let words = [
            (abs_x, "absx"),
            (abs_y, "absy"),
            (neg_x, "negx"),
            (neg_y, "negy"),
        ];
        let folds = words.iter().filter(|(value, _)| *value != "0");
        Ok(Self {
            folds: folds.map(|(_, word)| *word).collect(),
            power: power.parse().map_err(|_| wrong())?,
            factor: (
                re.parse().map_err(|_| wrong())?,
                im.parse().map_err(|_| wrong())?,
            ),
        })
    }

    fn is_nothing(&self) -> bool {
        self.power == 0 && self.factor == (0.0, 0.0)
    }

    fn words(&self) -> String {
        let power = match self.power {
            1 => None,
            2 => Some("sqr".to_owned()),
            power => Some(format!("pow{power}")),
        };
        let words = self.folds.iter().map(|fold| (*fold).to_owned());
        words.chain(power).collect::<Vec<_>>().join(" ")
    }
}

/// A line as operations.
fn line(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(';').collect();
    let [one, two, mode] = parts[..] else {
        return Err(format!("HybridFormula: '{text:.80}' is no line"));
    };
    let (one, two) = (Operator::read(one)?, Operator::read(two)?);
    let (mode, is_alone) = (mode.trim(), two.is_nothing());
    let is_plain = |one: &Operator| one.power > 0 && one.factor == (1.0, 0.0);
    let times = |power: u32| vec!["mul"; power.min(40) as usize].join(" ");
    match mode {
        "0" | "1" if is_alone && is_plain(&one) => Ok(one.words()),
        // z to a power times what is folded, to a power.
        "2" if is_plain(&one) && is_plain(&two) && one.folds.is_empty() => {
            Ok(format!("store {} {}", two.words(), times(one.power)))
        }
        "2" if is_plain(&one) && is_plain(&two) && two.folds.is_empty() => {
            Ok(format!("store {} {}", one.words(), times(two.power)))
        }
        "2" if is_plain(&one) && is_plain(&two) && one.folds == two.folds => Ok(Operator {
            power: one.power.saturating_add(two.power),
            ..one
        }
        .words()),
        _ => {
            Err("HybridFormula: sums, and factors other than 1, are no operations here".to_owned())
        }
    }
}

/// The lines that say a formula; `None` where that program has none such.
pub(super) fn text(formula: &Formula) -> Option<String> {
    if let Some((kind, power)) = type_of(formula) {
        return Some(format!("FractalType: {kind}\r\nPower: {power}\r\n"));
    }
    let mut stanzas: Vec<(u32, String)> = Vec::new();
    for phase in formula.written() {
        let lines = hybrid_lines(phase)?;
        match stanzas.last_mut() {
            Some((repeats, same)) if *same == lines => *repeats += 1,
            _ => stanzas.push((1, lines)),
        }
    }
    /// Most parts of its hybrids.
    const STANZAS: usize = 4;
    if stanzas.len() > STANZAS {
        return None;
    }
    let stanzas = stanzas
        .iter()
        .map(|(repeats, lines)| format!("/{repeats}{lines}"));
    let hybrid: String = stanzas.collect();
    Some(format!(
        "FractalType: 0\r\nPower: 2\r\nUseHybridFormula: 1\r\nHybridFormula: 0{hybrid}\r\n"
    ))
}

/// The lines of a phase: folds, negations and a power each.
fn hybrid_lines(phase: &[Operation]) -> Option<String> {
    let (last, operations) = phase.split_last()?;
    if *last != Operation::Add {
        return None;
    }
    // Folds, negations, then a power; whatever comes out of that order begins another line.
    let mut lines: Vec<([u8; 4], u32)> = Vec::new();
    let mut stage = usize::MAX;
    for operation in operations {
        let (at, power) = match operation {
            Operation::AbsX => (0, 1),
            Operation::AbsY => (1, 1),
            Operation::NegX => (2, 1),
            Operation::NegY => (3, 1),
            Operation::Square => (4, 2),
            Operation::Power(power) => (4, *power),
            _ => return None,
        };
        // Two of a kind may stand in either order.
        if lines.is_empty() || at / 2 < stage / 2 || stage == 4 {
            lines.push(([0; 4], 1));
        }
        stage = at;
        let (folds, own) = lines.last_mut()?;
        match folds.get_mut(at) {
            Some(fold) if at < 2 => *fold = 1,
            Some(fold) => *fold ^= 1,
            None => *own = power,
        }
    }
    let line = |([a, b, c, d], power): &([u8; 4], u32)| {
        format!("|{a},{b},{c},{d},{power},1,0;0,0,0,0,0,0,0;0")
    };
    /// Most lines of a part.
    const LINES: usize = 2;
    (lines.len() <= LINES).then(|| lines.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrids_are_read_line_by_line() {
        let square = "0,0,0,0,2,1,0;0,0,0,0,0,0,0;0";
        let cubic_ship = "1,1,0,0,3,1,0;0,0,0,0,0,0,0;0";
        for (text, operations) in [
            (format!("0/1|{square}"), "sqr add"),
            (
                format!("0/2|{square}/1|{cubic_ship}"),
                "sqr add / sqr add / absx absy pow3 add",
            ),
            (
                format!("0/1|{square}|1,0,0,1,1,1,0;0,0,0,0,0,0,0;1"),
                "sqr absx negy add",
            ),
            (
                "0/1|0,0,0,0,2,1,0;1,1,0,0,1,1,0;2".to_owned(),
                "store absx absy mul mul add",
            ),
        ] {
            assert_eq!(of_hybrid(&text).unwrap().operations(), operations, "{text}");
        }
        for (text, says) in [
            (format!("1/1|{square}/1|{square}"), "loop begins at part 1"),
            ("0/1|0,0,0,0,2,1,0;0,0,0,0,1,1,0;0".to_owned(), "sums"),
            ("0/1|0,0,0,0,2,0.5,0;0,0,0,0,0,0,0;0".to_owned(), "factors"),
            ("0/1|0,0,0,0,1,1,0;0,0,0,0,0,0,0;0".to_owned(), "no power"),
            ("0/x|".to_owned(), "'x'"),
            ("0/1|1;2".to_owned(), "no line"),
            ("0/1|1;2;0".to_owned(), "no step"),
            (format!("0/4000000000|{square}"), "over the limit of 64"),
            ("0".to_owned(), "empty"),
            (String::new(), "loop begins"),
        ] {
            let line = of_hybrid(&text).unwrap_err();
            assert!(line.contains(says), "{text}: {line}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_or_is_not_written() {
        for (operations, is_hybrid) in [
            ("sqr add", false),
            ("absx absy sqr add", false),
            ("pow9 add", false),
            ("sqr absx negy add", true),
            ("absy absx negy negx pow7 add", true),
            ("sqr add / sqr add / absx absy pow3 add", true),
        ] {
            let formula: Formula = operations.parse().unwrap();
            let text = text(&formula).unwrap();
            let hybrid = text.split_once("HybridFormula: 0").map(|(_, rest)| rest);
            assert_eq!(hybrid.is_some(), is_hybrid, "{text}");
            if let Some(hybrid) = hybrid {
                let back = of_hybrid(&format!("0{}", hybrid.trim())).unwrap();
                assert_eq!(back.degree(), formula.degree(), "{text}");
                assert_eq!(back.phases().len(), formula.phases().len());
            }
        }
        for none in [
            "sqr rot 30 add",
            "add sqr add",
            "sqr store absx mul sqr add",
            "sqr absx sqr absy sqr add",
            "sqr add / pow3 add / sqr add / pow3 add / sqr add",
        ] {
            assert_eq!(text(&none.parse().unwrap()), None, "{none}");
        }
    }
}
