//! Networks of workers, and the servers between them.

mod load;
mod sentinels;
mod valkey;
mod worlds;
mod worlds_apart;
