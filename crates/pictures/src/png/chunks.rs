//! The chunks of a PNG, walked through once, from behind its mark: texts may stand behind the pixels, which nobody unpacks.

use std::io::{self, Read as _};

use disk::limited::take_limited;
use images::exif::MAX_TEXT_BYTES;
use images::passing::Passing;

/// Most bytes of all texts together, as they lie in the file.
const MOST_TEXT: u64 = 4 * MAX_TEXT_BYTES;
/// Most bytes of a file: what a pipe has beyond them is not waited for.
const MOST_BYTES: u64 = 1 << 40;
/// Bytes of a chunk's length and kind, and of the check behind its data.
const HEAD_BYTES: u64 = 8;
const CHECK_BYTES: u32 = 4;

/// The chunks that are texts, whole, in order. Those over [`MAX_TEXT_BYTES`] are left out, and so is what stands behind a
/// fault, or behind too much.
///
/// # Errors
/// When the file cannot be read, or begins as no PNG does.
pub(crate) fn texts(file: &mut impl Passing) -> io::Result<Vec<Vec<u8>>> {
    let (mut found, mut taken, mut far) = (Vec::new(), 0, 0);
    let mut is_first = true;
    loop {
        let head = take_limited(file.by_ref().take(HEAD_BYTES), HEAD_BYTES)?;
        let kind = match head.get(4..) {
            Some(kind) if kind.len() == 4 && kind.iter().all(u8::is_ascii_alphabetic) => kind,
            _ if is_first => return Err(io::Error::other("a PNG without a header")),
            _ => return Ok(found),
        };
        if is_first && kind != b"IHDR" {
            return Err(io::Error::other("a PNG without a header"));
        }
        is_first = false;
        let length = head
            .iter()
            .take(4)
            .fold(0, |sum, byte| (sum << 8) | u32::from(*byte));
        // Its length has 31 bits.
        let Some(rest) = length
            .checked_add(CHECK_BYTES)
            .filter(|_| length >> 31 == 0)
        else {
            return Ok(found);
        };
        far += HEAD_BYTES + u64::from(rest);
        if kind == b"IEND" || far > MOST_BYTES {
            return Ok(found);
        }
        let size = u64::from(rest);
        let is_text = [b"tEXt", b"zTXt", b"iTXt"].iter().any(|text| kind == *text);
        if !is_text || size > MAX_TEXT_BYTES || taken + size > MOST_TEXT {
            file.pass(rest)?;
            continue;
        }
        taken += size;
        let mut chunk = head;
        chunk.append(&mut take_limited(file.by_ref().take(size), size)?);
        if chunk.len() as u64 == HEAD_BYTES + size {
            found.push(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn chunk(kind: &[u8; 4], length: u32, data: &[u8]) -> Vec<u8> {
        let check = [0; 4];
        [&length.to_be_bytes()[..], kind, data, &check].concat()
    }

    fn walked(chunks: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
        texts(&mut Cursor::new(chunks.concat()))
    }

    #[test]
    fn texts_are_found_wherever_they_stand_and_no_further_than_the_end() {
        let whole = |kind: &[u8; 4], data: &[u8]| chunk(kind, data.len() as u32, data);
        let header = whole(b"IHDR", &[1; 13]);
        let (a, b, c) = (
            whole(b"tEXt", b"a\0x"),
            whole(b"zTXt", b"b"),
            whole(b"iTXt", b"c"),
        );
        let pixels = whole(b"IDAT", &[7; 1000]);
        let end = whole(b"IEND", b"");
        let all = [&header, &a, &pixels, &pixels, &b, &c, &end, &a].map(Clone::clone);
        assert_eq!(walked(&all).unwrap(), [a.clone(), b.clone(), c]);
        // What breaks off, or goes on as nothing, has what stood before.
        let mut cut = b;
        cut.pop();
        for rest in [
            vec![],
            cut,
            vec![0xff; 20],
            chunk(b"tEXt", u32::MAX, b"a"),
            chunk(b"tEXt", 1 << 30, b"a"),
        ] {
            let found = walked(&[header.clone(), a.clone(), pixels.clone(), rest]).unwrap();
            assert_eq!(found, std::slice::from_ref(&a));
        }
        // One that is too long is left out, and all of them have a limit.
        let long = whole(b"tEXt", &vec![b'x'; MAX_TEXT_BYTES as usize]);
        let half = whole(b"tEXt", &vec![b'x'; MAX_TEXT_BYTES as usize / 2]);
        let found = walked(&[header.clone(), long, a.clone(), end]).unwrap();
        assert_eq!(found, std::slice::from_ref(&a));
        let many: Vec<Vec<u8>> = (0..20).map(|_| half.clone()).collect();
        assert_eq!(walked(&[header, many.concat()]).unwrap().len(), 7);
        for none in [vec![], vec![pixels], vec![b"xxxx".to_vec()]] {
            assert!(walked(&none).is_err());
        }
    }
}
