//! Numbers in TOML as they are written: coordinates to all their digits, also without quotes, and whole numbers with
//! an exponent.

use std::ops::Range;

use fractal::count::count;
use toml::de::{DeTable, DeValue};

/// Keys whose numbers keep all their digits, in files of any program.
const PLACES: [&str; 10] = [
    "re", "im", "zoom", "xmin", "xmax", "ymin", "ymax", "real", "imag", "size",
];
/// Keys whose numbers are whole.
const COUNTS: [&str; 6] = [
    "iterations",
    "period",
    "width",
    "height",
    "image_width",
    "image_height",
];

/// The text with coordinates in quotes and whole numbers written out, so that none goes by way of a double. Lines stay
/// what they are; of what is no TOML nothing changes.
///
/// # Errors
/// A number that is to be whole and is not, with its line.
pub(crate) fn kept(text: &str) -> Result<String, String> {
    let Ok(table) = DeTable::parse(text) else {
        return Ok(text.to_owned());
    };
    let mut changes = Vec::new();
    look(table.get_ref(), text, &mut changes)?;
    changes.sort_by_key(|(span, _)| span.start);
    let (mut kept, mut far) = (String::with_capacity(text.len()), 0);
    for (span, instead) in changes {
        kept += text.get(far..span.start).unwrap_or_default();
        kept += &instead;
        far = span.end;
    }
    Ok(kept + text.get(far..).unwrap_or_default())
}

/// What is to stand where, in a table and those in it.
fn look(
    table: &DeTable<'_>,
    text: &str,
    changes: &mut Vec<(Range<usize>, String)>,
) -> Result<(), String> {
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        let span = value.span();
        let written = || text.get(span.clone()).unwrap_or_default().replace('_', "");
        match value.get_ref() {
            DeValue::Table(inner) => look(inner, text, changes)?,
            DeValue::Integer(_) | DeValue::Float(_) if PLACES.contains(&key) => {
                let quoted = format!("\"{}\"", written());
                changes.push((span, quoted));
            }
            DeValue::Float(_) if COUNTS.contains(&key) => {
                let whole = count(&written()).map_err(|reason| {
                    let before = text.get(..span.start).unwrap_or_default();
                    let line = before.matches('\n').count() + 1;
                    format!("line {line}: {key}: {reason}")
                })?;
                changes.push((span, whole.to_string()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for (text, becomes) in [
            (
                "re = -0.743643887037158704752191506114774 # a\nim=1\n",
                "re = \"-0.743643887037158704752191506114774\" # a\nim=\"1\"\n",
            ),
            ("zoom = 1_0.5e1_0", "zoom = \"10.5e10\""),
            (
                "zoom = 100000000000000000000000000000000",
                "zoom = \"100000000000000000000000000000000\"",
            ),
            (
                "iterations = 1.5e6\nperiod = 3",
                "iterations = 1500000\nperiod = 3",
            ),
            ("[minibrot]\nre = 0.5", "[minibrot]\nre = \"0.5\""),
            ("location.real = 0.5", "location.real = \"0.5\""),
            ("a = { re = 1 }\nx = 0.5", "a = { re = \"1\" }\nx = 0.5"),
            ("re = \"1\" im", "re = \"1\" im"),
        ] {
            assert_eq!(kept(text).unwrap(), becomes, "{text}");
        }
        let error = kept("re = 1\niterations = 1.5\n").unwrap_err();
        assert!(
            error.starts_with("line 2: iterations: give a whole number"),
            "{error}"
        );
    }
}
