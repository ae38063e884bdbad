//! A computed strip as it travels: a header, then the planes in order, packed or as they are, little-endian.
//!
//! ```text
//! at  bytes                                at  bytes
//!  0  4  magic `MFSB`                      60  1  measures, one bit each
//!  4  2  version                           61  1  back end
//!  6  2  length of the header              62  1  arithmetic
//!  8  8  xxh3 of all other bytes           63  1  measures whose planes are packed
//! 16  8  length of the payload             64  8  kernel id
//! 24 16  job                               72 16  iterations, total
//! 40  4  strip: index                      88  8  busy seconds, f64
//! 44  4  strip: first row                  96 28  length of each measure's plane here, or 0
//! 48  4  strip: rows                      124  4  pixels that were computed again to settle their counts
//! 52  4  width                            128  4  pixels whose counts stayed unsettled
//! 56  4  attempt                          132  1  length of the device's name
//!                                         133  1  length of the worker's name
//!                                         134     both names, UTF-8, then the payload
//! ```
//!
//! Where the farm has a key a seal of 32 bytes follows, the HMAC-SHA256 by the worker's key ([`crate::protocol::signing`])
//! of the SHA-256 of the job's serialized spec, what the strip is wanted for, and all of the above: so neither another
//! picture's strip nor an audit passes for it, nor what another worker made.
//!
//! The reader knows which job and strip it expects. It allocates nothing before the header agrees with
//! them, the lengths are exactly right and the digest, which is over what travels, is too; so a malformed,
//! truncated, oversized or foreign blob costs one pass over its bytes. The digest guards against accidents,
//! not against forgers: whatever a packed plane holds, it becomes as many values as the strip has, or is
//! refused (see [`packing`](super::packing)). A plane is packed only where that makes it shorter, so no blob is longer than
//! its header and its strip.

mod format;
mod read;
mod seal;
#[cfg(test)]
mod tests;
mod write;

pub use format::{BLOB_VERSION, BlobError, MAX_HEADER_BYTES, MAX_NAME_BYTES};
pub use read::{DecodedBlob, decode, decode_reusing, open};
pub use seal::Sealer;
pub use write::{Parts, encode, parts};
