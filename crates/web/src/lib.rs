//! The page: an explorer and its API over HTTP, served by the program itself. What is drawn comes as requests, which name no
//! file, no address and no program.
//!
//! - [`settings`]: where it listens and who may come in; [`server`]: connections; [`tls`]
//! - `guard`: who is let in, before anything is read of a request; `api`: what is answered; `pages`: the files of the page
//! - `viewers`: what each page waits for, so that nothing is computed that nobody waits for any more
//! - `views`: where views are computed
//! - `farm`: jobs and workers of a farm, for those who watch and steer it
//! - `jobs`: pictures and sequences that are left with the server; `limited`: requests within limits
//! - `figures`: what the farm and the server did in the last hour
//! - [`client`]: a program that asks a server
//! - [`limits`]: the most of everything

#![forbid(unsafe_code)]

mod answer;
mod api;
mod app;
pub mod client;
mod farm;
mod figures;
mod guard;
mod jobs;
mod limited;
pub mod limits;
mod pages;
pub mod server;
pub mod settings;
pub mod tls;
mod viewers;
mod views;

pub use api::place::{colour_request, place_request};
pub use jobs::queue::{JobsError, JobsSettings};
pub use jobs::request::JobRequest;
pub use limited::{KnownRequest, KnownSequence};
pub use server::{ServeError, Server};
pub use settings::{Settings, SettingsError};
