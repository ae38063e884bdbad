//! Words of workers as they are kept and shown: each one line of bounded length.

/// Most bytes that are kept of one reason.
pub const MAX_REASON_BYTES: usize = 240;
/// Most bytes of a worker's name.
pub const MAX_NAME_BYTES: usize = 64;

/// Most bytes of a worker's tag.
pub const MAX_TAG_BYTES: usize = 64;

/// Whether a text can be a worker's tag: letters, digits, `-`, `_` and `.`, and at least one of them.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=MAX_TAG_BYTES).contains(&text.len()) && text.chars().all(is_plain)
}

/// A reason as it is kept: one line of bounded length, without control characters.
#[must_use]
pub fn reason_line(reason: &str) -> String {
    let mut line = String::new();
    for c in reason.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if line.len() + c.len_utf8() > MAX_REASON_BYTES {
            break;
        }
        line.push(c);
    }
    line
}

/// A worker's name as it is used everywhere: one line of bounded length without the colon that ends it in
/// reasons.
#[must_use]
pub fn worker_name(name: &str) -> String {
    let line = reason_line(name).replace(':', "_");
    line[..line.floor_char_boundary(MAX_NAME_BYTES)].to_owned()
}

/// The name of a worker among the names of its processes, `NAME.PID.RANDOM`.
#[must_use]
pub fn worker_of(process: &str) -> &str {
    process.rsplitn(3, '.').nth(2).unwrap_or(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_plain_and_short() {
        for good in ["gpu-box", "a", "A.1_b"] {
            assert!(is_tag(good), "{good}");
        }
        for wrong in ["", "two words", "a,b", "é", "a\n"] {
            assert!(!is_tag(wrong), "{wrong}");
        }
        assert!(is_tag(&"a".repeat(MAX_TAG_BYTES)) && !is_tag(&"a".repeat(MAX_TAG_BYTES + 1)));
    }

    #[test]
    fn reasons_are_bounded_lines() {
        assert_eq!(reason_line("a\nb\tc"), "a b c");
        assert_eq!(reason_line(&"é".repeat(1000)).len(), MAX_REASON_BYTES);
    }

    #[test]
    fn names_are_bounded_and_have_no_colon() {
        assert_eq!(worker_of("box.local.12.00ff"), "box.local");
        assert_eq!(worker_of("in process"), "in process");
        assert_eq!(worker_name("a: b\n"), "a_ b ");
        assert_eq!(worker_name(&"é".repeat(99)).len(), MAX_NAME_BYTES);
    }
}
