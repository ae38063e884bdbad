//! Many workers in one world: they boot at once, and a job keeps all of them busy.
//!
//! Their devices only wait, so that more workers than cores can be told apart from too slow a farm. The full size (64
//! workers, 10,000 strips) is `tests/bench/waiting_world.py`.

use std::time::Duration;

use farm_tests::programs::path_of;
use farm_tests::world::World;

const WORKERS: u32 = 24;
const STRIPS: u32 = 1200;
/// Seconds that a device waits for each strip.
const SECS: f64 = 0.1;
/// Least efficiency, on a machine that others may use, too.
const EFFICIENCY: f64 = 0.75;

#[test]
fn a_world_of_waiting_workers_boots_at_once_and_is_kept_busy() {
    let program = path_of("pretender");
    let world = World::of(&format!(
        "networks:\n  default: {{targets: \"w-[1-{WORKERS}]\", boot-concurrency: 0}}\n\
         templates:\n  waiting: {{targets: \"w-[1-{WORKERS}]\", scheme: local}}\n\
         farm:\n  worker: {}\n  options: [\"--mode\", \"wait\", \"--secs\", \"{SECS}\"]\n",
        program.display()
    ));
    let booted = world.command("boot", "--json --require-all").ok();
    assert!(booted.elapsed < Duration::from_secs(10), "{booted:?}");
    let scene = format!(
        "--re -0.75 --im 0.1 --zoom 20 --size 64x{STRIPS} --strip-rows 1 --iterations 50 --backend cpu"
    );
    let done = world
        .render(&format!(
            "render -q --json --no-journal --fallback never {scene} -o x.npy"
        ))
        .within(world.folder())
        .ok();
    let report = done.json();
    assert_eq!(
        (&report["strips"], &report["redelivered"]),
        (&STRIPS.into(), &0.into()),
        "{report}"
    );
    let workers = report["workers"].as_array().expect("workers");
    assert_eq!(workers.len(), WORKERS as usize, "{report}");
    let ideal = f64::from(STRIPS) * SECS / f64::from(WORKERS);
    let efficiency = ideal / done.elapsed.as_secs_f64();
    // Below 1, or the devices did not wait.
    assert!(
        (EFFICIENCY..1.0).contains(&efficiency),
        "{efficiency}: {done:?}"
    );
}
