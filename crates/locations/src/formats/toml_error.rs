//! Errors of TOML's reader in one line.

/// What TOML's reader said of a text, in one line, with its place.
#[must_use]
pub fn toml_error(text: &str, error: &toml::de::Error) -> String {
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    let place = line.map_or_else(String::new, |line| format!("line {line}: "));
    let message: Vec<&str> = error.message().split_whitespace().collect();
    place + &message.join(" ")
}
