//! Panels of the explorer in a real Chromium: what is iterated, and the palette editor.

mod formulas;
mod palettes;
mod steps;
