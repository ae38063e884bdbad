//! Ranges of names, as world files have them: `a-[1-64]`, `b[0-3]-[0-7]`, `n[01-16]`, `x[1,3,7-9]`, several of them
//! separated by spaces or commas.

/// Most names that a range, or all ranges of one list together, may stand for.
pub const MAX_NAMES: usize = 4096;
/// Most bytes of a name; a worker has its target's.
pub const MAX_NAME_BYTES: usize = 64;
/// Most digits of a number in brackets.
const MAX_DIGITS: usize = 9;

/// Why a list of ranges is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// An opening bracket without a closing one, or the other way round.
    #[error("'{0}': brackets come in pairs, one pair after the other")]
    Brackets(String),
    /// Between brackets is no list of numbers and ranges.
    #[error("'{range}': '{part}' is neither a number nor a range such as 0-3")]
    Part {
        /// The whole.
        range: String,
        /// What is wrong in it.
        part: String,
    },
    /// The first number is over the last one.
    #[error("'{range}': {first} is over {last}")]
    Backwards {
        /// The whole.
        range: String,
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
    /// Too many names.
    #[error("'{0}' stands for more than {MAX_NAMES} names")]
    TooMany(String),
    /// A name of strange characters, or a long one.
    #[error(
        "'{0}': names have at most {MAX_NAME_BYTES} letters, digits, '-', '_', '.' or '@', and begin with a letter or digit"
    )]
    Name(String),
    /// A name for the second time.
    #[error("'{0}' again")]
    Again(String),
}

/// All names that `list` stands for, in its order.
///
/// # Errors
/// When it is no list of ranges, when they stand for too many names, or for one twice.
pub fn expand(list: &str) -> Result<Vec<String>, RangeError> {
    let mut names: Vec<String> = Vec::new();
    for range in words(list) {
        names.extend(expand_one(range, list, MAX_NAMES - names.len())?);
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(twice) => Err(RangeError::Again(twice[0].clone())),
        None => Ok(names),
    }
}

/// Splits a list into its ranges and the names of groups in it, which are written `@NAME` and may be ranges too.
#[must_use]
pub fn split_groups(list: &str) -> (String, String) {
    let (groups, ranges): (Vec<&str>, Vec<&str>) =
        words(list).partition(|word| word.starts_with('@'));
    let groups: Vec<&str> = groups.into_iter().map(|group| &group[1..]).collect();
    (ranges.join(" "), groups.join(" "))
}

/// The ranges of a list: split at spaces, and at commas outside brackets.
fn words(list: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    list.split(move |c: char| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        (c.is_whitespace() || c == ',') && !inside
    })
    .filter(|word| !word.is_empty())
}

fn expand_one(range: &str, list: &str, most: usize) -> Result<Vec<String>, RangeError> {
    let brackets = || RangeError::Brackets(short(range));
    let mut names = vec![String::new()];
    let mut rest = range;
    while !rest.is_empty() {
        let (text, after) = rest.split_once('[').unwrap_or((rest, ""));
        if text.contains(']') || (after.is_empty() && text.len() < rest.len()) {
            return Err(brackets());
        }
        // Before it is repeated for each name.
        if names.first().map_or(0, String::len) + text.len() > MAX_NAME_BYTES {
            return Err(RangeError::Name(short(range)));
        }
        for name in &mut names {
            name.push_str(text);
        }
        if after.is_empty() {
            break;
        }
        let (inside, after) = after.split_once(']').ok_or_else(brackets)?;
        let numbers = numbers(inside, range, list)?;
        if names.len().saturating_mul(numbers.len()) > most {
            return Err(RangeError::TooMany(short(list)));
        }
        let with = |name: String| numbers.iter().map(move |number| name.clone() + number);
        names = names.into_iter().flat_map(with).collect();
        rest = after;
    }
    if names.len() > most {
        return Err(RangeError::TooMany(short(list)));
    }
    match names.iter().find(|name| !is_name(name)) {
        Some(name) => Err(RangeError::Name(name.clone())),
        None => Ok(names),
    }
}

/// The beginning of a text that is quoted: it may be as long as the file.
fn short(text: &str) -> String {
    let cut = text.floor_char_boundary(2 * MAX_NAME_BYTES);
    let more = if cut < text.len() { "..." } else { "" };
    format!("{}{more}", &text[..cut])
}

/// Whether a target may be called so.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
}

/// The numbers of `1-3,07`, as text; leading zeros of a first number keep the width.
fn numbers(inside: &str, range: &str, list: &str) -> Result<Vec<String>, RangeError> {
    let mut numbers = Vec::new();
    for part in inside.split(',').map(str::trim) {
        let wrong = || RangeError::Part {
            range: short(range),
            part: short(part),
        };
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| {
            let digits = text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
            (text.parse::<u32>().ok())
                .filter(|_| digits)
                .ok_or_else(wrong)
        };
        let width = first.len();
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(RangeError::Backwards {
                range: short(range),
                first,
                last,
            });
        }
        if (last - first) as usize >= MAX_NAMES - numbers.len().min(MAX_NAMES) {
            return Err(RangeError::TooMany(short(list)));
        }
        numbers.extend((first..=last).map(|number| format!("{number:0width$}")));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_stand_for_their_names() {
        for (list, names) in [
            ("localhost", vec!["localhost"]),
            (
                "local-[0-3]",
                vec!["local-0", "local-1", "local-2", "local-3"],
            ),
            (
                "b[0-1]-[0-2]",
                vec!["b0-0", "b0-1", "b0-2", "b1-0", "b1-1", "b1-2"],
            ),
            ("n[08-11]", vec!["n08", "n09", "n10", "n11"]),
            ("x[1,3,7-8]y", vec!["x1y", "x3y", "x7y", "x8y"]),
            ("n[01,2, 003]", vec!["n01", "n2", "n003"]),
            ("  a  b-[1-2]\n c,d[5]", vec!["a", "b-1", "b-2", "c", "d5"]),
            ("[7-9]", vec!["7", "8", "9"]),
            ("", vec![]),
        ] {
            assert_eq!(expand(list).unwrap(), names, "{list}");
        }
        assert_eq!(expand("a-[1-64]").unwrap().len(), 64);
        assert_eq!(expand("a-[1-64]-[1-64]").unwrap().len(), 4096);
    }

    #[test]
    fn what_is_no_range_says_why() {
        for (list, says) in [
            ("a[1-3", "brackets come in pairs"),
            ("a]", "brackets come in pairs"),
            ("a[", "brackets come in pairs"),
            ("a[[1]]", "neither a number"),
            ("a[x]", "'x' is neither a number"),
            ("a[]", "'' is neither a number"),
            ("a[1-]", "neither a number"),
            ("a[-1]", "neither a number"),
            ("a[1-2-3]", "neither a number"),
            ("a[+1]", "neither a number"),
            ("a[9999999999]", "neither a number"),
            ("a[3-1]", "3 is over 1"),
            ("a[0-4096]", "more than 4096 names"),
            ("a[0-99]-[0-99]", "more than 4096 names"),
            ("a[0-999999999][0-999999999]", "more than 4096 names"),
            ("a[0-4000] b[0-200]", "more than 4096 names"),
            ("a [0-1] 1", "'1' again"),
            ("a a", "'a' again"),
            ("-o", "names have at most"),
            ("a/b", "names have at most"),
            ("a:b", "names have at most"),
            (
                &format!("[0-4095]{}", "x".repeat(500_000)),
                "names have at most",
            ),
            (&"[1]".repeat(300_000), "names have at most"),
        ] {
            let error = expand(list).unwrap_err().to_string();
            assert!(error.contains(says) && error.len() < 500, "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_range_has_all_its_numbers_in_order(first in 0_u32..2000, count in 1_u32..500, width in 1_usize..6) {
            let last = first + count - 1;
            let names = expand(&format!("n[{first:0width$}-{last}]")).unwrap();
            prop_assert_eq!(names.len(), count as usize);
            for (number, name) in (first..).zip(&names) {
                prop_assert_eq!(name[1..].parse::<u32>().unwrap(), number);
                prop_assert!(name.len() > width);
            }
        }

        #[test]
        fn lists_are_the_sum_of_their_ranges(parts in proptest::collection::vec((0_u32..40, 0_u32..9), 0..6)) {
            let ranges: Vec<String> = (parts.iter().enumerate())
                .map(|(at, (first, more))| format!("h{at}-[{first}-{}]", first + more))
                .collect();
            let names = expand(&ranges.join(" ")).unwrap();
            prop_assert_eq!(names.len() as u32, parts.iter().map(|(_, more)| more + 1).sum::<u32>());
            prop_assert_eq!(&names, &expand(&ranges.join(", ")).unwrap());
        }

        #[test]
        fn any_list_is_expanded_or_refused_within_limits(list in "[-a-b0-9\\[\\], .]{0,60}") {
            if let Ok(names) = expand(&list) {
                prop_assert!(names.len() <= MAX_NAMES);
                prop_assert!(names.iter().all(|name| is_name(name)));
            }
        }
    }
}
