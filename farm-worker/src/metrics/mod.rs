//! What a worker counts, for whoever runs it ([`meters`]) and for Prometheus ([`exporter`]).

pub mod exporter;
pub(crate) mod meters;

pub use meters::Meters;
