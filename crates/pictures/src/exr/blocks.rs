//! Blocks of rows on their way into an OpenEXR file: collected, and compressed on all cores.

use std::io;

use exr::block::chunk::Chunk;
use exr::block::{BlockIndex, UncompressedBlock};
use exr::error::Error;
use exr::math::Vec2;
use exr::meta::header::Header;

/// Rows that ZIP16 compresses together.
pub(super) const BLOCK_ROWS: usize = 16;
/// Bytes of blocks that are compressed at the same time, one a core; at least one.
const TOGETHER_BYTES: usize = 32 << 20;
/// Bytes of a block that are worth a thread.
const WORTH_BYTES: usize = 64 << 10;

/// Compresses blocks, all at the same time.
pub(super) fn compressed(
    blocks: Vec<UncompressedBlock>,
    headers: &[Header],
) -> Vec<Result<Chunk, Error>> {
    let mut blocks = blocks.into_iter();
    let Some(own) = blocks.next() else {
        return Vec::new();
    };
    std::thread::scope(|scope| {
        let start = |block: UncompressedBlock| {
            let thread = std::thread::Builder::new().name("deflate-exr".into());
            thread.spawn_scoped(scope, move || block.compress_to_chunk(headers))
        };
        let others: Vec<_> = blocks.map(start).collect();
        let own = own.compress_to_chunk(headers);
        let others = others.into_iter().map(|thread| {
            let fault = |_| Err(Error::Invalid("a fault in the encoder".into()));
            thread?.join().unwrap_or_else(fault)
        });
        std::iter::once(own).chain(others).collect()
    })
}

/// Rows that are collected until they make blocks, and blocks until there is one for each core.
pub(super) struct BlockRows<F> {
    width: usize,
    height: usize,
    /// Rows that are complete.
    row: usize,
    /// Those of the next block.
    pub(super) data: Vec<u8>,
    blocks: Vec<UncompressedBlock>,
    /// So many blocks are written together.
    together: usize,
    write: F,
}

impl<F: FnMut(Vec<UncompressedBlock>) -> io::Result<()>> BlockRows<F> {
    pub(super) fn new((width, height): (usize, usize), row_bytes: usize, write: F) -> Self {
        let cores = fractal::threads::available();
        let block_bytes = row_bytes * BLOCK_ROWS;
        let together = match block_bytes {
            0..WORTH_BYTES => 1,
            _ => (TOGETHER_BYTES / block_bytes).clamp(1, cores),
        };
        Self {
            width,
            height,
            row: 0,
            data: Vec::new(),
            blocks: Vec::new(),
            together,
            write,
        }
    }

    /// Ends a row, whose bytes were appended.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.row += 1;
        if !self.row.is_multiple_of(BLOCK_ROWS) && self.row != self.height {
            return Ok(());
        }
        let first = (self.row - 1) / BLOCK_ROWS * BLOCK_ROWS;
        let index = BlockIndex {
            layer: 0,
            pixel_position: Vec2(0, first),
            pixel_size: Vec2(self.width, self.row - first),
            level: Vec2(0, 0),
        };
        let data = std::mem::take(&mut self.data);
        self.blocks.push(UncompressedBlock { index, data });
        if self.blocks.len() < self.together && self.row < self.height {
            return Ok(());
        }
        (self.write)(std::mem::take(&mut self.blocks))
    }
}
