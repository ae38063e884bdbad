//! What readers of several formats need.

use fractal::{Decimal, View};

/// A number that a file of another program holds under `key`; programs break long ones into lines.
pub(super) fn number(key: &str, text: &str) -> Result<Decimal, String> {
    let text: String = text.split_ascii_whitespace().collect();
    text.parse().map_err(|error| format!("{key}: {error}"))
}

/// The line that says what of a file has no counterpart here.
pub(super) fn left_out_warning(mut what: Vec<String>) -> Option<String> {
    what.dedup();
    (!what.is_empty()).then(|| format!("left out of the location: {}", what.join(", ")))
}

/// The keys of a table with those of tables in it, as `table.key`.
pub(super) fn keys(table: &toml::Table) -> Vec<String> {
    let each = table.iter().map(|(key, value)| match value {
        toml::Value::Table(inner) => (inner.keys().map(|name| format!("{key}.{name}"))).collect(),
        _ => vec![key.clone()],
    });
    each.collect::<Vec<_>>().concat()
}

/// A place by the centre, if it has an extent.
pub(super) fn centre(re: Decimal, im: Decimal, zoom: Decimal) -> Result<View, String> {
    let view = View::Centre { re, im, zoom };
    view.check_order().map_err(|error| error.to_string())?;
    Ok(view)
}
