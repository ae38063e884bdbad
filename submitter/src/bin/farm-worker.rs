//! `farm-worker`: the program of the library of that name. It is built here so that one package has both programs:
//! `cargo install --path submitter` installs them.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    farm_worker::main()
}
