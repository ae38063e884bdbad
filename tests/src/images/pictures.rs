//! What the farm writes, read back with other eyes: `.npy` by hand, `.png` and `.exr` by their crates.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use exr::prelude::{FlatSamples, ReadChannels, ReadLayers, read};

/// An array as numpy writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Npy {
    /// Kind of the values: `<u4`, `<f4` or `<f8`.
    pub kind: String,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    bytes: Vec<u8>,
}

impl Npy {
    /// Reads a file.
    ///
    /// # Panics
    /// When it is no array of two dimensions in C order, or not all there.
    #[must_use]
    pub fn read(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let file =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let whole = file
            .strip_prefix(b"\x93NUMPY\x01\x00")
            .expect("numpy's mark, version 1.0");
        let header_len = usize::from(u16::from_le_bytes([whole[0], whole[1]]));
        assert_eq!(
            (10 + header_len) % 64,
            0,
            "values start at a multiple of 64"
        );
        let (header, values) = whole[2..].split_at(header_len);
        let header = std::str::from_utf8(header).expect("a header of text");
        assert!(header.contains("'fortran_order': False"), "{header}");
        let between = |from: &str, to: &str| {
            let (_, rest) = header.split_once(from).expect("a field");
            rest.split_once(to).expect("its end").0.to_owned()
        };
        let kind = between("'descr': '", "'");
        let shape: Vec<usize> = between("'shape': (", ")")
            .split(',')
            .map(|side| side.trim().parse().expect("a number"))
            .collect();
        let [height, width] = shape[..] else {
            panic!("two dimensions, not {header}")
        };
        let value_bytes = usize::from(kind.as_bytes()[2] - b'0');
        assert_eq!(values.len(), height * width * value_bytes, "{header}");
        Self {
            kind,
            height,
            width,
            bytes: values.to_vec(),
        }
    }

    fn values<const N: usize, T>(&self, kind: &str, value: fn([u8; N]) -> T) -> Vec<T> {
        assert_eq!(self.kind, kind);
        self.bytes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| value(*bytes))
            .collect()
    }

    /// The values of a `<u4` array.
    #[must_use]
    pub fn u32s(&self) -> Vec<u32> {
        self.values("<u4", u32::from_le_bytes)
    }

    /// The values of a `<f4` array.
    #[must_use]
    pub fn f32s(&self) -> Vec<f32> {
        self.values("<f4", f32::from_le_bytes)
    }

    /// The values of a `<f8` array.
    #[must_use]
    pub fn f64s(&self) -> Vec<f64> {
        self.values("<f8", f64::from_le_bytes)
    }

    /// Any array's values as `f64`.
    #[must_use]
    pub fn values_f64(&self) -> Vec<f64> {
        match self.kind.as_str() {
            "<u4" => self.u32s().into_iter().map(f64::from).collect(),
            "<u8" => self.values("<u8", |bytes| u64::from_le_bytes(bytes) as f64),
            "<f4" => self.f32s().into_iter().map(f64::from).collect(),
            _ => self.f64s(),
        }
    }
}

/// An 8-bit RGB picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Png {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Pixels, row by row.
    pub pixels: Vec<[u8; 3]>,
}

impl Png {
    /// Reads a file.
    ///
    /// # Panics
    /// When it is no RGB picture, or not all there. Of 16 bits the higher 8 are taken.
    #[must_use]
    pub fn read(path: impl AsRef<Path>) -> Self {
        let deep = Self::read_deep(path);
        let higher = |value: u16| (value >> (deep.bits - 8)) as u8;
        Self {
            width: deep.width,
            height: deep.height,
            pixels: deep.pixels.iter().map(|pixel| pixel.map(higher)).collect(),
        }
    }

    /// Reads a file with all its bits.
    ///
    /// # Panics
    /// When it is no RGB picture, or not all there.
    #[must_use]
    pub fn read_deep(path: impl AsRef<Path>) -> DeepPng {
        let file = File::open(path).expect("a file");
        let mut reader = png::Decoder::new(BufReader::new(file))
            .read_info()
            .expect("a PNG");
        let (kind, depth) = reader.output_color_type();
        assert_eq!(kind, png::ColorType::Rgb);
        let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut bytes).expect("all of its rows");
        reader.finish().expect("its end");
        let pixels = match depth {
            png::BitDepth::Eight => bytes
                .as_chunks()
                .0
                .iter()
                .map(|p| p.map(u16::from))
                .collect(),
            _ => {
                let values = bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|pair| u16::from_be_bytes(*pair));
                values.collect::<Vec<_>>().as_chunks().0.to_vec()
            }
        };
        DeepPng {
            width: info.width as usize,
            height: info.height as usize,
            bits: depth as u8,
            pixels,
        }
    }
}

/// An RGB picture of 8 or 16 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeepPng {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Bits of a channel.
    pub bits: u8,
    /// Pixels, row by row.
    pub pixels: Vec<[u16; 3]>,
}

/// An OpenEXR picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Exr {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Channels by name.
    pub channels: BTreeMap<String, Channel>,
}

/// One channel's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Channel {
    /// Whole numbers.
    U32(Vec<u32>),
    /// Single precision.
    F32(Vec<f32>),
    /// Half precision.
    F16(Vec<f32>),
}

impl Exr {
    /// Reads a file.
    ///
    /// # Panics
    /// When it is no OpenEXR picture of one layer, or not all there.
    #[must_use]
    pub fn read(path: impl AsRef<Path>) -> Self {
        let image = read()
            .no_deep_data()
            .largest_resolution_level()
            .all_channels()
            .first_valid_layer()
            .all_attributes()
            .from_file(path)
            .expect("an OpenEXR picture");
        let layer = image.layer_data;
        let channels = layer.channel_data.list.into_iter().map(|channel| {
            let values = match channel.sample_data {
                FlatSamples::U32(values) => Channel::U32(values),
                FlatSamples::F32(values) => Channel::F32(values),
                FlatSamples::F16(values) => {
                    Channel::F16(values.into_iter().map(f32::from).collect())
                }
            };
            (channel.name.to_string(), values)
        });
        Self {
            width: layer.size.width(),
            height: layer.size.height(),
            channels: channels.collect(),
        }
    }
}

/// Digest of a file's bytes.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn digest(path: impl AsRef<Path>) -> u64 {
    let path = path.as_ref();
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    xxhash_rust::xxh3::xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_sees_one_bit() {
        let folder = crate::files::folder();
        let file = folder.path().join("x");
        std::fs::write(&file, [0u8; 100]).unwrap();
        let before = digest(&file);
        let mut bytes = [0u8; 100];
        bytes[99] = 1;
        std::fs::write(&file, bytes).unwrap();
        assert_ne!(digest(&file), before);
    }

    #[test]
    #[should_panic(expected = "shape")]
    fn an_array_that_is_cut_short_is_refused() {
        let folder = crate::files::folder();
        let file = folder.path().join("x.npy");
        let text = format!(
            "{:<117}\n",
            "{'descr': '<u4', 'fortran_order': False, 'shape': (2, 2), }"
        );
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(text.as_bytes());
        bytes.extend([0; 15]);
        std::fs::write(&file, bytes).unwrap();
        let _ = Npy::read(&file);
    }
}
