//! What the server answers and keeps, as the table has it.

use std::collections::BTreeMap;

use farm_queue::protocol::attempts::MAX_REASONS;
use farm_queue::protocol::keys::{FAILED, RELEASED};
use farm_queue::protocol::table::Owner;
use redis::Value;

/// The reasons that a reader takes: copies of one slot may leave more.
pub(super) fn kept(text: &str) -> String {
    text.split_inclusive('\n').take(MAX_REASONS).collect()
}

pub(super) fn name_of(owner: &Owner<&'static str>) -> &'static str {
    match owner {
        Owner::Worker(worker) => worker,
        Owner::Released => RELEASED,
        Owner::Failed => FAILED,
    }
}

pub(super) fn text(value: Value) -> String {
    redis::from_redis_value(value).unwrap()
}

pub(super) fn fields(value: Value) -> BTreeMap<String, String> {
    redis::from_redis_value(value).unwrap()
}

/// The first entry in an answer to XREADGROUP.
pub(super) fn first_entry(answer: Value) -> Option<(String, BTreeMap<String, String>)> {
    type Streams = Vec<(String, Vec<(String, BTreeMap<String, String>)>)>;
    let streams: Option<Streams> = redis::from_redis_value(answer).unwrap();
    streams?.into_iter().next()?.1.into_iter().next()
}

/// An answer of `claim` and `adopt`: name, attempt, slot.
pub(super) fn taken_over(answer: Value) -> Option<(String, u32, u32)> {
    let Value::Array(parts) = answer else {
        return None;
    };
    let mut parts = parts.into_iter();
    let id = text(parts.next()?);
    let attempt = redis::from_redis_value(parts.next()?).unwrap();
    let slot = fields(parts.next()?)["s"].parse().unwrap();
    Some((id, attempt, slot))
}
