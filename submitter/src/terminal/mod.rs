//! The terminal: words, bars, tables and signals. Nothing else of this program writes to a stream.
//!
//! [`progress`] draws what `render` tells with [`bars`] and [`sequence_bar`], or says it in lines ([`beat`]); [`signals`]
//! hears Ctrl-C and says what takes long; [`tables`]: words in columns; [`output`] writes.

mod bars;
mod beat;
mod output;
pub mod progress;
pub mod runs_bar;
mod sequence_bar;
pub mod signals;
pub mod tables;

pub use output::{json_line, say, write_json, write_stdout};
