//! The farm's key: who may have work done, and whose results count.
//!
//! A signature is the HMAC-SHA256 of the exact bytes of a serialized job, as 64 hexadecimal digits. It says that
//! somebody with the key made the job; it does not keep anybody from sending the same job again.
//!
//! A seal is the HMAC-SHA256 of what a worker says, by a key of that worker alone: the farm's key makes the key of each
//! name. So a worker can be given what it needs and no more ([`FarmKey::worker_key`]): it checks jobs, and it speaks
//! for itself. Whoever has the farm's key can speak for all.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::protocol::lines::worker_name;

/// Fewest bytes of a key: shorter ones can be guessed.
pub const MIN_KEY_BYTES: usize = 16;
/// Most bytes of a key: a longer one is some other file.
pub const MAX_KEY_BYTES: usize = 1024;

/// Bytes of a seal.
pub const SEAL_BYTES: usize = 32;

/// What the text of one worker's key begins with; the key that checks jobs, the key that seals, and the name follow.
const WORKER_KEY: &str = "mandelfarm-worker-key-1";
/// What the keys are derived for.
const JOBS: &str = "mandelfarm jobs 1";
const WORKER: &str = "mandelfarm worker 1";

/// The key of a farm, or that of one worker.
#[derive(Clone)]
pub struct FarmKey {
    jobs: [u8; 32],
    seals: Seals,
}

#[derive(Clone)]
enum Seals {
    /// The farm's key, which makes that of each worker.
    OfAll(Hmac<Sha256>),
    /// The key of the worker of this name.
    OfOne(String, [u8; 32]),
}

/// A key that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FarmKeyError {
    /// Its length in bytes.
    #[error(
        "a farm key has {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, and this one has {0} (openssl rand -hex 32 makes a good one)"
    )]
    Length(usize),
    /// It begins like one worker's key, and goes on otherwise.
    #[error("it is cut or changed: one worker's key is a line as `submitter worker-key` prints it")]
    WorkerKey,
}

impl fmt::Debug for FarmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn mac_of(key: &[u8]) -> Hmac<Sha256> {
    #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(key).expect("a key of any length")
}

fn derive(mut mac: Hmac<Sha256>, purpose: &str, name: &str) -> [u8; 32] {
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().into()
}

impl FarmKey {
    /// The key of these bytes: one worker's where they are a line of [`Self::worker_key`], else a farm's, as they are.
    ///
    /// # Errors
    /// When they are fewer than [`MIN_KEY_BYTES`] or more than [`MAX_KEY_BYTES`], or a worker's key that was changed.
    pub fn new(key: &[u8]) -> Result<Self, FarmKeyError> {
        if !(MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&key.len()) {
            return Err(FarmKeyError::Length(key.len()));
        }
        if key.starts_with(WORKER_KEY.as_bytes()) {
            return Self::of_one(key).ok_or(FarmKeyError::WorkerKey);
        }
        let all = mac_of(key);
        Ok(Self {
            jobs: derive(all.clone(), JOBS, ""),
            seals: Seals::OfAll(all),
        })
    }

    fn of_one(key: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(key).ok()?.splitn(4, ' ');
        (words.next() == Some(WORKER_KEY)).then_some(())?;
        let (jobs, seals) = (bytes(words.next()?)?, bytes(words.next()?)?);
        let name = words.next().filter(|name| !name.is_empty())?;
        (worker_name(name) == name).then(|| Self {
            jobs,
            seals: Seals::OfOne(name.to_owned(), seals),
        })
    }

    /// The key of the worker of this name, as a line of text; `None` where this is one worker's key, or the name is
    /// not one as [`worker_name`] leaves it.
    #[must_use]
    pub fn worker_key(&self, name: &str) -> Option<String> {
        if name.trim().is_empty() || worker_name(name) != name {
            return None;
        }
        let Seals::OfAll(all) = &self.seals else {
            return None;
        };
        let seals = derive(all.clone(), WORKER, name);
        Some(format!(
            "{WORKER_KEY} {} {} {name}",
            hex(&self.jobs),
            hex(&seals)
        ))
    }

    /// Whose key this is; `None` where it is the farm's.
    #[must_use]
    pub fn worker(&self) -> Option<&str> {
        match &self.seals {
            Seals::OfAll(_) => None,
            Seals::OfOne(name, _) => Some(name),
        }
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = mac_of(&self.jobs);
        mac.update(message);
        mac
    }

    /// The signature of a job: 64 hexadecimal digits.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        hex(&self.mac(message).finalize().into_bytes())
    }

    /// The seal of `worker` on a message in pieces that serves `purpose`, a text of ours without zeros: one of another
    /// purpose is never the same. Another worker's key makes a seal that nobody takes.
    #[must_use]
    pub fn seal<'a>(
        &self,
        worker: &str,
        purpose: &str,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> [u8; SEAL_BYTES] {
        self.sealing(worker, purpose, pieces)
            .finalize()
            .into_bytes()
            .into()
    }

    /// Whether `seal` is that of `worker` on these pieces; takes the same time wherever it is wrong.
    #[must_use]
    pub fn is_seal<'a>(
        &self,
        worker: &str,
        purpose: &str,
        pieces: impl Iterator<Item = &'a [u8]>,
        seal: &[u8],
    ) -> bool {
        self.sealing(worker, purpose, pieces)
            .verify_slice(seal)
            .is_ok()
    }

    fn sealing<'a>(
        &self,
        worker: &str,
        purpose: &str,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Hmac<Sha256> {
        let mut mac = match &self.seals {
            Seals::OfAll(all) => mac_of(&derive(all.clone(), WORKER, worker)),
            Seals::OfOne(_, key) => mac_of(key),
        };
        mac.update(purpose.as_bytes());
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
        let mut mac = mac_of(&[0xaa; 20]);
        mac.update(&[0xdd; 50]);
        assert_eq!(
            hex(&mac.finalize().into_bytes()),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        );
        let key = FarmKey::new(&[0xaa; 20]).unwrap();
        let signature = key.sign(&[0xdd; 50]);
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

    #[test]
    fn a_workers_key_checks_jobs_and_speaks_for_that_worker_alone() {
        let farm = FarmKey::new(b"secret secret secret").unwrap();
        let line = farm.worker_key("box 1").unwrap();
        let one = FarmKey::new(line.as_bytes()).unwrap();
        assert_eq!((one.worker(), farm.worker()), (Some("box 1"), None));
        assert!(one.verifies(b"job", &farm.sign(b"job")));
        assert_eq!(one.worker_key("box 2"), None);
        let pieces = || [&b"a"[..], b"b"].into_iter();
        for (who, key, taken) in [
            ("box 1", &one, true),
            ("box 2", &one, false),
            ("box 2", &farm, true),
        ] {
            let seal = key.seal(who, "purpose", pieces());
            assert_eq!(
                farm.is_seal(who, "purpose", pieces(), &seal),
                taken,
                "{who}"
            );
            assert!(!farm.is_seal(who, "another", pieces(), &seal));
        }
        for name in ["", " ", "a:b", "a\nb"] {
            assert_eq!(farm.worker_key(name), None, "{name:?}");
        }
        for wrong in [
            WORKER_KEY.to_owned(),
            line[..40].to_owned(),
            line.replace(" box 1", ""),
            line.replace("box 1", "a:b"),
        ] {
            let read = FarmKey::new(wrong.as_bytes());
            assert_eq!(read.err(), Some(FarmKeyError::WorkerKey), "{wrong}");
        }
        assert!(!format!("{one:?}").contains("box"));
    }
}
