//! Tiles: small pictures at once, into memory, of requests that may have come from anybody.

use render::Deed;
use render::tile::{self, TileError};
use render::{Picture, Stop};

use crate::error::Error;
use crate::plan;
use crate::request::{Means, PictureRequest};

/// Renders the view that is requested, of at most [`tile::MAX_SAMPLES`] samples, in process and into memory: its smooth
/// counts and what its colours are made from. No file, journal or job is made on the disk.
///
/// Call it within a runtime of tokio's of several threads.
///
/// # Errors
/// When the request cannot be, is too large, or `stop` comes.
pub fn tile<'a>(request: PictureRequest, stop: &'a Stop) -> Deed<'a, Result<Picture, Error>> {
    Box::pin(async move {
        let plan = plan::picture::picture(request, &Means::in_memory())?;
        tile::tile(plan, stop).await.map_err(|error| match error {
            TileError::TooLarge(_) => Error::Misuse(error.to_string()),
            TileError::Render(error) => error.into(),
        })
    })
}
