//! `submitter manual`.

use std::fs;

use crate::cli::shells::args::ManualArgs;
use crate::cli::shells::scripts::manual_pages;
use crate::failure::Failure;

/// Writes the manual pages of both programs into a folder.
///
/// # Errors
/// When the folder cannot be made, or a file in it cannot be written.
pub fn run(args: &ManualArgs) -> Result<(), Failure> {
    let folder = &args.folder;
    fs::create_dir_all(folder)
        .map_err(|error| Failure::failed(format!("{}: {error}", folder.display())))?;
    for (name, page) in manual_pages().map_err(Failure::failed)? {
        disk::write_whole(&folder.join(name), &page).map_err(Failure::failed)?;
    }
    Ok(())
}
