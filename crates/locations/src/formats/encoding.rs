//! Bytes of a file as text: UTF-8, UTF-16 with its mark, and for `.kfr` whatever its machine had.

/// The text of a file. What is no UTF-8 is one only if `is_old` takes it, with a character a byte: all that counts there
/// is ASCII, and the rest are names of files.
///
/// # Errors
/// It is no text, in a few words with its line.
pub(crate) fn text(bytes: Vec<u8>, is_old: impl Fn(&str) -> bool) -> Result<String, String> {
    if let Some(text) = utf16(&bytes) {
        return text;
    }
    let error = match String::from_utf8(bytes) {
        Ok(text) => {
            return Ok(match text.strip_prefix('\u{feff}') {
                Some(rest) => rest.to_owned(),
                None => text,
            });
        }
        Err(error) => error,
    };
    let at = error.utf8_error().valid_up_to();
    let old: String = error
        .as_bytes()
        .iter()
        .map(|byte| char::from(*byte))
        .collect();
    if !old.contains('\0') && is_old(&old) {
        return Ok(old);
    }
    let before = error.as_bytes().iter().take(at);
    let line = before.filter(|byte| **byte == b'\n').count() + 1;
    Err(format!("line {line}: neither text in UTF-8 nor a picture"))
}

/// How two bytes are a unit of UTF-16.
type Unit = fn([u8; 2]) -> u16;

/// Text in UTF-16, which begins with a mark that says in which order its bytes come.
fn utf16(bytes: &[u8]) -> Option<Result<String, String>> {
    let (rest, unit): (&[u8], Unit) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        _ => return None,
    };
    let (units, odd) = rest.as_chunks::<2>();
    let text = char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect();
    Some(match text {
        Ok(text) if odd.is_empty() => Ok(text),
        _ => Err("neither text in UTF-16, as which it begins, nor a picture".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_its_bytes_say() {
        let of = |bytes: &[u8]| text(bytes.to_vec(), |text| text.starts_with("Re"));
        assert_eq!(of("Re: \u{3b1}".as_bytes()).unwrap(), "Re: \u{3b1}");
        assert_eq!(of(b"\xef\xbb\xbfre = 1").unwrap(), "re = 1");
        assert_eq!(
            of(b"Re: 1\nFile: caf\xe9").unwrap(),
            "Re: 1\nFile: caf\u{e9}"
        );
        assert_eq!(of(b"\xff\xfeR\0\xb1\x03").unwrap(), "R\u{3b1}");
        assert_eq!(of(b"\xfe\xff\0R").unwrap(), "R");
        for (bytes, says) in [
            (&b"re = 1\n# caf\xe9"[..], "line 2: neither text in UTF-8"),
            (&b"Re: \0\xe9"[..], "line 1: neither"),
            (&b"\xff\xfeR"[..], "UTF-16"),
            (&b"\xfe\xff\xd8\0"[..], "UTF-16"),
        ] {
            let error = of(bytes).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
