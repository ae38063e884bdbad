//! The page: an explorer and its API over HTTP, served by the program itself. What is drawn comes as requests, which name no
//! file, no address and no program.
//!
//! - [`settings`]: where it listens and who may come in; [`server`]: connections; [`tls`]
//! - `guard`: who is let in, before anything is read of a request; `api`: what is answered; `pages`: the files of the page
//! - `viewers`: what each page waits for, so that nothing is computed that nobody waits for any more
//! - `farm`: jobs and workers of a farm, for those who watch and steer it
//! - [`limits`]: the most of everything

#![forbid(unsafe_code)]

mod answer;
mod api;
mod app;
mod farm;
mod guard;
pub mod limits;
mod pages;
pub mod server;
pub mod settings;
pub mod tls;
mod viewers;

pub use server::{ServeError, Server};
pub use settings::{Settings, SettingsError};
