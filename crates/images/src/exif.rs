//! Texts as Exif has them: a directory of numbered fields, as TIFF 6.0 describes it (section 2), of which those that are
//! texts matter here.

/// Most bytes of a text that is read, of any picture.
pub const MAX_TEXT_BYTES: u64 = 1 << 20;

/// What the picture shows.
const DESCRIPTION: &str = "ImageDescription";
/// The program that made it.
const MADE_BY: &str = "Software";

/// What stands before the directory in a JPEG, and in other files of some programs.
pub(crate) const PREFIX: &[u8] = b"Exif\0\0";
/// Numbers and names of the fields that are known.
pub(crate) const FIELDS: [(u16, &str); 5] = [
    (0x010e, DESCRIPTION),
    (0x0131, MADE_BY),
    (0x013b, "Artist"),
    (0x8298, "Copyright"),
    (0x0132, "DateTime"),
];
/// The type of a field that is a text, which ends with a zero.
const ASCII: u16 = 2;
/// Bytes of a field in the directory.
const FIELD_BYTES: usize = 12;
/// Bytes that a field holds by itself.
const VALUE_BYTES: usize = 4;
/// Bytes before the directory: the order of bytes, the mark and its place.
const HEAD: [u8; 8] = [b'M', b'M', 0, 42, 0, 0, 0, 8];

/// A directory of texts, the higher byte first, without those that are empty. Fields are in the order of their numbers.
pub(crate) fn write(description: &str, made_by: &str) -> Vec<u8> {
    let mut fields = vec![(FIELDS[0].0, description), (FIELDS[1].0, made_by)];
    fields.retain(|(_, text)| !text.is_empty());
    let mut out = HEAD.to_vec();
    let mut values = Vec::new();
    let begin = HEAD.len() + 2 + fields.len() * FIELD_BYTES + VALUE_BYTES;
    out.extend((fields.len() as u16).to_be_bytes());
    for (number, text) in fields {
        // Longer than what fits into the field itself.
        let value = format!("{text:VALUE_BYTES$}\0");
        out.extend(number.to_be_bytes());
        out.extend(ASCII.to_be_bytes());
        out.extend((value.len() as u32).to_be_bytes());
        out.extend(((begin + values.len()) as u32).to_be_bytes());
        values.extend(value.into_bytes());
    }
    out.extend([0; VALUE_BYTES]); // no other directory
    out.extend(values);
    out
}

/// The texts of a directory, by their names; as much of it as can be read, and of all together no more than
/// [`MAX_TEXT_BYTES`]: several may lie in one place.
pub(crate) fn read(bytes: &[u8]) -> Vec<(String, String)> {
    texts(bytes.strip_prefix(PREFIX).unwrap_or(bytes)).unwrap_or_default()
}

fn texts(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let big = match bytes.get(..4)? {
        [b'M', b'M', 0, 42] => true,
        [b'I', b'I', 42, 0] => false,
        _ => return None,
    };
    let two = |at: usize| {
        let pair: [u8; 2] = bytes.get(at..)?.first_chunk().copied()?;
        Some(if big {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        })
    };
    let four = |at: usize| {
        let word: [u8; 4] = bytes.get(at..)?.first_chunk().copied()?;
        let word = if big {
            u32::from_be_bytes(word)
        } else {
            u32::from_le_bytes(word)
        };
        usize::try_from(word).ok()
    };
    let start = four(4)?;
    let (mut found, mut taken) = (Vec::new(), 0);
    for field in 0..usize::from(two(start)?) {
        let at = start.checked_add(2 + field * FIELD_BYTES)?;
        let (Some(number), Some(kind), Some(length)) = (two(at), two(at + 2), four(at + 4)) else {
            break;
        };
        let name = FIELDS.iter().find(|(known, _)| *known == number);
        let fits = taken + length as u64 <= MAX_TEXT_BYTES;
        let Some((_, name)) = name.filter(|_| kind == ASCII && fits) else {
            continue;
        };
        let begin = if length <= VALUE_BYTES {
            Some(at + 8)
        } else {
            four(at + 8)
        };
        let value = begin.and_then(|begin| bytes.get(begin..begin.checked_add(length)?));
        let Some(value) = value else { continue };
        taken += length as u64;
        let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
        found.push((
            (*name).to_owned(),
            String::from_utf8_lossy(text).into_owned(),
        ));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_come_back() {
        let bytes = write("re = \"1\"\nü\n", "Mandelfarm 9");
        let texts = read(&bytes);
        assert_eq!(
            texts,
            [
                (DESCRIPTION.to_owned(), "re = \"1\"\nü\n".to_owned()),
                (MADE_BY.to_owned(), "Mandelfarm 9".to_owned())
            ]
        );
    }

    #[test]
    fn the_other_order_of_bytes_and_short_texts_are_read() {
        let mut bytes = b"II\x2a\0\x08\0\0\0\x01\0".to_vec();
        bytes.extend(b"\x31\x01\x02\0\x03\0\0\0ab\0\0");
        bytes.extend([0; 4]);
        assert_eq!(read(&bytes), [(MADE_BY.to_owned(), "ab".to_owned())]);
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let texts = read(&write("", "Mandelfarm 9"));
        assert_eq!(texts, [(MADE_BY.to_owned(), "Mandelfarm 9".to_owned())]);
    }

    #[test]
    fn what_stands_before_the_directory_in_a_jpeg_is_passed() {
        let bytes = write("re = \"1\"", "Mandelfarm 9");
        assert_eq!(read(&[PREFIX, &bytes].concat()), read(&bytes));
    }

    /// As many fields as a directory has, all with the same long text.
    #[test]
    fn fields_in_one_place_have_one_limit() {
        let length = MAX_TEXT_BYTES as u32 / 4;
        let mut bytes = [&HEAD[..], &u16::MAX.to_be_bytes()].concat();
        let begin = (bytes.len() + usize::from(u16::MAX) * FIELD_BYTES) as u32;
        for _ in 0..u16::MAX {
            bytes.extend(FIELDS[0].0.to_be_bytes());
            bytes.extend(ASCII.to_be_bytes());
            bytes.extend(length.to_be_bytes());
            bytes.extend(begin.to_be_bytes());
        }
        bytes.extend(std::iter::repeat_n(b'x', length as usize));
        let texts = read(&bytes);
        assert_eq!(texts.len(), 4);
        assert!(texts.iter().all(|(_, text)| text.len() == length as usize));
    }

    proptest! {
        #[test]
        fn anything_is_read_without_a_fault(rest in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&[b"MM\0\x2a".to_vec(), rest.clone()].concat());
            read(&[b"II\x2a\0".to_vec(), rest].concat());
        }
    }
}
