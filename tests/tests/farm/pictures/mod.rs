//! Still pictures through the command line: what their pixels hold, and that nothing else decides it.

mod again;
mod identity;
mod lines;
mod main_job;
mod measures;
mod notebook;
mod oracle;
mod turned;
