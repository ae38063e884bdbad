//! Who is let in: decided from a request's head, before anything else of it is read.
//!
//! [`tokens`]: secrets in addresses; [`sessions`]: browsers that came by one; [`check`]: a request's head against both;
//! [`heard`]: connections whose other side reads

pub mod check;
pub mod heard;
pub mod sessions;
pub mod tokens;
