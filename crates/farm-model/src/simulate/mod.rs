//! Large farms in virtual time: the same table, workers and submitter as the model's, with clocks, speeds and faults.
//!
//! Everything follows from the seed. Each exchange with the server takes the network's time there, waits until the
//! server is free, takes the server's time for it, and the network's time back; the server does one thing at a time,
//! as Redis does.
//!
//! - [`settings`]: what is simulated; [`costs`]: what the server takes for it; [`dice`]: chance; [`report`]: what came of it
//! - [`simulation`]: the farm with its server, over [`events`] of its [`process`]es
//! - [`lanes`] and [`submitter`]: what workers and the submitter do; [`run`]: whose turn it is

mod costs;
mod dice;
mod events;
mod lanes;
mod process;
mod report;
mod run;
mod settings;
mod simulation;
mod submitter;

pub use costs::{Costs, Step};
pub use process::Process;
pub use report::Report;
pub use settings::Settings;
pub use simulation::{Simulation, SimulationError};
