//! A reference orbit as bytes: its point, and what a replay needs to give the same values bit for bit.
//!
//! Nothing is lost. Zhuoran's compression stores values where a replay in doubles deviates too far; here the replay
//! has 250 bits and the values come out exact, for 15 to 20 ns a step (see `replay`). Sizes are in the tests.
//!
//! All numbers are little-endian; `varint` is LEB128 of up to 64 bits.
//!
//! | field | bytes |
//! |---|---|
//! | [`MAGIC`], [`VERSION`] | 4, 1 |
//! | end: 0 period, 1 escaped, 2 limit | 1 |
//! | bits | varint |
//! | real, then imaginary part of the point: sign (0, 1), length, magnitude | 1, varint, length |
//! | steps M; how many are replayed | varint, varint |
//! | number of waypoints; each: distance from the one before, signs, parts | varint; varint, 1, 64 |
//! | number of small values; each: distance, twice mantissa and exponent (zigzag) | varint; varint, 8, varint, 8, varint |
//! | number of patched values; each: distance, doubles | varint; varint, 16 |
//! | the values that are not replayed | 16 each |

use dashu_int::ops::UnsignedAbs;
use dashu_int::{IBig, Sign, UBig};
use sha2::{Digest, Sha256};

use super::orbit::{OrbitEnd, ReferenceOrbit};
use super::point::ReferencePoint;
use super::replay::{LIMBS, Replay, Waypoint};
use crate::numbers::floatexp::{ComplexExp, FloatExp};

/// What the bytes of an orbit begin with.
pub const MAGIC: [u8; 4] = *b"MFro";
/// The version of the format.
pub const VERSION: u8 = 1;
/// Largest number of fractional bits: past the deepest zoom that a view can have.
pub const MAX_BITS: u32 = 1 << 19;
/// Largest length of a part of the point: [`MAX_BITS`] and the largest coordinate that can be typed.
pub const MAX_POINT_BYTES: u64 = 1 << 17;
/// Largest exponent of a small value, either way.
const MAX_EXPONENT: u64 = 1 << 32;

/// Why bytes are not an orbit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They begin with something else.
    #[error("not a reference orbit")]
    Foreign,
    /// They are of another version.
    #[error("a reference orbit of format {0}, where only {VERSION} is known")]
    Version(u8),
    /// They end early.
    #[error("a reference orbit is cut off")]
    Truncated,
    /// There are more of them.
    #[error("a reference orbit is followed by {0} bytes more")]
    Trailing(usize),
    /// The orbit has more values than allowed.
    #[error("a reference orbit of {values} values, where {most} are allowed")]
    TooLong {
        /// How many it has.
        values: u64,
        /// How many are allowed.
        most: u64,
    },
    /// A field is outside of what it may be.
    #[error("a reference orbit with a wrong {0}")]
    Field(&'static str),
}

/// SHA-256 of the bytes of an orbit: what it is stored under.
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_big(out: &mut Vec<u8>, value: &IBig) {
    out.push(u8::from(value.sign() == Sign::Negative));
    let bytes = value.clone().unsigned_abs().to_le_bytes();
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(&bytes);
}

fn put_floatexp(out: &mut Vec<u8>, value: FloatExp) {
    out.extend_from_slice(&value.mantissa().to_le_bytes());
    put_varint(
        out,
        ((value.exponent() << 1) ^ (value.exponent() >> 63)) as u64,
    );
}

fn put_value(out: &mut Vec<u8>, [re, im]: [f64; 2]) {
    out.extend_from_slice(&re.to_le_bytes());
    out.extend_from_slice(&im.to_le_bytes());
}

/// The bytes that are still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], CodecError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(CodecError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(CodecError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, CodecError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn varint(&mut self) -> Result<u64, CodecError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(CodecError::Field("number"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError::Field("number"))
    }

    fn big(&mut self) -> Result<IBig, CodecError> {
        let sign = match self.byte()? {
            0 => Sign::Positive,
            1 => Sign::Negative,
            _ => return Err(CodecError::Field("sign")),
        };
        let length = self.varint()?;
        if length > MAX_POINT_BYTES {
            return Err(CodecError::Field("point"));
        }
        let bytes = self.take(length as usize)?;
        Ok(IBig::from_parts(sign, UBig::from_le_bytes(bytes)))
    }

    fn floatexp(&mut self) -> Result<FloatExp, CodecError> {
        let mantissa = f64::from_le_bytes(self.array()?);
        let coded = self.varint()?;
        let wrong = Err(CodecError::Field("small value"));
        if coded >> 1 > MAX_EXPONENT {
            return wrong;
        }
        let exponent = (coded >> 1) as i64 ^ -((coded & 1) as i64);
        let value = if mantissa == 0.0 {
            FloatExp::ZERO
        } else if (1.0..2.0).contains(&mantissa.abs()) {
            FloatExp::new(mantissa, exponent)
        } else {
            return wrong;
        };
        Ok(value)
    }

    fn value(&mut self) -> Result<[f64; 2], CodecError> {
        let value = [
            f64::from_le_bytes(self.array()?),
            f64::from_le_bytes(self.array()?),
        ];
        if value.iter().any(|part| part.is_nan()) {
            return Err(CodecError::Field("value"));
        }
        Ok(value)
    }

    /// A list of entries of at least `least` bytes, with their ascending indices within 1 to `last`.
    fn list<T>(
        &mut self,
        least: usize,
        last: u64,
        mut entry: impl FnMut(&mut Self, u64) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let count = self.varint()?;
        // Nothing is allocated for entries that the bytes cannot hold.
        if count > (self.0.len() / (least + 1)) as u64 {
            return Err(CodecError::Truncated);
        }
        let mut list = Vec::with_capacity(count as usize);
        let mut index = 0u64;
        for _ in 0..count {
            let distance = self.varint()?;
            index = index.saturating_add(distance);
            if distance == 0 || index > last {
                return Err(CodecError::Field("index"));
            }
            list.push(entry(self, index)?);
        }
        Ok(list)
    }
}

impl ReferenceOrbit {
    /// How many steps can be replayed: none of a point or orbit out of range.
    fn replayable(&self) -> u64 {
        self.replayed.min(self.steps())
    }

    /// The orbit as bytes, without loss; takes some 20 ns a step.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.push(VERSION);
        out.push(match self.end {
            OrbitEnd::Period => 0,
            OrbitEnd::Escaped => 1,
            OrbitEnd::Limit => 2,
        });
        put_varint(&mut out, u64::from(self.point.bits));
        put_big(&mut out, &self.point.re);
        put_big(&mut out, &self.point.im);
        let replayed = self.replayable();
        put_varint(&mut out, self.steps());
        put_varint(&mut out, replayed);
        put_varint(&mut out, self.waypoints.len() as u64);
        let mut before = 0;
        for waypoint in &self.waypoints {
            put_varint(&mut out, waypoint.m - before);
            before = waypoint.m;
            let [re, im] = waypoint.negative.map(u8::from);
            out.push(re | im << 1);
            for word in waypoint.parts.as_flattened() {
                out.extend_from_slice(&word.to_le_bytes());
            }
        }
        put_varint(&mut out, self.small.len() as u64);
        before = 0;
        for (m, value) in &self.small {
            put_varint(&mut out, m - before);
            before = *m;
            put_floatexp(&mut out, value.re);
            put_floatexp(&mut out, value.im);
        }
        let mut patches = Vec::new();
        let mut patched = 0u64;
        before = 0;
        let mut small = self.small.iter().peekable();
        let mut replay = Replay::new(&self.point, &self.waypoints);
        let (steps, rest) = self.values[1..].split_at(replayed as usize);
        for (m, value) in (1..).zip(steps) {
            let mut again = replay.step();
            if let Some((_, exact)) = small.next_if(|(at, _)| *at == m) {
                again = [exact.re.to_f64(), exact.im.to_f64()];
            }
            if again.map(f64::to_bits) != value.map(f64::to_bits) {
                put_varint(&mut patches, m - before);
                before = m;
                put_value(&mut patches, *value);
                patched += 1;
            }
        }
        put_varint(&mut out, patched);
        out.append(&mut patches);
        for value in rest {
            put_value(&mut out, *value);
        }
        out
    }

    /// The orbit that [`ReferenceOrbit::to_bytes`] gave these bytes for, if it has no more than `most` values; takes
    /// some 20 ns a step. Safe on any bytes: the result is an error or an orbit.
    ///
    /// # Errors
    /// [`CodecError`]
    pub fn from_bytes(bytes: &[u8], most: u64) -> Result<Self, CodecError> {
        let mut reader = Reader(bytes);
        if reader.array()? != MAGIC {
            return Err(CodecError::Foreign);
        }
        let version = reader.byte()?;
        if version != VERSION {
            return Err(CodecError::Version(version));
        }
        let end = match reader.byte()? {
            0 => OrbitEnd::Period,
            1 => OrbitEnd::Escaped,
            2 => OrbitEnd::Limit,
            _ => return Err(CodecError::Field("end")),
        };
        let bits = reader.varint()?;
        let bits = u32::try_from(bits).ok().filter(|bits| *bits <= MAX_BITS);
        let bits = bits.ok_or(CodecError::Field("number of bits"))?;
        let (re, im) = (reader.big()?, reader.big()?);
        let point = ReferencePoint { re, im, bits };
        let steps = reader.varint()?;
        if steps >= most {
            let values = steps.saturating_add(1);
            return Err(CodecError::TooLong { values, most });
        }
        let replayed = reader.varint()?;
        if steps == 0 || replayed > steps {
            return Err(CodecError::Field("number of steps"));
        }
        let waypoints = reader.list(8 * 2 * LIMBS + 1, replayed, |reader, m| {
            let signs = reader.byte()?;
            if signs > 3 {
                return Err(CodecError::Field("sign"));
            }
            let mut parts = [[0; LIMBS]; 2];
            for word in parts.as_flattened_mut() {
                *word = u64::from_le_bytes(reader.array()?);
            }
            let negative = [signs & 1 != 0, signs & 2 != 0];
            Ok(Waypoint { m, negative, parts })
        })?;
        let small = reader.list(18, steps, |reader, m| {
            Ok((m, ComplexExp::new(reader.floatexp()?, reader.floatexp()?)))
        })?;
        let patches = reader.list(16, replayed, |reader, m| Ok((m, reader.value()?)))?;
        // All of the bytes are read before the work begins.
        let tail = (steps - replayed)
            .checked_mul(16)
            .ok_or(CodecError::Truncated)?;
        let left = reader.0.len() as u64;
        if left < tail {
            return Err(CodecError::Truncated);
        }
        if left > tail {
            return Err(CodecError::Trailing((left - tail) as usize));
        }
        let mut values = Vec::with_capacity(steps as usize + 1);
        values.push([0.0; 2]);
        let mut replay = Replay::new(&point, &waypoints);
        values.extend((0..replayed).map(|_| replay.step()));
        for _ in replayed..steps {
            values.push(reader.value()?);
        }
        for (m, value) in &small {
            values[*m as usize] = [value.re.to_f64(), value.im.to_f64()];
        }
        for (m, value) in patches {
            values[m as usize] = value;
        }
        Ok(Self {
            point,
            values,
            small,
            end,
            waypoints,
            replayed,
        })
    }
}
