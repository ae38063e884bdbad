//! What is walked through once, from part to part, and need not be read whole.

use std::io::{self, Read};

/// What is read, and can be gone on in.
pub(crate) trait Passing: Read {
    /// Leaves out so many bytes.
    fn pass(&mut self, bytes: u32) -> io::Result<()>;
}

#[cfg(test)]
impl Passing for io::Cursor<Vec<u8>> {
    fn pass(&mut self, bytes: u32) -> io::Result<()> {
        self.set_position(self.position() + u64::from(bytes));
        Ok(())
    }
}
