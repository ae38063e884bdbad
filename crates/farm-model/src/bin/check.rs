//! `check`: every farm of the model, and how many states it has.

use std::time::Instant;

use farm_model::model::{Model, Variant};
use stateright::{Checker, Model as _};

fn main() -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    for (name, farm) in Model::farms(Variant::Sound) {
        let start = Instant::now();
        let checker = farm
            .checker()
            .threads(2)
            .target_state_count(8_000_000)
            .spawn_bfs()
            .join();
        writeln!(
            out,
            "{name}: {} states, {} steps, {} deep, {:.1} s",
            checker.unique_state_count(),
            checker.state_count(),
            checker.max_depth(),
            start.elapsed().as_secs_f64(),
        )?;
        for (property, path) in checker.discoveries() {
            if property != farm_model::model::properties::FINISHED {
                writeln!(out, "  not so: {property}: {:?}", path.into_actions())?;
            }
        }
    }
    Ok(())
}
