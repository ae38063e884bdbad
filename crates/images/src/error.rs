//! Errors of the libraries as the system's: what it said, without their wrapping.

use std::io;

use image::ImageError;
use tiff::TiffError;

pub(crate) fn image_error(error: ImageError) -> io::Error {
    match error {
        ImageError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

pub(crate) fn tiff_error(error: TiffError) -> io::Error {
    match error {
        TiffError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
