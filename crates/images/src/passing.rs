//! What is walked through once, from part to part, and need not be read whole.

use std::io::{self, Read};

/// What is read, and can be gone on in.
pub trait Passing: Read {
    /// Leaves out so many bytes.
    ///
    /// # Errors
    /// Those of reading; the end is none.
    fn pass(&mut self, bytes: u32) -> io::Result<()>;
}

impl<T: AsRef<[u8]>> Passing for io::Cursor<T> {
    fn pass(&mut self, bytes: u32) -> io::Result<()> {
        self.set_position(self.position() + u64::from(bytes));
        Ok(())
    }
}
