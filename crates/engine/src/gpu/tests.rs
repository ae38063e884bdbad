//! Tests on real adapters, every one that the machine has.

use super::*;

#[test]
fn first_light() {
    tracing_stub();
    for a in list_adapters() {
        eprintln!("{a:?}");
    }
    for device in open_all() {
        eprintln!("{:?}", device.info());
    }
}
fn tracing_stub() {}
