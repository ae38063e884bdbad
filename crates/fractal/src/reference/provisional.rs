//! The bytes of an orbit, plainly.

use dashu_int::IBig;

use super::{OrbitEnd, ReferenceOrbit, ReferencePoint};
use crate::floatexp::{ComplexExp, FloatExp};

/// Why bytes are no orbit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Cut off, or not ours.
    #[error("malformed")]
    Malformed,
}

impl ReferenceOrbit {
    /// As it travels.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut text = |t: &str| {
            out.extend((t.len() as u64).to_le_bytes());
            out.extend(t.as_bytes());
        };
        text(&self.point.re.to_string());
        text(&self.point.im.to_string());
        out.extend(u64::from(self.point.bits).to_le_bytes());
        out.extend((self.end as u64).to_le_bytes());
        out.extend((self.values.len() as u64).to_le_bytes());
        for v in self.values.iter().flatten() {
            out.extend(v.to_le_bytes());
        }
        for (m, z) in &self.small {
            out.extend(m.to_le_bytes());
            for f in [z.re, z.im] {
                out.extend(f.mantissa().to_le_bytes());
                out.extend(f.exponent().to_le_bytes());
            }
        }
        out
    }

    /// The orbit in bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(bytes).ok_or(DecodeError::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut take = |n: usize| -> Option<&[u8]> {
            let (a, b) = rest.split_at_checked(n)?;
            rest = b;
            Some(a)
        };
        let word = |b: &[u8]| Some(u64::from_le_bytes(b.try_into().ok()?));
        let mut texts = Vec::new();
        for _ in 0..2 {
            let n = word(take(8)?)?;
            let t = std::str::from_utf8(take(usize::try_from(n).ok()?)?).ok()?;
            texts.push(IBig::from_str_radix(t, 10).ok()?);
        }
        let bits = u32::try_from(word(take(8)?)?).ok()?;
        let end = match word(take(8)?)? {
            0 => OrbitEnd::Period,
            1 => OrbitEnd::Escaped,
            _ => OrbitEnd::Limit,
        };
        let n = usize::try_from(word(take(8)?)?).ok()?;
        let raw = take(n.checked_mul(16)?)?;
        let values = raw
            .chunks_exact(16)
            .map(|c| [0, 8].map(|at| f64::from_bits(word(&c[at..at + 8]).unwrap_or_default())))
            .collect();
        let small = rest
            .chunks_exact(40)
            .map(|c| {
                let at = |i: usize| word(&c[8 * i..8 * i + 8]).unwrap_or_default();
                let f = |i: usize| FloatExp::new(f64::from_bits(at(i)), at(i + 1) as i64);
                (at(0), ComplexExp::new(f(1), f(3)))
            })
            .collect();
        let im = texts.pop()?;
        let re = texts.pop()?;
        Some(Self {
            point: ReferencePoint { re, im, bits },
            values,
            small,
            end,
        })
    }
}
