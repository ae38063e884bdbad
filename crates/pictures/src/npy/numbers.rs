//! Numbers as numpy keeps them in files: whole ones and floating ones of 1 to 8 bytes, in either order of bytes.

/// A type of values, as numpy's `descr` says it: `<f4`, `>i8`, `|u1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    kind: u8,
    bytes: usize,
    is_big_endian: bool,
}

impl Numbers {
    /// The type of a `descr`; `None` where it is none of numbers, or of wider ones.
    #[must_use]
    pub(crate) fn of(descr: &str) -> Option<Self> {
        let &[order, kind, size] = descr.as_bytes() else {
            return None;
        };
        let bytes = usize::from(size.checked_sub(b'0')?);
        let is_known = match kind {
            b'u' | b'i' => [1, 2, 4, 8].contains(&bytes),
            b'f' => [2, 4, 8].contains(&bytes),
            b'b' => bytes == 1,
            _ => false,
        };
        let is_big_endian = match order {
            b'<' => false,
            b'>' => true,
            b'=' => cfg!(target_endian = "big"),
            b'|' if bytes == 1 => false,
            _ => return None,
        };
        is_known.then_some(Self {
            kind,
            bytes,
            is_big_endian,
        })
    }

    /// Bytes of one.
    #[must_use]
    pub(crate) fn bytes(self) -> usize {
        self.bytes
    }

    /// The values of whole numbers of bytes.
    pub(crate) fn values(self, bytes: &[u8]) -> impl Iterator<Item = f64> {
        let own = bytes.chunks_exact(self.bytes);
        own.map(move |own| {
            let mut word = [0; 8];
            word[..own.len()].copy_from_slice(own);
            if self.is_big_endian {
                word[..own.len()].reverse();
            }
            self.value(u64::from_le_bytes(word))
        })
    }

    fn value(self, bits: u64) -> f64 {
        match (self.kind, self.bytes) {
            (b'i', 1) => f64::from(bits as i8),
            (b'i', 2) => f64::from(bits as i16),
            (b'i', 4) => f64::from(bits as i32),
            (b'i', _) => bits as i64 as f64,
            (b'f', 2) => half(bits as u16),
            (b'f', 4) => f64::from(f32::from_bits(bits as u32)),
            (b'f', _) => f64::from_bits(bits),
            _ => bits as f64,
        }
    }
}

/// A number of half precision (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_type_are_read() {
        let one = |descr: &str, bytes: &[u8]| {
            let numbers = Numbers::of(descr).unwrap_or_else(|| panic!("{descr}"));
            assert_eq!(numbers.bytes(), bytes.len());
            numbers.values(bytes).next().unwrap()
        };
        for (descr, bytes, value) in [
            ("|u1", &[200][..], 200.0),
            ("|i1", &[200], -56.0),
            ("<i1", &[1], 1.0),
            ("|b1", &[1], 1.0),
            ("<u2", &[1, 2], 513.0),
            (">u2", &[1, 2], 258.0),
            ("<i2", &[0xfe, 0xff], -2.0),
            (">i4", &[0xff, 0xff, 0xff, 0xfd], -3.0),
            ("<u4", &[0, 0, 0, 0x80], 2_147_483_648.0),
            ("<i8", &[5, 0, 0, 0, 0, 0, 0, 0], 5.0),
            (">i8", &[0xff; 8], -1.0),
            (
                "<u8",
                &[0, 0, 0, 0, 0, 0, 0, 0x80],
                9_223_372_036_854_775_808.0,
            ),
            (">f4", &[0x3f, 0x80, 0, 0], 1.0),
            ("<f8", &[0, 0, 0, 0, 0, 0, 0xf0, 0xbf], -1.0),
            ("<f2", &[0x00, 0x3e], 1.5),
            (">f2", &[0xc0, 0x00], -2.0),
            ("<f2", &[0x01, 0x00], 2f64.powi(-24)),
            ("<f2", &[0x00, 0x7c], f64::INFINITY),
        ] {
            assert_eq!(one(descr, bytes), value, "{descr} {bytes:?}");
        }
        assert!(one("<f2", &[0x01, 0x7c]).is_nan());
        for wrong in ["<f1", "<c8", "<U4", "|f4", "<u3", "f4", "", "<f16", "|O"] {
            assert_eq!(Numbers::of(wrong), None, "{wrong}");
        }
    }
}
