//! Colours: from the values of pixels to pictures, and nothing of files, queues or kernels.
//!
//! A [`Scheme`] says everything that decides a colour. Where it needs to know the whole picture, or a whole sequence
//! (its range of values, or their ranks), that is collected in a [`Distribution`]. Both make a [`Painter`], all of
//! whose tables are laid out; a [`Canvas`] takes rows of values and gives rows of a picture, whatever strips they
//! come in.
//!
//! One value goes this way: value -> place on the palette, in 2^-32 of a turn (`paint::mapping`) -> linear light
//! (`paint::tables`) -> lit by its slope (`paint::light`) -> the mean of a pixel's samples -> sRGB in 8 or 16 bits (`paint::srgb`),
//! with noise in place of rounding where asked for (`paint::noise`). Nothing but a value, its neighbours and its row and
//! column decides. The plainest schemes take a short cut: value -> bytes, from one table.

#![forbid(unsafe_code)]

mod paint;
mod scheme;

pub use paint::canvas::{Canvas, Rows};
pub use paint::distribution::{Distribution, sampled_places, sampled_size};
pub use paint::light::{Neighbourhood, Spacing};
pub use paint::noise::Noise;
pub use paint::painter::{Basis, Painter};
pub use paint::srgb::{Encoder, from_linear, to_linear};
pub use paint::tables::Linear;
pub use scheme::blend::{Blend, Hue};
pub use scheme::gradients::{GradientFormat, MOST_FILE_BYTES, gradient_names};
pub use scheme::palette::{Palette, PaletteError, names as palette_names};
pub use scheme::rgb::Rgb;
pub use scheme::scheme::{
    ColourBy, Depth, Light, Mapping, Needs, Repeat, Samples, Scheme, SchemeError,
};
