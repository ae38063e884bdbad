//! Squares of a picture's samples.

/// A square of samples, cut off where the picture ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Square {
    pub(crate) col: u32,
    pub(crate) row: u32,
    pub(crate) size: u32,
}

impl Square {
    /// One past its last column and row, in a picture of that many columns and rows.
    pub(crate) fn ends(&self, (width, height): (u32, u32)) -> (u32, u32) {
        (
            (self.col + self.size).min(width),
            (self.row + self.size).min(height),
        )
    }

    /// Its four quarters that lie within the picture.
    pub(crate) fn quarters(self, (width, height): (u32, u32)) -> impl Iterator<Item = Self> {
        let size = self.size / 2;
        [(0, 0), (size, 0), (0, size), (size, size)]
            .into_iter()
            .map(move |(right, down)| Self {
                col: self.col + right,
                row: self.row + down,
                size,
            })
            .filter(move |part| part.col < width && part.row < height)
    }

    /// The square of twice its size that it is a quarter of.
    pub(crate) fn parent(self) -> Self {
        let size = 2 * self.size;
        Self {
            col: self.col / size * size,
            row: self.row / size * size,
            size,
        }
    }
}
