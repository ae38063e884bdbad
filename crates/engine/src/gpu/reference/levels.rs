//! The levels of a table of blocks, as they lie in pages.

use std::ops::Range;

use shaders::layout::MAX_LEVELS;

/// Blocks of some levels, the first of them this.
pub(super) struct Levels<'a, T> {
    first: u32,
    levels: Vec<&'a [T]>,
}

impl<'a, T> Levels<'a, T> {
    /// Those of a table whose lowest level is `lowest`, up to the last that any z may take.
    pub(super) fn of(levels: &'a [Vec<T>], lowest: u32, serves: impl Fn(&T) -> bool) -> Self {
        let levels = levels.iter().map(Vec::as_slice);
        let mut levels: Vec<&[T]> = levels.take(MAX_LEVELS - lowest as usize).collect();
        while levels.pop_if(|last| !last.iter().any(&serves)).is_some() {}
        Self {
            first: lowest,
            levels,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.levels.iter().map(|level| level.len()).sum()
    }

    /// Without the shortest ones; `false` where there are none.
    pub(super) fn drop_shortest(&mut self) -> bool {
        if self.levels.is_empty() {
            return false;
        }
        self.levels.remove(0);
        self.first += 1;
        true
    }

    pub(super) fn range(&self) -> Range<u32> {
        match self.levels.len() as u32 {
            0 => 0..0,
            count => self.first..self.first + count,
        }
    }

    /// The blocks of each level that begin in page `page` of 2^`size` values, the number of the first in its level, and
    /// the level.
    pub(super) fn in_page(
        &self,
        page: u64,
        size: u32,
    ) -> impl Iterator<Item = (&'a [T], u64, u32)> {
        (self.first..).zip(&self.levels).map(move |(level, all)| {
            let first = page << size;
            let (from, to) = (
                first.div_ceil(1 << level),
                (first + (1 << size)).div_ceil(1 << level),
            );
            let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(all.len());
            (&all[within(from)..within(to)], from, level)
        })
    }

    /// Where each level's block at m = 1 would be, modulo 2^32, in a page that holds one level after the other.
    pub(super) fn offsets(&self, page: u64, size: u32) -> [u32; MAX_LEVELS] {
        let (mut offsets, mut place) = ([0; MAX_LEVELS], 0u32);
        for (blocks, first, level) in self.in_page(page, size) {
            offsets[level as usize] = place.wrapping_sub(first as u32);
            place += blocks.len() as u32;
        }
        offsets
    }
}
