//! What the seal of a blob is made over.

use sha2::{Digest, Sha256};

use crate::job::JobSpec;
use crate::order::Issue;
use crate::protocol::signing::FarmKey;

/// What seals are made for.
pub(super) const PURPOSE: &str = "mandelfarm result 1";

/// What seals the results of a job where the farm has a key.
#[derive(Clone, Debug)]
pub struct Sealer<'a> {
    pub(super) key: &'a FarmKey,
    spec: [u8; 32],
}

impl<'a> Sealer<'a> {
    /// That of `spec`, all of which its seals are bound to.
    #[must_use]
    pub fn new(key: &'a FarmKey, spec: &JobSpec) -> Self {
        // A spec is plain data: writing it does not fail.
        let text = serde_json::to_vec(spec).unwrap_or_default();
        Self {
            key,
            spec: Sha256::digest(&text).into(),
        }
    }

    /// The pieces that a seal is made over: the spec, the purpose, and the blob itself.
    pub(super) fn sealed_pieces<'b>(
        &'b self,
        issue: Issue,
        pieces: impl Iterator<Item = &'b [u8]>,
    ) -> impl Iterator<Item = &'b [u8]> {
        let issue: &[u8] = match issue {
            Issue::Render => &[0],
            Issue::Audit => &[1],
        };
        [&self.spec[..], issue].into_iter().chain(pieces)
    }
}
