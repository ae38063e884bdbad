//! Where in the plane the samples of a picture lie.
//!
//! - [`view`]: the part of the plane that a picture shows, and its grid
//! - [`transform`]: how the picture is turned and stretched
//! - [`axis`]: the exact coordinate of every column and row
//! - [`digits`]: how many digits the coordinates of a view need

pub mod axis;
pub mod digits;
pub mod transform;
pub mod view;
