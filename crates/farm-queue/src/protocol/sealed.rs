//! Reasons of failures on a farm with a key: each with the seal of the worker that failed.

use crate::job::JobId;
use crate::protocol::lines::{MAX_REASON_BYTES, reason_line};
use crate::protocol::signing::{FarmKey, hex};

/// What stands between a reason and its seal.
const SEAL_MARK: &str = " #";
/// Letters of a reason's seal.
const SEAL_LETTERS: usize = 16;
/// What seals of reasons are made for.
const PURPOSE: &str = "mandelfarm failure 1";

fn seal_of(reason: &str, key: &FarmKey, job: &JobId, slot: u32) -> String {
    let worker = reason.split_once(": ").map_or("", |(name, _)| name);
    let pieces = [&job.to_bytes()[..], &slot.to_le_bytes(), reason.as_bytes()];
    let mut letters = hex(&key.seal(worker, PURPOSE, pieces.into_iter()));
    letters.truncate(SEAL_LETTERS);
    letters
}

/// A reason as it is kept on a farm with a key: it names the worker that failed, and nobody else can make it up.
#[must_use]
pub fn sealed_reason(reason: &str, key: &FarmKey, job: &JobId, slot: u32) -> String {
    let mut line = reason_line(reason);
    line.truncate(line.floor_char_boundary(MAX_REASON_BYTES - SEAL_MARK.len() - SEAL_LETTERS));
    let seal = seal_of(&line, key, job, slot);
    line + SEAL_MARK + &seal
}

/// A reason without its seal, for people.
#[must_use]
pub fn bare_reason(line: &str) -> &str {
    split_seal(line).map_or(line, |(reason, _)| reason)
}

fn split_seal(line: &str) -> Option<(&str, &str)> {
    let (reason, seal) = line.rsplit_once(SEAL_MARK)?;
    let is_letter = |letter: u8| letter.is_ascii_hexdigit();
    (seal.len() == SEAL_LETTERS && seal.bytes().all(is_letter)).then_some((reason, seal))
}

/// The reason in a line that was sealed with this key, for this strip.
#[must_use]
pub fn unsealed<'a>(line: &'a str, key: &FarmKey, job: &JobId, slot: u32) -> Option<&'a str> {
    let (reason, seal) = split_seal(line)?;
    (seal_of(reason, key, job, slot) == seal).then_some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_reasons_are_of_one_key_one_job_and_one_strip() {
        let key = |of| FarmKey::new(&[of; 32]).unwrap();
        let (job, ours) = (JobId::generate(), key(1));
        for reason in ["w: burnt", &format!("w: {}", "é".repeat(400)), "w: see #12"] {
            let line = sealed_reason(reason, &ours, &job, 7);
            assert_eq!(reason_line(&line), line);
            let read = unsealed(&line, &ours, &job, 7).unwrap();
            assert!(reason.starts_with(read) && bare_reason(&line) == read);
            assert_eq!(unsealed(&line, &key(2), &job, 7), None);
            assert_eq!(unsealed(&line, &ours, &job, 8), None);
            assert_eq!(unsealed(&line, &ours, &JobId::generate(), 7), None);
            assert_eq!(unsealed(&line.replace("w:", "x:"), &ours, &job, 7), None);
            assert_eq!(unsealed(reason, &ours, &job, 7), None);
        }
        assert_eq!(bare_reason("w: no seal"), "w: no seal");
    }
}
