//! The farm's key: who may have work done.
//!
//! A signature is the HMAC-SHA256 of the exact bytes of a serialized job, as 64 hexadecimal digits. It says that
//! somebody with the key made the job; it does not keep anybody from sending the same job again.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Fewest bytes of a key: shorter ones can be guessed.
pub const MIN_KEY_BYTES: usize = 16;
/// Most bytes of a key: a longer one is some other file.
pub const MAX_KEY_BYTES: usize = 1024;

/// Bytes of a seal.
pub const SEAL_BYTES: usize = 32;

/// The key that signs the job specs of a farm, and its results.
#[derive(Clone)]
pub struct FarmKey(Hmac<Sha256>);

/// A key that is none: its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a farm key has {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, and this one has {0} (openssl rand -hex 32 makes a good one)"
)]
pub struct FarmKeyError(pub usize);

impl fmt::Debug for FarmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl FarmKey {
    /// The key of these bytes, as they are.
    ///
    /// # Errors
    /// When they are fewer than [`MIN_KEY_BYTES`] or more than [`MAX_KEY_BYTES`].
    pub fn new(bytes: &[u8]) -> Result<Self, FarmKeyError> {
        let wrong = FarmKeyError(bytes.len());
        if !(MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&bytes.len()) {
            return Err(wrong);
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| wrong)
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(message);
        mac
    }

    /// The signature of `message`: 64 hexadecimal digits.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        hex(&self.mac(message).finalize().into_bytes())
    }

    /// The seal of a message in pieces that serves `purpose`, a text of ours without zeros: one of another purpose, or
    /// a job's signature, is never the same.
    #[must_use]
    pub fn seal<'a>(
        &self,
        purpose: &str,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> [u8; SEAL_BYTES] {
        self.sealing(purpose, pieces).finalize().into_bytes().into()
    }

    /// Whether `seal` is this key's of these pieces; takes the same time wherever it is wrong.
    #[must_use]
    pub fn is_seal<'a>(
        &self,
        purpose: &str,
        pieces: impl Iterator<Item = &'a [u8]>,
        seal: &[u8],
    ) -> bool {
        self.sealing(purpose, pieces).verify_slice(seal).is_ok()
    }

    fn sealing<'a>(&self, purpose: &str, pieces: impl Iterator<Item = &'a [u8]>) -> Hmac<Sha256> {
        // A serialized job begins with a brace, and no purpose does.
        let mut mac = self.mac(purpose.as_bytes());
        mac.update(&[0]);
        pieces.for_each(|piece| mac.update(piece));
        mac
    }

    /// Whether `signature` is this key's of `message`; takes the same time wherever it is wrong.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        bytes(signature).is_some_and(|given| self.mac(message).verify_slice(&given).is_ok())
    }
}

/// As hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(16 * digit(0)? + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // RFC 4231, case 3: 20 bytes 0xaa over 50 bytes 0xdd.
        let key = FarmKey::new(&[0xaa; 20]).unwrap();
        let signature = key.sign(&[0xdd; 50]);
        assert_eq!(
            signature,
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        );
        assert!(key.verifies(&[0xdd; 50], &signature));
        assert!(key.verifies(&[0xdd; 50], &signature.to_uppercase()));
        assert!(!key.verifies(&[0xdd; 49], &signature));
        let other = FarmKey::new(&[0xab; 20]).unwrap();
        assert!(!other.verifies(&[0xdd; 50], &signature));
        for wrong in ["", "77", &signature[1..], &"é".repeat(32), &"g".repeat(64)] {
            assert!(!key.verifies(&[0xdd; 50], wrong), "{wrong}");
        }
        for at in 0..64 {
            let mut forged = signature.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            assert!(!key.verifies(&[0xdd; 50], std::str::from_utf8(&forged).unwrap()));
        }
    }

    #[test]
    fn keys_have_a_length() {
        for (length, good) in [
            (0, false),
            (15, false),
            (16, true),
            (1024, true),
            (1025, false),
        ] {
            assert_eq!(FarmKey::new(&vec![7; length]).is_ok(), good, "{length}");
        }
        let key = FarmKey::new(b"secret secret secret").unwrap();
        assert_eq!(format!("{key:?}"), "***");
    }
}
