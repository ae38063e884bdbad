//! The order of an OpenEXR file's attributes, and one that brings an old reader back in step.
//!
//! ffmpeg before version 6 takes 255 bytes of an attribute that it does not know, and reads on in the middle of a longer one:
//! it misses the list of channels, or takes the rest of the text for pixels. So long texts come last, and behind them
//! stands an attribute that says nothing, whose bytes are such that a reader out of step comes to the header's end.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// Bytes before the first attribute: the format's mark and version.
const ATTRIBUTES_AT: u64 = 8;
/// Most bytes of a name, a type or a value that the old reader takes.
const TAKEN: usize = 255;
/// Bytes of the attribute's value: more than the old reader takes at once, whichever of its steps it comes with. None of
/// the low two bytes of the number is 0, which it would take for the header's end.
const PAD_BYTES: usize = 0x0808;
/// Its type, and the beginning of its name, which gets longer until no step ends at one of the zeros there.
pub(super) const PAD_KIND: &str = "mandelfarm";
const PAD_NAME: &str = "padding";
const LONGEST_NAME: usize = 64;
/// Bytes of an attribute as short as can be: a name, a type and a length.
const LEAST_BYTES: usize = 8;

/// A text as it lies in a file.
fn text_attribute(name: &str, text: &str) -> Vec<u8> {
    attribute(name, "string", text.as_bytes())
}

fn attribute(name: &str, kind: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + kind.len() + value.len() + 6);
    for word in [name, kind] {
        bytes.extend_from_slice(word.as_bytes());
        bytes.push(0);
    }
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend_from_slice(value);
    bytes
}

/// Whether an attribute's bytes, all of them, are a text that the old reader takes a part of.
fn is_long(bytes: &[u8]) -> bool {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let kind = parts.nth(1);
    let value = parts.next().map_or(0, |rest| rest.len().saturating_sub(4));
    kind == Some(b"string") && value > TAKEN
}

fn is_padding(bytes: &[u8]) -> bool {
    bytes.splitn(3, |byte| *byte == 0).nth(1) == Some(PAD_KIND.as_bytes())
}

/// Where the old reader begins with an attribute in `bytes`; it stops at a zero there.
fn steps(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut steps) = (0, Vec::new());
    while at < bytes.len() {
        steps.push(at);
        if bytes[at] == 0 {
            break;
        }
        for _name_and_type in 0..2 {
            let rest = bytes.get(at..).unwrap_or_default();
            let taken = rest.iter().take(TAKEN).take_while(|byte| **byte != 0);
            at += taken.count() + 1;
        }
        let len = bytes.get(at..at + 4).and_then(|len| len.try_into().ok());
        let len = len.map_or(0, u32::from_le_bytes);
        at += 4 + (len as usize).min(TAKEN);
    }
    steps
}

/// Name and value of the attribute that is to stand behind these texts; `None` where none is long.
pub(super) fn padding(texts: &[(&str, &str)]) -> Option<(String, Vec<u8>)> {
    let mut long: Vec<Vec<u8>> = texts
        .iter()
        .map(|(name, text)| text_attribute(name, text))
        .filter(|bytes| is_long(bytes))
        .collect();
    if long.is_empty() {
        return None;
    }
    long.sort();
    let before = long.concat();
    (PAD_NAME.len()..=LONGEST_NAME).find_map(|len| {
        let name = format!("{PAD_NAME:_<len$}");
        let mut value = vec![b'.'; PAD_BYTES];
        let mut all = before.clone();
        all.extend(attribute(&name, PAD_KIND, &value));
        let start = all.len() - PAD_BYTES;
        let in_value = |at: &usize| (start..=all.len() - LEAST_BYTES).contains(at);
        let mut at = steps(&all).into_iter().find(in_value)? - start;
        // From there attributes that it does not know, to the end.
        while at < PAD_BYTES {
            let rest = PAD_BYTES - at - LEAST_BYTES;
            let len = match rest {
                0..=TAKEN => rest,
                // So that the last has room.
                _ => TAKEN - LEAST_BYTES,
            };
            let short = attribute("-", "-", &vec![b'.'; len]);
            value[at..at + short.len()].copy_from_slice(&short);
            at += short.len();
        }
        Some((name, value))
    })
}

/// Puts the attributes of a file that is written in the order of their names, long texts behind the others: the library
/// has them in another each time, and one picture should be one file. `tail` is the end of a text that is named, for which
/// room was left.
///
/// # Errors
/// Those of the file.
pub fn settle(
    file: impl Read + Write + Seek + Copy,
    tail: Option<(&str, String)>,
) -> io::Result<()> {
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(ATTRIBUTES_AT))?;
    let mut attributes: Vec<Vec<u8>> = Vec::new();
    loop {
        // Its name, its type and its length, and as many bytes.
        let mut attribute = Vec::new();
        reader.read_until(0, &mut attribute)?;
        if attribute.len() <= 1 {
            break;
        }
        reader.read_until(0, &mut attribute)?;
        let mut len = [0; 4];
        reader.read_exact(&mut len)?;
        attribute.extend(len);
        let mut value = reader.by_ref().take(u32::from_le_bytes(len).into());
        value.read_to_end(&mut attribute)?;
        attributes.push(attribute);
    }
    if let Some((name, tail)) = tail {
        let start = text_attribute(name, "");
        // Its name and its type, without the length.
        let start = &start[..start.len() - 4];
        let own = attributes.iter_mut().find(|own| own.starts_with(start));
        if let Some((own, at)) = own.and_then(|own| {
            let at = own.len().checked_sub(tail.len())?;
            Some((own, at))
        }) {
            own[at..].copy_from_slice(tail.as_bytes());
        }
    }
    attributes.sort_by(|a, b| {
        let place = |bytes: &[u8]| (is_padding(bytes), is_long(bytes));
        place(a).cmp(&place(b)).then_with(|| a.cmp(b))
    });
    let mut writer = BufWriter::new(file);
    writer.seek(SeekFrom::Start(ATTRIBUTES_AT))?;
    attributes
        .iter()
        .try_for_each(|attribute| writer.write_all(attribute))?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::texts::{SettlingSoFar, Texts};

    #[test]
    fn the_room_of_a_text_is_filled() {
        let settling = Arc::new(SettlingSoFar::default());
        let texts = Texts {
            own: Some(("Mandelfarm", "re = \"0\"\n".to_owned())),
            others: vec![("Mandelfarms", "another".to_owned())],
            settling: Some(Arc::clone(&settling)),
        };
        let room = texts.with_room();
        let all: Vec<Vec<u8>> = (room.all().iter().rev())
            .map(|(name, text)| text_attribute(name, text))
            .collect();
        let bytes = [vec![b'.'; ATTRIBUTES_AT as usize], all.concat(), vec![0]].concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        settling.add(fractal::Settling {
            again: 1234,
            unsettled: 5,
        });
        settle(&file, texts.tail()).unwrap();
        let mut settled = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut settled).unwrap();
        assert_eq!(settled.len(), bytes.len());
        let text = String::from_utf8_lossy(&settled);
        let own = "re = \"0\"\n\n[settling]\nagain = 1234\nunsettled = 5\n\n";
        assert!(text.contains(own) && text.contains("another"), "{text}");
        // What is fast has no room, and is not looked for.
        let fast = Texts {
            settling: None,
            ..texts
        };
        assert_eq!((fast.tail(), fast.with_room().own), (None, fast.own));
    }

    #[test]
    fn a_reader_out_of_step_comes_to_the_end() {
        assert_eq!(padding(&[("a", &"x".repeat(TAKEN)), ("b", "")]), None);
        for one in (TAKEN + 1..2200).step_by(7) {
            for other in [0, TAKEN + 1, 3000] {
                let [one, other] = [one, other].map(|len| "re = 1\n".repeat(len)[..len].to_owned());
                let texts = [("Mandelfarm", &*one), ("Kalles", &*other)];
                let (name, value) = padding(&texts).unwrap();
                let mut long: Vec<Vec<u8>> = (texts.iter())
                    .map(|(name, text)| text_attribute(name, text))
                    .filter(|bytes| is_long(bytes))
                    .collect();
                long.sort();
                let pad = attribute(&name, PAD_KIND, &value);
                assert!(is_padding(&pad) && !is_long(&pad));
                let all = [long.concat(), pad, vec![0]].concat();
                assert_eq!(steps(&all).last(), Some(&(all.len() - 1)), "{}", one.len());
            }
        }
    }
}
