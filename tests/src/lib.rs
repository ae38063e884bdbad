//! The harness of the farm's integration tests: real servers, real adapters, real programs.
//!
//! The tests themselves are in `tests/farm/`, one binary. They know the programs from
//! outside only: command lines, exit statuses, files, signals, and what lies in Redis.
//!
//! - [`processes`]: the release programs, run with a time limit, a watched peak of memory and signals, also in a terminal;
//!   worker processes, good ones and those of the program `pretender`, whose devices misbehave; networks of them; renders
//!   on a farm while something goes wrong
//! - [`servers`]: a private redis-server per test, the log that it keeps, a Sentinel that watches it, a bad network before
//!   it, clocks that are off, and an authority for TLS
//! - [`images`]: readers for `.npy`, `.png` and `.exr`, how alike two pictures are, and what they have to be
//! - [`chaos`]: farms on which something goes wrong every few seconds
//! - [`gpu`]: whether this machine has an adapter, and whether it must
//! - [`page`]: pages of the documentation whose commands are run
//! - [`house`]: rules about the code base, as code
//! - [`files`]: folders and files of a test; [`tools`]: programs of this build and beside it
//!
//! A missing server, program or (where it is required) adapter is a failure that says what is missing,
//! never a silent pass.

#![forbid(unsafe_code)]

pub mod chaos;
pub mod files;
pub mod gpu;
pub mod house;
pub mod images;
pub mod page;
pub mod processes;
pub mod servers;
pub mod tools;

pub use files::{folder, names_in, write_secret};
pub use images::pictures::digest;
pub use images::{naive, oracle, pictures, scenes, similarity};
pub use processes::browser::Browser;
pub use processes::job::Job;
pub use processes::programs::{Finished, Run, Running, submitter};
pub use processes::root::Root;
pub use processes::worker::Worker;
pub use processes::{browser, job, programs, root, ssh, terminal, worker, world};
pub use servers::clock::Clock;
pub use servers::proxy::{Network, Proxy};
pub use servers::sentinel::Sentinel;
pub use servers::server::{Persistence, Server};
pub use servers::{aof, certificates, clock, proxy, sentinel, server};
pub use tools::valkey;
