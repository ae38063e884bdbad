//! What decides colours: palettes, and how values are spread over them. A scheme is data, and paints nothing.

pub mod blend;
mod classics;
mod css;
pub mod gradients;
pub mod palette;
pub mod rgb;
#[expect(
    clippy::module_inception,
    reason = "a scheme is what all of the others are for"
)]
pub mod scheme;
mod stops;
mod ugr;
