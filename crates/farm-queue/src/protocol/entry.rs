//! The small fields of stream entries: which strip an entry is about.
//!
//! Entries of all three streams carry `v` (version) and `s` (strip index); dead letters carry `r`, the
//! reasons, one a line.

use fractal::{Strip, StripPlan};

use crate::protocol::attempts::{MAX_REASONS, reason_line};

/// Version of the entries that this build writes, and the only one that it reads.
pub const ENTRY_VERSION: &str = "1";
/// Field of the version.
pub const VERSION_FIELD: &str = "v";
/// Field of the strip's index.
pub const STRIP_FIELD: &str = "s";
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
    /// Without a strip index, or with one that is no number.
    #[error("an entry without a strip index")]
    NoStrip,
    /// The index is past the job's last strip.
    #[error("an entry for strip {index} of a job of {count}")]
    Foreign {
        /// Index in the entry.
        index: u32,
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

/// The strip that an entry's fields are about.
///
/// # Errors
/// Why the entry is none of this job's.
pub fn strip(fields: &[Field], plan: StripPlan) -> Result<Strip, EntryError> {
    if fields.len() > MAX_FIELDS {
        return Err(EntryError::TooManyFields(fields.len()));
    }
    if field(fields, VERSION_FIELD) != Some(ENTRY_VERSION.as_bytes()) {
        return Err(EntryError::Version);
    }
    let index = field(fields, STRIP_FIELD)
        // `parse` would take a sign, which nobody of ours writes.
        .filter(|text| text.iter().all(u8::is_ascii_digit))
        .and_then(|text| std::str::from_utf8(text).ok())
        .and_then(|text| text.parse().ok())
        .ok_or(EntryError::NoStrip)?;
    plan.strip(index).ok_or(EntryError::Foreign {
        index,
        count: plan.count(),
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
        let index_of = |s: &str| strip(&fields(&[("v", "1"), ("s", s)]), PLAN);
        assert_eq!(index_of("3"), Ok(PLAN.strip(3).unwrap()));
        assert_eq!(
            index_of("15"),
            Err(EntryError::Foreign {
                index: 15,
                count: 15
            })
        );
        for bad in ["", "-1", "+3", "x", "4294967296", "3 "] {
            assert_eq!(index_of(bad), Err(EntryError::NoStrip), "{bad:?}");
        }
        assert_eq!(
            strip(&fields(&[("v", "2"), ("s", "1")]), PLAN),
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
        let dead = fields(&[("v", "1"), ("s", "1"), ("r", "one\ntwo\n")]);
        assert_eq!(reasons(&dead), ["one", "two"]);
        assert!(reasons(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn any_fields_are_read_without_panic(
            fields in prop::collection::vec(
                (prop_oneof![Just(b"v".to_vec()), Just(b"s".to_vec()), Just(b"r".to_vec()), any::<Vec<u8>>()],
                 prop_oneof![Just(b"1".to_vec()), any::<Vec<u8>>()]),
                0..20),
        ) {
            if let Ok(found) = strip(&fields, PLAN) {
                prop_assert_eq!(PLAN.strip(found.index), Some(found));
            }
            let reasons = reasons(&fields);
            prop_assert!(reasons.len() <= MAX_REASONS);
        }
    }
}
