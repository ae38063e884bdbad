//! The files of `deploy/`: each held to what its own tool says of it, and their command lines run as they stand.

mod containers;
mod farm;
mod layers;
mod monitoring;
mod package;
mod secrets;
mod service;
mod setup;
