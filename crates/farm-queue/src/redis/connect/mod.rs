//! Connections: addresses, checks of the server, reconnecting, and errors in one line.
//!
//! - [`options`]: what a program is told; [`address`]: where that leads to; [`tls`]: certificates; [`entrance`]: what all
//!   connections have in common; [`sentinel`]: servers that Sentinels name; [`route`]: the way to the farm's server, by either;
//!   [`server`]: that server, by a way that is made anew when credentials were renewed
//! - [`link`]: one connection that is opened anew when it breaks; [`fitness`]: whether what it leads to will do
//! - [`errors`]: what errors of the `redis` crate mean; [`timeouts`]: how long anything may take
//!
//! Credentials stay inside the crate's connection info: no error and no `Debug` output shows them.

mod address;
mod entrance;
mod errors;
mod fitness;
mod link;
mod options;
mod route;
mod sentinel;
mod server;
mod timeouts;
mod tls;

pub(super) use errors::{is_no_group, is_unknown_script};
pub(super) use fitness::{Memory, check_server};
pub(super) use link::{Link, SendError};
pub use options::{ConnectOptions, CredentialSource, Credentials, Identity, Secret};
pub(super) use server::Server;
pub(super) use timeouts::{CONTROL_TIMEOUT, bulk_timeout};
