//! Colours: palettes and their files, mappings, light, samples, noise, depth, and painting anew from data.

mod painting;
mod palettes;
mod schemes;
mod setup;
