//! `mandelfarm._native`: the library's front door, as Python's interpreter loads it.
//!
//! Every function begins a [`task::Task`] and returns at once: requests come as JSON with the names of the command line's
//! options, and values leave as arrays that own what was computed. Nothing here waits with the interpreter's lock, prints,
//! reads the environment or takes signals: the package's Python does, in the thread that called.

#![forbid(unsafe_code)]

mod arrays;
mod failure;
mod frames;
mod means;
mod minibrots;
mod paint;
mod pictures;
mod runtime;
mod task;
mod told;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::frames::{Frames, sequence};
    #[pymodule_export]
    use crate::minibrots::{minibrot, write_text};
    #[pymodule_export]
    use crate::paint::{paint_file, paint_values};
    #[pymodule_export]
    use crate::pictures::{picture, plan};
    #[pymodule_export]
    use crate::runtime::close;
    #[pymodule_export]
    use crate::task::Task;
}
