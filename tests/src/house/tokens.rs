//! Rust source as tokens: enough of the language to follow its paths, without comments and texts.

/// Tokens of a source: words (names, keywords, numbers), `::`, `=>`, and any other character by itself. Comments, texts,
/// characters and lifetimes are left out.
#[must_use]
pub fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = not_code(rest);
        if skipped > 0 {
            rest = &rest[skipped..];
            continue;
        }
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") || rest.starts_with("=>") {
            2
        } else {
            first.len_utf8()
        };
        found.push(&rest[..length]);
        rest = &rest[length..];
    }
    found
}

/// Tokens without what is compiled for tests alone.
#[must_use]
pub fn shipped<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let Some(end) = attribute_end(tokens, at) else {
            kept.push(tokens[at]);
            at += 1;
            continue;
        };
        let attribute = &tokens[at..end];
        let for_tests = attribute.contains(&"cfg")
            && attribute.contains(&"test")
            && !attribute.contains(&"not");
        if !for_tests {
            kept.extend_from_slice(attribute);
            at = end;
        } else if attribute[1] == "!" {
            return kept;
        } else {
            at = item_end(tokens, end);
        }
    }
    kept
}

/// Where the group ends that opens at `open`: one past its closing bracket.
#[must_use]
pub fn group_end(tokens: &[&str], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Whether a token is a name or a keyword.
#[must_use]
pub fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// One past the attribute that begins at `at`; `None` where none does.
fn attribute_end(tokens: &[&str], at: usize) -> Option<usize> {
    let opening = match tokens.get(at..)? {
        ["#", "[", ..] => at + 1,
        ["#", "!", "[", ..] => at + 2,
        _ => return None,
    };
    Some(group_end(tokens, opening))
}

/// One past the item that begins at `at`, with its further attributes.
fn item_end(tokens: &[&str], mut at: usize) -> usize {
    while let Some(end) = attribute_end(tokens, at) {
        at = end;
    }
    while at < tokens.len() {
        match tokens[at] {
            ";" => return at + 1,
            "{" => return group_end(tokens, at),
            "(" | "[" => at = group_end(tokens, at),
            _ => at += 1,
        }
    }
    at
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Bytes of white space, a comment, a text, a character or a lifetime at the beginning; 0 where code begins.
fn not_code(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if text.starts_with(char::is_whitespace) {
        return text.len() - text.trim_start().len();
    }
    let prefix = ["br", "cr", "b", "c", "r", ""]
        .into_iter()
        .find(|prefix| text.starts_with(prefix));
    let prefix = prefix.unwrap_or_default();
    let after = &text[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    if prefix.ends_with('r') && after[hashes..].starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let begin = hashes + 1;
        let length = after[begin..].find(&end).map(|at| begin + at + end.len());
        return prefix.len() + length.unwrap_or(after.len());
    }
    if after.starts_with('"') {
        return prefix.len() + quoted(after, '"');
    }
    if !after.starts_with('\'') {
        return 0;
    }
    let mut letters = after.chars().skip(1);
    match (letters.next(), letters.next()) {
        (Some('\\'), _) | (_, Some('\'')) => prefix.len() + quoted(after, '\''),
        // A lifetime or a label.
        _ => 1 + after[1..].find(|c| !is_word(c)).unwrap_or(after.len() - 1),
    }
}

/// Bytes of a text from its first quote to its last.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Bytes of a comment in `/* */`, with those inside it.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_texts_and_lifetimes_are_no_tokens() {
        let text = r##"
            // use a::b;
            /* use /* c */ d; */
            let x: &'a str = "use e::f; \" g";
            let y = (r#"use "h"::i;"#, b"j", 'k', '\'', b'l', '"');
            m::n()
        "##;
        let expected = "let x : & str = ; let y = ( , , , , , ) ; m :: n ( )";
        assert_eq!(tokens(text).join(" "), expected);
    }

    #[test]
    fn what_is_for_tests_alone_is_cut() {
        let text = "a; #[cfg(test)] #[allow(x)] mod tests { use super::b; } #[cfg(not(test))] c; \
                    #[cfg(test)] mod tests; #[cfg(all(test, unix))] use d::{e}; f";
        let expected = "a ; # [ cfg ( not ( test ) ) ] c ; ; f";
        assert_eq!(shipped(&tokens(text)).join(" "), expected);
    }
}
