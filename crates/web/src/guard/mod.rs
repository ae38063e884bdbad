//! Who is let in: decided from a request's head, before anything else of it is read.
//!
//! [`tokens`]: secrets in addresses; [`sessions`]: browsers that came by one; [`check`]: a request's head against both;
//! [`connections`]: how many of whom; [`heard`]: those whose other side reads

pub mod check;
pub mod connections;
pub mod heard;
pub mod sessions;
pub mod tokens;
