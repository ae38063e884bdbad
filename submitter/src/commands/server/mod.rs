//! A server, and what is handed to one.

pub mod serve;
pub mod submit;
