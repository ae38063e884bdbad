//! A reference orbit as jobs name it and queues carry it: by the digest of its bytes.

use std::sync::Arc;

use fractal::ReferenceOrbit;
use fractal::reference::{CodecError, MAX_VALUES};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::protocol::signing::hex;

/// Most bytes of an orbit as it travels.
pub const MAX_ORBIT_BYTES: u64 = 1 << 30;
/// Most bytes of one of the values that it lies in, in Redis.
pub const ORBIT_CHUNK: u64 = 4 << 20;
/// Letters of a digest.
const DIGEST_LETTERS: usize = 64;

/// The name of an orbit: what its bytes are, and how many. Jobs with the same one share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrbitKey {
    digest: String,
    bytes: u64,
}

/// Why bytes are not the orbit that a job names.
#[derive(Debug, thiserror::Error)]
pub enum OrbitKeyError {
    /// They have another digest or length.
    #[error("the reference orbit has other bytes than its job names")]
    Other,
    /// They are as its submitter wrote them, but no orbit.
    #[error("a malformed reference orbit: {0}")]
    Malformed(#[from] CodecError),
}

impl OrbitKey {
    /// The name of an orbit that travels as `encoded`.
    #[must_use]
    pub fn of(encoded: &[u8]) -> Self {
        Self {
            digest: hex(&Sha256::digest(encoded)),
            bytes: encoded.len() as u64,
        }
    }

    /// Whether it can be one: keys are made of it, and memory is sized by it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let is_digit = |letter: u8| matches!(letter, b'0'..=b'9' | b'a'..=b'f');
        self.digest.len() == DIGEST_LETTERS
            && self.digest.bytes().all(is_digit)
            && (1..=MAX_ORBIT_BYTES).contains(&self.bytes)
    }

    /// SHA-256 of the bytes, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// In how many pieces of [`ORBIT_CHUNK`] they lie in Redis.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.bytes.div_ceil(ORBIT_CHUNK)).unwrap_or(u32::MAX)
    }

    /// The orbit in bytes from outside, of `most` values at most, and of [`MAX_VALUES`].
    ///
    /// # Errors
    /// When they are not the ones that this names, or more.
    pub fn open(&self, encoded: &[u8], most: u64) -> Result<ReferenceOrbit, OrbitKeyError> {
        if Self::of(encoded) != *self {
            return Err(OrbitKeyError::Other);
        }
        Ok(ReferenceOrbit::from_bytes(encoded, most.min(MAX_VALUES))?)
    }
}

/// An orbit with its name, as a submitter shares it.
#[derive(Clone, Debug)]
pub struct SharedOrbit {
    /// Its name.
    pub key: OrbitKey,
    /// Itself.
    pub orbit: Arc<ReferenceOrbit>,
    encoded: Arc<Vec<u8>>,
}

impl SharedOrbit {
    /// Encodes and names an orbit; `None` where it is over [`MAX_ORBIT_BYTES`].
    #[must_use]
    pub fn new(orbit: Arc<ReferenceOrbit>) -> Option<Self> {
        let encoded = orbit.to_bytes();
        let key = OrbitKey::of(&encoded);
        key.is_sound().then(|| Self {
            key,
            orbit,
            encoded: Arc::new(encoded),
        })
    }

    /// As it travels.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The same without its bytes, for a queue in process, which hands over the orbit itself.
    #[must_use]
    pub fn without_bytes(mut self) -> Self {
        self.encoded = Arc::default();
        self
    }
}
