//! What an OpenEXR file says: its size and channels with the ranges of their values, and its texts.

use std::io::{self, BufReader, Read, Seek};

use exr::block::reader::ChunksReader;
use exr::math::Vec2;
use exr::meta::MetaData;
use exr::meta::attribute::{AttributeValue, SampleType};

use super::error::io_error;
use crate::contents::{ChannelContents, Contents};

/// Most bytes of a file's attributes that are looked at.
const MOST_HEADER: u64 = 64 << 20;

/// The attributes of all parts that are texts, by their names.
pub(crate) fn texts(file: impl Read) -> io::Result<Vec<(String, String)>> {
    let file = BufReader::new(file.take(MOST_HEADER));
    let meta = MetaData::read_from_buffered(file, false).map_err(io_error)?;
    let attributes = meta.headers.iter().flat_map(|header| {
        let shared = header.shared_attributes.other.iter();
        shared.chain(&header.own_attributes.other)
    });
    let texts = attributes.filter_map(|(name, value)| match value {
        AttributeValue::Text(text) => Some((name.to_string(), text.to_string())),
        AttributeValue::I32(number) => Some((name.to_string(), number.to_string())),
        _ => None,
    });
    // The library knows this one, and keeps it apart.
    let made_by = (meta.headers.iter()).filter_map(|header| {
        let software = header.own_attributes.software_name.as_ref()?;
        Some(("software".to_owned(), software.to_string()))
    });
    let mut texts: Vec<_> = texts.chain(made_by).collect();
    texts.sort();
    Ok(texts)
}

/// Size and channels, with the ranges of their values; of the first part, where there are several.
pub(crate) fn contents(file: impl Read + Seek) -> io::Result<Contents> {
    let reader = exr::block::read(file, false).map_err(io_error)?;
    let Some(header) = reader.headers().first().cloned() else {
        return Err(io::Error::other("a file of no parts"));
    };
    let list = header.channels.list.iter();
    let mut channels: Vec<ChannelContents> = list
        .map(|channel| {
            let kind = match channel.sample_type {
                SampleType::U32 => "UINT",
                SampleType::F16 => "HALF",
                SampleType::F32 => "FLOAT",
            };
            ChannelContents::new(channel.name.to_string(), kind)
        })
        .collect();
    let chunks = reader
        .filter_chunks(false, |_, _, block| {
            block.layer == 0 && block.level == Vec2(0, 0)
        })
        .map_err(io_error)?;
    // Deep data have as many samples a pixel as they like.
    let mut blocks = (!header.deep).then(|| chunks.sequential_decompressor(false));
    while let Some(block) = (blocks.as_mut()).and_then(|blocks| blocks.decompress_next_block()) {
        let block = block.map_err(io_error)?;
        for line in block.lines(&header.channels) {
            let own = &mut channels[line.location.channel];
            match header.channels.list[line.location.channel].sample_type {
                SampleType::U32 => {
                    for bytes in line.value.as_chunks::<4>().0 {
                        match u32::from_ne_bytes(*bytes) {
                            u32::MAX => own.inside += 1,
                            count => own.add(f64::from(count)),
                        }
                    }
                }
                SampleType::F32 => {
                    for bytes in line.value.as_chunks::<4>().0 {
                        own.add(f64::from(f32::from_ne_bytes(*bytes)));
                    }
                }
                // Colours: their ranges say nothing.
                SampleType::F16 => {}
            }
        }
    }
    Ok(Contents {
        width: header.layer_size.width(),
        height: header.layer_size.height(),
        channels,
    })
}
