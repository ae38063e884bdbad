//! Panels of the explorer in a real Chromium: what is iterated, the palette editor, and videos that are left.

mod formulas;
mod palettes;
mod sequences;
mod steps;
