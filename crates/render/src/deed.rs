//! What takes its time: a future in a box.

use std::pin::Pin;

/// A deed under way. In a box, so that its code is compiled in the crate that has it, once, and not in every program
/// that awaits it.
pub type Deed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
