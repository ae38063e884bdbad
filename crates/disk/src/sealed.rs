//! Files of our own that hold one value, as JSON between a digest of it and nothing else: one that is not byte for byte what
//! was written is refused, and never taken for a value that nobody wrote.
//!
//! ```text
//! {"xxh3":"<XXH3 of the value's text, 128 bits in hexadecimal>","value":<the value>}
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_128;

const BEFORE: &[u8] = b"{\"xxh3\":\"";
const BETWEEN: &[u8] = b"\",\"value\":";
const AFTER: &[u8] = b"}\n";
/// Hexadecimal digits of a digest.
const DIGITS: usize = 32;

/// Why bytes are no value.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// They were changed, or are something else.
    #[error("its bytes are not those that were written")]
    Broken,
    /// They were written so, but by another build.
    #[error("malformed: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// A value as it is kept.
///
/// # Errors
/// Never with plain data; what the writer says.
pub fn seal(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let text = serde_json::to_vec(value)?;
    Ok([BEFORE, &digest(&text), BETWEEN, &text, AFTER].concat())
}

/// The value in bytes from the disk.
///
/// # Errors
/// When they are not what was written.
pub fn open<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SealError> {
    Ok(serde_json::from_slice(
        text(bytes).ok_or(SealError::Broken)?,
    )?)
}

/// The text of a value, where it is the one that was written.
fn text(bytes: &[u8]) -> Option<&[u8]> {
    let (expected, rest) = bytes.strip_prefix(BEFORE)?.split_at_checked(DIGITS)?;
    let text = rest.strip_prefix(BETWEEN)?.strip_suffix(AFTER)?;
    (digest(text) == expected).then_some(text)
}

fn digest(text: &[u8]) -> Vec<u8> {
    format!("{:0width$x}", xxh3_128(text), width = DIGITS).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to change one bit of `bytes`.
    fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        (0..8 * bytes.len()).map(|bit| {
            let mut changed = bytes.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        })
    }

    #[test]
    fn no_changed_bit_opens() {
        let value = vec![(1u32, "one".to_owned()), (2, "two".to_owned())];
        let bytes = seal(&value).unwrap();
        assert_eq!(open::<Vec<(u32, String)>>(&bytes).unwrap(), value);
        for changed in flipped(&bytes) {
            assert!(open::<serde_json::Value>(&changed).is_err());
        }
        for cut in 0..bytes.len() {
            assert!(open::<serde_json::Value>(&bytes[..cut]).is_err());
        }
    }
}
