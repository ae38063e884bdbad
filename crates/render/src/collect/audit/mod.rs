//! Strips that are computed twice: by another worker ([`audits`], [`agreement`]), or by this process ([`computing`]).

pub mod agreement;
pub mod audits;
pub mod computing;
