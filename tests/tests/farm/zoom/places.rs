//! Where sequences are made: on networks that are booted for them, or in process where that is enough.

use std::path::Path;

use farm_tests::world::{World, is_alive};
use farm_tests::{Server, digest, folder, names_in, submitter};
use rustix::process::Signal;

/// A short sequence, quickly made, into deltas.
const SHORT: &str = "zoom --re -0.7436438870371587 --im 0.13182590420531197 --from 50 --to 6e6 --size 96x54 --fps 10 \
                     --iterations 500 --backend cpu";
/// A longer one, whose first key frame is done long before the last.
const LONG: &str = "zoom --re -0.7436438870371587 --im 0.13182590420531197 --from 50 --to 6e6 --size 320x180 --fps 10 \
                    --iterations 20000 --backend cpu";

/// Two workers of one thread on the processor.
fn two(farm: &str) -> World {
    World::of(&format!(
        "networks: {{default: {{targets: 'w-[0-1]', boot-concurrency: 0}}}}\n\
         templates: {{t: {{targets: 'w-[0-1]', scheme: local, ncores: 1}}}}\n\
         farm: {{backend: cpu, {farm}}}\n"
    ))
}

fn digests(path: &Path) -> Vec<u64> {
    names_in(path)
        .into_iter()
        .map(|name| digest(path.join(name)))
        .collect()
}

#[test]
fn a_sequence_boots_its_world_and_makes_the_frames_of_one_in_process() {
    let place = folder();
    let alone = submitter(&format!("{SHORT} -q --json -o alone/%03d.png"))
        .within(&place)
        .ok()
        .json();
    assert!(alone.get("fallback").is_none(), "{alone}");
    let server = Server::start();
    let world = two(&format!("redis: '{}'", server.url()));
    let line = format!("{SHORT} --json --fallback never --keep keys -o farm/%03d.png");
    let done = world.render(&line).within(&place).ok();
    assert!(done.stderr.contains("2 of 2 targets serve"), "{done:?}");
    let said = done.json();
    assert_eq!(said["fallback"]["in_process"], false, "{said}");
    assert_eq!(said["key_frames_made"], said["key_frames"]);
    let [alone, farm] = ["alone", "farm"].map(|name| digests(&place.path().join(name)));
    assert!(alone.len() > 100 && alone == farm);
    assert_eq!(server.keys("*"), [""; 0], "no key is left");
    world.nothing_is_left();

    // Where there is nothing to compute, nothing boots; nor where it is too small.
    let line = "zoom --json --reuse keys --fps 10 --fallback never -o again/%03d.png";
    let again = world.render(line).within(&place).ok();
    assert!(!again.stderr.contains("targets serve"), "{again:?}");
    assert_eq!(digests(&place.path().join("again")), farm);
    let line =
        "zoom --json --re -0.75 --im 0.1 --to 8 --size 32x18 --backend cpu -o small/%03d.png";
    let small = world.render(line).within(&place).ok();
    assert!(
        small.stderr.contains("in process: it takes less time here"),
        "{small:?}"
    );
    let fallback = &small.json()["fallback"];
    assert_eq!(fallback["in_process"], true);
    assert!(fallback["iterations"].as_f64() > Some(1000.0), "{fallback}");
    world.nothing_is_left();
    let both = world
        .render(&format!("{SHORT} --redis unix:///nowhere -o both/%03d.png"))
        .within(&place)
        .run();
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn an_interrupted_sequence_shuts_its_world_down_and_keeps_its_key_frames() {
    let (world, place) = (two(""), folder());
    let line = format!("{LONG} --fallback never -o frames/%03d.png");
    let mut running = world.render(&line).within(&place).start();
    running.until_it_says("targets serve");
    let pids = world.pids();
    assert_eq!(pids.len(), 3, "two workers and a Redis");
    let keys = place.path().join("frames/%03d.png.keys");
    farm_tests::world::until("a key frame is done", || {
        keys.exists()
            && names_in(&keys)
                .iter()
                .any(|name| name.starts_with("key-") && name.ends_with(".json"))
    });
    running.signal(Signal::INT);
    let ended = running.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(
        ended.stderr.contains("the same command goes on"),
        "{ended:?}"
    );
    assert!(pids.iter().all(|pid| !is_alive(*pid)), "{ended:?}");
    world.nothing_is_left();
}
