//! Figures over time: what the farm and this server did in the last hour, and what they do now for who gathers metrics.
//!
//! - [`series`]: a dozen figures, kept for an hour; [`sampler`]: what takes them; [`metrics`]: the latest as Prometheus reads them

pub mod metrics;
pub mod sampler;
pub mod series;
