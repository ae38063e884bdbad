//! Rules about the code base, as code: what is deliberately not there stays away.
//!
//! Every rule takes sources as text, so that a test can hand it a planted violation and see it fail.
//!
//! - [`source`]: the project's files
//! - [`mod@confined`]: names that have one place; [`mathematics`]: functions that differ between systems
//! - [`layers`]: which crates may depend on which
//! - [`mod@circles`]: files of a crate that know each other, over [`modules`] and [`tokens`]
//! - [`mod@files`]: where files lie, how long they are and how they open

pub mod circles;
pub mod confined;
pub mod files;
pub mod layers;
pub mod mathematics;
pub mod modules;
pub mod source;
pub mod tokens;

pub use circles::circles;
pub use confined::{CONFINED, Confined, confined};
pub use files::{MOST_FILES, MOST_LINES, files, folders, outside, unguarded};
pub use layers::{ARROWS, IGNORANCE, dependencies, layering, manifests};
pub use mathematics::systems_mathematics;
pub use source::{Breach, Source, sources, top};
