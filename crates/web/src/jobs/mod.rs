//! Jobs that are left with the server: it collects them, goes on with them after a restart, and keeps a history.
//!
//! - [`request`]: what is asked for, as data: what is drawn, and names of files within the server's folder
//! - [`record`]: what is kept of a job; [`store`]: where it is kept, an embedded database in that folder
//! - [`queue`]: all jobs: those that wait, run and are done; `orders`: what can be done with them; [`runner`]: what makes them, one after another
//! - [`told`]: what those who watch are told of them, made once for all
//! - [`growth`]: how far one is; [`grown`]: its picture meanwhile; [`estimate`]: what one will cost, before it is begun

pub mod estimate;
pub mod grown;
pub mod growth;
mod orders;
pub mod queue;
pub mod record;
pub mod request;
pub mod runner;
pub mod store;
#[cfg(test)]
mod tests;
pub mod told;
