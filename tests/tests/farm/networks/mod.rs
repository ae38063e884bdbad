//! Networks of workers, and the servers between them.

mod interrupted;
mod load;
mod sentinels;
mod valkey;
mod worlds;
mod worlds_apart;
