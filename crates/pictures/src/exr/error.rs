//! Errors of the library as the system's.

use std::io;

use exr::error::Error;

/// What the system said, without the library's wrapping.
pub(super) fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
