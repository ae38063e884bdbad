//! Blocks of rows on their way into an OpenEXR file: collected, and compressed on all cores.

use std::io;

use exr::block::chunk::{Chunk, CompressedBlock, CompressedScanLineBlock};

use super::pack::packed;

/// Rows that ZIP16 compresses together.
pub(super) const BLOCK_ROWS: usize = 16;
/// Bytes of blocks that are compressed at the same time, one a core; at least one.
const TOGETHER_BYTES: usize = 32 << 20;
/// Bytes of a block that are worth a thread.
const WORTH_BYTES: usize = 64 << 10;

/// Rows that are compressed together, and what is kept from one block to the next.
#[derive(Default)]
pub(super) struct Block {
    /// The first row.
    row: usize,
    /// Values, of little-endian bytes.
    data: Vec<u8>,
    /// Working memory of [`packed`].
    differences: Vec<u8>,
}

impl Block {
    /// Which block of the file it is.
    pub(super) fn index(&self) -> usize {
        self.row / BLOCK_ROWS
    }

    fn compressed(&mut self) -> io::Result<Chunk> {
        let packed = packed(&self.data, &mut self.differences)?;
        Ok(Chunk {
            layer_index: 0,
            compressed_block: CompressedBlock::ScanLine(CompressedScanLineBlock {
                y_coordinate: i32::try_from(self.row).map_err(io::Error::other)?,
                // Readers take a block that is no shorter than its values for just these.
                compressed_pixels_le: packed.unwrap_or_else(|| self.data.clone()),
            }),
        })
    }
}

/// Compresses blocks, all at the same time.
pub(super) fn compressed(blocks: &mut [Block]) -> Vec<io::Result<Chunk>> {
    let Some((own, others)) = blocks.split_first_mut() else {
        return Vec::new();
    };
    std::thread::scope(|scope| {
        let start = |block| {
            let thread = std::thread::Builder::new().name("deflate-exr".into());
            thread.spawn_scoped(scope, || Block::compressed(block))
        };
        let others: Vec<_> = others.iter_mut().map(start).collect();
        let own = own.compressed();
        let others = others.into_iter().map(|thread| {
            let fault = |_| Err(io::Error::other("a fault in the encoder"));
            thread?.join().unwrap_or_else(fault)
        });
        std::iter::once(own).chain(others).collect()
    })
}

/// Rows that are collected until they make blocks, and blocks until there is one for each core.
pub(super) struct BlockRows<F> {
    height: usize,
    /// Rows that are complete.
    row: usize,
    /// Those of the next block.
    pub(super) data: Vec<u8>,
    /// As many as are written together, of which `full` are.
    blocks: Vec<Block>,
    full: usize,
    write: F,
}

impl<F: FnMut(&mut [Block]) -> io::Result<()>> BlockRows<F> {
    pub(super) fn new(height: usize, row_bytes: usize, write: F) -> Self {
        let cores = fractal::threads::available();
        let block_bytes = row_bytes * BLOCK_ROWS;
        let together = match block_bytes {
            0..WORTH_BYTES => 1,
            _ => (TOGETHER_BYTES / block_bytes).clamp(1, cores),
        };
        Self {
            height,
            row: 0,
            data: Vec::new(),
            blocks: std::iter::repeat_with(Block::default)
                .take(together)
                .collect(),
            full: 0,
            write,
        }
    }

    /// Ends a row, whose bytes were appended.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.row += 1;
        if !self.row.is_multiple_of(BLOCK_ROWS) && self.row != self.height {
            return Ok(());
        }
        let block = &mut self.blocks[self.full];
        block.row = (self.row - 1) / BLOCK_ROWS * BLOCK_ROWS;
        std::mem::swap(&mut block.data, &mut self.data);
        self.data.clear();
        self.full += 1;
        if self.full < self.blocks.len() && self.row < self.height {
            return Ok(());
        }
        let full = std::mem::take(&mut self.full);
        (self.write)(&mut self.blocks[..full])
    }
}
