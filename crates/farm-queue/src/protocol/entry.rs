//! The small fields of stream entries: which strip an entry is about.
//!
//! Entries of all three streams carry `v` (version) and `s`, the slot: a strip's index, or for an audit the
//! number of the job's strips and the index. Strips to do may carry `n`, the name of a worker that may not have
//! it, and `x` when they are copies of one under way; dead letters carry `r`, the reasons, one a line.

use fractal::{Strip, StripPlan};

use crate::order::{Issue, Order};
use crate::protocol::attempts::MAX_REASONS;
use crate::protocol::lines::{reason_line, worker_name};

/// Version of the entries that this build writes, and the only one that it reads.
pub const ENTRY_VERSION: &str = "2";
/// Field of the version.
pub const VERSION_FIELD: &str = "v";
/// Field of the slot.
pub const SLOT_FIELD: &str = "s";
/// Field of the worker that may not have it.
pub const NOT_FIELD: &str = "n";
/// Field of a copy; its value does not matter.
pub const EXTRA_FIELD: &str = "x";
/// Field of a dead letter's reasons.
pub const REASONS_FIELD: &str = "r";
/// Most fields that an entry may have; foreign ones beside ours are let pass, floods are not.
pub const MAX_FIELDS: usize = 16;

/// Why an entry was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// More than [`MAX_FIELDS`].
    #[error("an entry of {0} fields is over the limit of {MAX_FIELDS}")]
    TooManyFields(usize),
    /// Without a version, or written by a build of another version.
    #[error("an entry of an unknown version; this build reads version {ENTRY_VERSION}")]
    Version,
    /// Without a slot, or with one that is no number.
    #[error("an entry without a strip")]
    NoStrip,
    /// The slot is past the job's last one.
    #[error("an entry for place {slot} of a job of {count} strips")]
    Foreign {
        /// Slot in the entry.
        slot: u32,
        /// Strips of the job.
        count: u32,
    },
}

/// One field of an entry: name and value.
pub type Field = (Vec<u8>, Vec<u8>);

fn field<'a>(fields: &'a [Field], name: &str) -> Option<&'a [u8]> {
    fields
        .iter()
        .find(|(key, _)| key == name.as_bytes())
        .map(|(_, value)| value.as_slice())
}

/// The strip that an entry's fields are about, and what for.
///
/// # Errors
/// Why the entry is none of this job's.
pub fn strip(fields: &[Field], plan: StripPlan) -> Result<(Strip, Issue), EntryError> {
    if fields.len() > MAX_FIELDS {
        return Err(EntryError::TooManyFields(fields.len()));
    }
    if field(fields, VERSION_FIELD) != Some(ENTRY_VERSION.as_bytes()) {
        return Err(EntryError::Version);
    }
    let slot: u32 = field(fields, SLOT_FIELD)
        // `parse` would take a sign, which nobody of ours writes.
        .filter(|text| text.iter().all(u8::is_ascii_digit))
        .and_then(|text| std::str::from_utf8(text).ok())
        .and_then(|text| text.parse().ok())
        .ok_or(EntryError::NoStrip)?;
    let count = plan.count();
    let (index, issue) = match slot.checked_sub(count) {
        None => (slot, Issue::Render),
        Some(index) => (index, Issue::Audit),
    };
    let strip = plan.strip(index);
    strip
        .map(|strip| (strip, issue))
        .ok_or(EntryError::Foreign { slot, count })
}

/// What an entry of the strips to do asks for.
///
/// # Errors
/// Why the entry is none of this job's.
pub fn order(fields: &[Field], plan: StripPlan) -> Result<Order, EntryError> {
    let (strip, issue) = strip(fields, plan)?;
    let not = field(fields, NOT_FIELD)
        .filter(|name| !name.is_empty())
        .map(|name| worker_name(&String::from_utf8_lossy(&name[..name.len().min(1024)])));
    Ok(Order {
        strip,
        issue,
        not,
        extra: field(fields, EXTRA_FIELD).is_some_and(|value| !value.is_empty()),
    })
}

/// The reasons in a dead letter's fields.
#[must_use]
pub fn reasons(fields: &[Field]) -> Vec<String> {
    let text = field(fields, REASONS_FIELD).unwrap_or_default();
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .take(MAX_REASONS)
        // Cut before the bytes are read as text: what is read is bounded, too.
        .map(|line| reason_line(&String::from_utf8_lossy(&line[..line.len().min(1024)])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLAN: StripPlan = StripPlan {
        height: 100,
        strip_rows: 7,
    };

    fn fields(pairs: &[(&str, &str)]) -> Vec<Field> {
        pairs
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let index_of = |s: &str| strip(&fields(&[("v", "2"), ("s", s)]), PLAN);
        assert_eq!(index_of("3"), Ok((PLAN.strip(3).unwrap(), Issue::Render)));
        assert_eq!(index_of("18"), Ok((PLAN.strip(3).unwrap(), Issue::Audit)));
        assert_eq!(
            index_of("30"),
            Err(EntryError::Foreign {
                slot: 30,
                count: 15
            })
        );
        let asked = order(
            &fields(&[("v", "2"), ("s", "1"), ("n", "a"), ("x", "1")]),
            PLAN,
        );
        let strip_1 = PLAN.strip(1).unwrap();
        assert_eq!(
            asked,
            Ok(Order {
                not: Some("a".to_owned()),
                extra: true,
                ..Order::from(strip_1)
            })
        );
        let plain = order(
            &fields(&[("v", "2"), ("s", "1"), ("n", ""), ("x", "")]),
            PLAN,
        );
        assert_eq!(plain, Ok(Order::from(strip_1)));
        for bad in ["", "-1", "+3", "x", "4294967296", "3 "] {
            assert_eq!(index_of(bad), Err(EntryError::NoStrip), "{bad:?}");
        }
        assert_eq!(
            strip(&fields(&[("v", "1"), ("s", "1")]), PLAN),
            Err(EntryError::Version)
        );
        assert_eq!(strip(&fields(&[]), PLAN), Err(EntryError::Version));
        let many = vec![(b"v".to_vec(), b"1".to_vec()); MAX_FIELDS + 1];
        assert!(matches!(
            strip(&many, PLAN),
            Err(EntryError::TooManyFields(_))
        ));
    }

    #[test]
    fn reasons_come_back_by_line() {
        let dead = fields(&[("v", "2"), ("s", "1"), ("r", "one\ntwo\n")]);
        assert_eq!(reasons(&dead), ["one", "two"]);
        assert!(reasons(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn any_fields_are_read_without_panic(
            fields in prop::collection::vec(
                (prop_oneof![Just(b"v".to_vec()), Just(b"s".to_vec()), Just(b"r".to_vec()), Just(b"n".to_vec()), any::<Vec<u8>>()],
                 prop_oneof![Just(b"2".to_vec()), any::<Vec<u8>>()]),
                0..20),
        ) {
            if let Ok((found, _)) = strip(&fields, PLAN) {
                prop_assert_eq!(PLAN.strip(found.index), Some(found));
                prop_assert!(order(&fields, PLAN).is_ok());
            }
            let reasons = reasons(&fields);
            prop_assert!(reasons.len() <= MAX_REASONS);
        }
    }
}
