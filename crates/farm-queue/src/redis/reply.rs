//! Answers about streams, read without trust: an answer of any other shape is no entry.

use ::redis::Value;

use crate::protocol::entry::Field;

/// An entry of a stream: its name and its fields.
pub(super) type Entry = (String, Vec<Field>);

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::BulkString(bytes) => bytes,
        Value::SimpleString(text) => text.into_bytes(),
        _ => Vec::new(),
    }
}

fn text(value: Value) -> String {
    String::from_utf8(bytes(value)).unwrap_or_default()
}

/// A flat list of names and values.
fn fields(value: Value) -> Vec<Field> {
    let mut items = items(value).into_iter();
    let mut fields = Vec::new();
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        fields.push((bytes(name), bytes(value)));
    }
    fields
}

/// `[id, [field, value, ...]]`
fn entry(value: Value) -> Option<Entry> {
    let mut items = items(value).into_iter();
    let id = text(items.next()?);
    Some((id, fields(items.next()?)))
}

/// The answer to XREAD and XREADGROUP: entries by stream.
pub(super) fn streams(value: Value) -> Vec<(String, Vec<Entry>)> {
    let stream = |value| {
        let mut items = items(value).into_iter();
        let key = text(items.next()?);
        let entries = self::items(items.next()?);
        Some((key, entries.into_iter().filter_map(entry).collect()))
    };
    items(value).into_iter().filter_map(stream).collect()
}

/// The answer to XRANGE.
pub(super) fn entries(value: Value) -> Vec<Entry> {
    items(value).into_iter().filter_map(entry).collect()
}

/// The answer of the scripts that take a strip over: `[id, attempt, [field, value, ...]]`, or nil.
pub(super) fn taken_over(value: Value) -> Option<(Entry, u32)> {
    let mut items = items(value).into_iter();
    let id = text(items.next()?);
    let Value::Int(attempt) = items.next()? else {
        return None;
    };
    Some(((id, fields(items.next()?)), u32::try_from(attempt).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn reads_entries_and_survives_other_shapes() {
        let answer = Value::Array(vec![Value::Array(vec![
            bulk("key"),
            Value::Array(vec![
                Value::Array(vec![
                    bulk("1-0"),
                    Value::Array(vec![bulk("s"), bulk("7"), bulk("odd")]),
                ]),
                Value::Array(vec![bulk("2-0"), Value::Nil]),
                Value::Nil,
            ]),
        ])]);
        let read = streams(answer);
        let expected = vec![
            ("1-0".to_owned(), vec![(b"s".to_vec(), b"7".to_vec())]),
            ("2-0".to_owned(), Vec::new()),
        ];
        assert_eq!(read, [("key".to_owned(), expected)]);
        assert!(streams(Value::Nil).is_empty());
        assert!(streams(Value::Int(3)).is_empty());
        assert!(taken_over(Value::Nil).is_none());
        let odd = Value::Array(vec![bulk("1-0"), Value::Int(-1), Value::Nil]);
        assert!(taken_over(odd).is_none());
    }
}
