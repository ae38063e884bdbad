//! Colours: from the values of pixels to pictures, and nothing of files, queues or kernels.
//!
//! A [`Scheme`] says everything that decides a colour. Where it needs to know the whole picture, or a whole sequence
//! (its range of values, or their ranks), that is collected in a [`Distribution`]. Both make a [`Painter`], all of
//! whose tables are laid out; a [`Canvas`] takes rows of values and gives rows of a picture, whatever strips they
//! come in.
//!
//! One value goes this way: value -> place on the palette, in 2^-32 of a turn ([`mapping`]) -> linear light
//! ([`tables`]) -> lit by its slope ([`light`]) -> the mean of a pixel's samples -> sRGB in 8 or 16 bits ([`srgb`]),
//! with noise in place of rounding where asked for ([`noise`]). Nothing but a value, its neighbours and its row and
//! column decides. The plainest schemes take a short cut: value -> bytes, from one table.

mod blend;
mod canvas;
mod classics;
mod css;
mod distribution;
mod gradients;
mod light;
mod mapping;
mod noise;
mod painter;
mod palette;
mod rgb;
mod scheme;
mod srgb;
mod stops;
mod tables;
mod ugr;

pub use blend::{Blend, Hue};
pub use canvas::{Canvas, Rows};
pub use distribution::Distribution;
pub use gradients::{GradientError, names_in, palette_of};
pub use light::{Neighbourhood, Spacing};
pub use noise::Noise;
pub use painter::{Basis, Painter};
pub use palette::Palette;
pub use rgb::Rgb;
pub use scheme::{ColourBy, Depth, Light, Mapping, Needs, Repeat, Samples, Scheme, SchemeError};
pub use srgb::{Encoder, from_linear, to_linear};
pub use tables::Linear;
