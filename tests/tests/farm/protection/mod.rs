//! Who may do what on a farm, and what strangers cannot do to it.

mod access;
mod hostile;
mod memory;
mod renewal;
mod security;
mod terminal;
