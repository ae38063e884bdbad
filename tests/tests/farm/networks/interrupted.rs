//! Boots that are interrupted.

use farm_tests::world::{World, is_alive, until};
use rustix::process::Signal;

#[test]
fn an_interrupted_boot_is_undone_however_long_that_takes() {
    let world = World::of("targets: {w: {scheme: local}}\nfarm: {worker: ./slow}\n");
    // It never joins, and needs longer to end than a program has that nobody waits for.
    world.script(
        "slow",
        "trap 'sleep 2; exit 0' TERM\nwhile :; do sleep 0.1; done",
    );
    let running = world.command("boot", "").start();
    until("a worker and a Redis were started", || {
        world.pids().len() == 2
    });
    let pids = world.pids();
    running.signal(Signal::INT);
    let ended = running.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(pids.iter().all(|pid| !is_alive(*pid)), "{ended:?}");
    world.nothing_is_left();
}
