//! OpenEXR's ZIP: the bytes of a block's rows, differences taken, in the format of zlib.
//!
//! The lower bytes of fractions and distances are noise where pixels escape. Searching it for repetitions takes nearly all
//! of the time and saves less than a fifth of it, so that stretches of noise are stored as they are; only the others are
//! compressed.

use std::io;

use zlib_rs::adler32::adler32;
use zlib_rs::{Deflate, DeflateFlush};

/// Bytes that are looked at, and stored or compressed, together.
const WINDOW: usize = 1024;
/// Of so many bytes of a window, those of the first [`SAMPLE`] are counted.
const STRIDE: usize = 256;
const SAMPLE: usize = 32;
/// Pairs of bytes that are taken apart together.
const TILE: usize = 256;
/// How hard the rest is compressed: harder takes twice as long and saves less than a hundredth.
const LEVEL: i32 = 1;
/// What a stream of zlib begins with: deflate, a window of 32 KiB, the fastest level.
const BEGIN: [u8; 2] = [0x78, 0x01];
/// An empty stored block, the last one.
const END: [u8; 5] = [1, 0, 0, 0xff, 0xff];
/// Bytes that are taken from the compressor at once.
const OUT_BYTES: usize = 32 << 10;

/// Packs rows of values of little-endian bytes, an even number of them; `None` where that would not make them fewer.
/// `differences` is overwritten.
pub(super) fn packed(rows: &[u8], differences: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    differ(rows, differences);
    let mut out = Out::new(rows.len());
    let (mut start, mut is_noise) = (0, false);
    for (index, window) in differences.chunks(WINDOW).enumerate() {
        if looks_like_noise(window) != is_noise {
            let end = index * WINDOW;
            out.append(&differences[start..end], is_noise)?;
            (start, is_noise) = (end, !is_noise);
        }
    }
    out.append(&differences[start..], is_noise)?;
    out.bytes.extend(END);
    out.bytes.extend(adler32(1, differences).to_be_bytes());
    Ok((out.bytes.len() < rows.len()).then_some(out.bytes))
}

/// Bytes of even places before those of odd ones, and of each its difference to the one before it, and 128.
fn differ(rows: &[u8], differences: &mut Vec<u8>) {
    differences.resize(rows.len(), 0);
    let pairs = rows.as_chunks::<2>().0;
    let (evens, odds) = differences.split_at_mut(pairs.len());
    let ([first, .., last] | [first @ last]) = pairs else {
        return;
    };
    let difference = |from: u8, to: u8| to.wrapping_sub(from).wrapping_add(128);
    // Differences first, in the order of `rows`: loops over neighbours are those that compilers make vectors of.
    let outs = (evens[1..].chunks_mut(TILE)).zip(odds[1..].chunks_mut(TILE));
    let tiles = rows.chunks(2 * TILE).zip(rows[2..].chunks(2 * TILE));
    for ((evens, odds), (from, to)) in outs.zip(tiles) {
        let mut tile = [0; 2 * TILE];
        for (out, (from, to)) in tile.iter_mut().zip(from.iter().zip(to)) {
            *out = difference(*from, *to);
        }
        let pairs = tile.as_chunks::<2>().0.iter();
        for ((even, odd), pair) in evens.iter_mut().zip(odds).zip(pairs) {
            let pair = u16::from_le_bytes(*pair);
            (*even, *odd) = (pair as u8, (pair >> 8) as u8);
        }
    }
    evens[0] = first[0];
    odds[0] = difference(last[0], first[1]);
}

/// Whether all values of a byte are about as frequent: whether two bytes of a window are equal hardly more often than
/// one time in 256.
fn looks_like_noise(window: &[u8]) -> bool {
    if window.len() < WINDOW {
        return false;
    }
    let mut counts = [0u16; 256];
    for stretch in window.chunks_exact(STRIDE) {
        for byte in &stretch[..SAMPLE] {
            counts[usize::from(*byte)] += 1;
        }
    }
    let all = (WINDOW / STRIDE * SAMPLE) as u32;
    let squares: u32 = (counts.iter()).map(|count| u32::from(*count).pow(2)).sum();
    // All ordered pairs, and those of equal bytes.
    (squares - all) * 160 < all * all
}

/// A stream on its way.
struct Out {
    bytes: Vec<u8>,
    deflate: Deflate,
    buffer: Vec<u8>,
}

impl Out {
    fn new(most: usize) -> Self {
        let mut bytes = Vec::with_capacity(most);
        bytes.extend(BEGIN);
        Self {
            bytes,
            deflate: Deflate::new(LEVEL, false, 15),
            buffer: vec![0; OUT_BYTES],
        }
    }

    fn append(&mut self, data: &[u8], is_noise: bool) -> io::Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        if is_noise {
            for part in data.chunks(usize::from(u16::MAX)) {
                let length = part.len() as u16;
                self.bytes.push(0);
                self.bytes.extend(length.to_le_bytes());
                self.bytes.extend((!length).to_le_bytes());
                self.bytes.extend(part);
            }
            return Ok(());
        }
        let mut rest = data;
        loop {
            let before = (self.deflate.total_in(), self.deflate.total_out());
            // What is stored in between is unknown to the compressor: it has to forget all that it saw, too.
            (self
                .deflate
                .compress(rest, &mut self.buffer, DeflateFlush::FullFlush))
            .map_err(|error| io::Error::other(error.as_str()))?;
            rest = &rest[(self.deflate.total_in() - before.0) as usize..];
            let made = (self.deflate.total_out() - before.1) as usize;
            self.bytes.extend(&self.buffer[..made]);
            // From a full buffer more may be to come, even where all was taken.
            if made < OUT_BYTES {
                return match rest {
                    [] => Ok(()),
                    _ => Err(io::Error::other("the compressor stands still")),
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use exr::compression::Compression;
    use exr::math::Vec2;
    use exr::meta::BlockDescription;
    use exr::meta::attribute::{ChannelDescription, IntegerBounds, LineOrder, SampleType, Text};
    use exr::meta::header::Header;
    use proptest::prelude::*;
    use smallvec::smallvec;

    use super::*;

    /// Bytes that the `exr` crate finds in a packed row of halves, and whether they were packed.
    fn unpacked(row: &[u8]) -> (Vec<u8>, bool) {
        let width = row.len() / 2;
        let channel = ChannelDescription::named("Y", SampleType::F16);
        let header = Header::new(Text::new_or_panic("row"), (width, 1), smallvec![channel])
            .with_encoding(
                Compression::ZIP16,
                BlockDescription::ScanLines,
                LineOrder::Increasing,
            );
        let packed = packed(row, &mut vec![7; 3]).expect("no fault");
        let is_packed = packed.is_some();
        let bytes = packed.unwrap_or_else(|| row.to_vec());
        let section = IntegerBounds::new(Vec2(0, 0), Vec2(width, 1));
        let found =
            Compression::ZIP16.decompress_image_section_from_le(&header, bytes, section, true);
        (found.expect("a stream of zlib"), is_packed)
    }

    /// Bytes without any order, from a seed.
    fn noise(length: usize, mut seed: u64) -> Vec<u8> {
        let mut next = || {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (seed >> 56) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn noise_alone_is_not_packed() {
        for length in [2, 4096, 300_000] {
            let row = noise(length, 1);
            assert_eq!(unpacked(&row), (row, false), "{length}");
        }
    }

    #[test]
    fn noise_is_stored_and_the_rest_compressed() {
        // Odd places hold noise: half of all bytes, in a stretch longer than a stored block may be.
        let mut row = vec![0; 400_000];
        (row.iter_mut().skip(1).step_by(2).zip(noise(200_000, 2)))
            .for_each(|(to, from)| *to = from);
        let mut differences = Vec::new();
        let packed = packed(&row, &mut differences)
            .expect("no fault")
            .expect("packed");
        assert!(
            (200_000..205_000).contains(&packed.len()),
            "{}",
            packed.len()
        );
        assert_eq!(unpacked(&row), (row, true));
        // Windows that are not to be told by their first bytes alone, and the last one, which is short.
        assert!(looks_like_noise(&noise(WINDOW, 3)));
        assert!(!looks_like_noise(&noise(WINDOW - 1, 3)));
        assert!(!looks_like_noise(
            &[noise(SAMPLE, 3), vec![5; WINDOW - SAMPLE]].concat()
        ));
    }

    proptest! {
        /// Stretches of noise, of one value and of few values, of any lengths and in any order.
        #[test]
        fn every_byte_comes_back(
            parts in prop::collection::vec((0..3, 0..70_000_usize, any::<u64>()), 0..12),
        ) {
            let part = |(kind, length, seed): (i32, usize, u64)| match kind {
                0 => noise(length, seed),
                1 => vec![seed as u8; length],
                _ => noise(length, seed).iter().map(|byte| byte & 3).collect(),
            };
            let mut row: Vec<u8> = parts.into_iter().flat_map(part).collect();
            row.resize(row.len().next_multiple_of(2).max(2), 0);
            prop_assert_eq!(unpacked(&row).0, row);
        }
    }
}
