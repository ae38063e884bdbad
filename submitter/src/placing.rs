//! Where a render or a sequence runs: in process, on a farm whose Redis was named, or on a network of a world that is booted for it.

use anyhow::Context;
use farm_queue::redis::RedisControl;
use farm_queue::redis::control::WorkerSummary;
use farm_worker::usage::Misuse;

use crate::cli::world::{FallbackArg, StageArgs};
use crate::fallback::{self, Decision, FarmFigures, Work};
use crate::plan::{Place, RenderPlan};
use crate::render;
use crate::world::Opened;
use crate::world::stage;

/// A plan that knows where it runs, but for a network that is yet to be booted.
pub struct Placed {
    /// The plan; where there is a network its place is not the last word.
    pub plan: RenderPlan,
    /// The network to boot for it, and most workers that take part.
    pub network: Option<(Opened, Option<u16>)>,
    /// Why there, where that was a question.
    pub decision: Option<Decision>,
}

impl Placed {
    /// A plan that runs where it says.
    #[must_use]
    pub fn as_planned(plan: RenderPlan) -> Self {
        Self {
            plan,
            network: None,
            decision: None,
        }
    }
}

/// Where something runs, but for a network that is yet to be booted.
pub struct Placing {
    /// Where; not the last word where there is a network.
    pub place: Place,
    /// The network to boot for it, and most workers that take part.
    pub network: Option<(Opened, Option<u16>)>,
    /// Why there, where that was a question.
    pub decision: Option<Decision>,
}

/// Finds the place of `plan`, whose Redis was `redis`, as typed or set. Boots nothing.
///
/// # Errors
/// What is wrong with the world or its farm, in one line.
pub async fn placed(
    args: &StageArgs,
    redis: Option<&str>,
    workers: Option<u16>,
    mut plan: RenderPlan,
) -> anyhow::Result<Placed> {
    let predict = || fallback::predict(&plan);
    let found = placing(args, redis, workers, plan.place.clone(), predict).await?;
    let Placing {
        place,
        network,
        decision,
    } = found;
    plan.place = place;
    Ok(Placed {
        plan,
        network,
        decision,
    })
}

/// The same of anything that was to run in `place`, and takes what `predict` says.
///
/// # Errors
/// Likewise.
pub async fn placing(
    args: &StageArgs,
    redis: Option<&str>,
    workers: Option<u16>,
    place: Place,
    predict: impl FnOnce() -> anyhow::Result<Work>,
) -> anyhow::Result<Placing> {
    let Some(opened) = stage::opened(&args.network)? else {
        return on_named(args.fallback, place, predict).await;
    };
    if crate::cli::redis_beside(redis, args).is_some() {
        return Err(Misuse("--redis and --world: a world names its Redis itself").into());
    }
    let asked = args.fallback.unwrap_or(FallbackArg::Auto);
    let figures = opened.figures(workers)?;
    let decision = decision(asked, predict, figures)?;
    Ok(settled(place, Some((opened, workers)), decision))
}

/// The same where no world is named: on the farm, unless a fallback was asked for.
async fn on_named(
    asked: Option<FallbackArg>,
    place: Place,
    predict: impl FnOnce() -> anyhow::Result<Work>,
) -> anyhow::Result<Placing> {
    let (Place::Farm { farm, workers }, Some(asked)) = (&place, asked) else {
        return Ok(Placing {
            place,
            network: None,
            decision: None,
        });
    };
    let figures = match asked {
        FallbackArg::Auto => {
            let listed = RedisControl::connect(&**farm).await?.workers().await?;
            let serving: Vec<_> = listed.iter().filter(|worker| serves(worker)).collect();
            let speeds = serving.iter().map(|worker| worker.record.about.speed);
            FarmFigures {
                speed: match &serving[..] {
                    [] => Some(0),
                    _ => together(speeds.collect(), *workers),
                },
                boot_secs: 0.0,
                guessed: false,
            }
        }
        _ => FarmFigures {
            speed: None,
            boot_secs: 0.0,
            guessed: true,
        },
    };
    let decision = decision(asked, predict, figures)?;
    Ok(settled(place, None, decision))
}

fn decision(
    asked: FallbackArg,
    predict: impl FnOnce() -> anyhow::Result<Work>,
    farm: FarmFigures,
) -> anyhow::Result<Decision> {
    match fallback::as_asked(asked) {
        Some(decision) => Ok(decision),
        None => {
            let work = tokio::task::block_in_place(predict).context(
                "the work cannot be predicted (--fallback never asks for no prediction)",
            )?;
            Ok(fallback::decided(work, farm))
        }
    }
}

fn settled(place: Place, network: Option<(Opened, Option<u16>)>, decision: Decision) -> Placing {
    let (place, network) = if decision.in_process {
        let here = Place::InProcess {
            workers: 1,
            threads: None,
        };
        (here, None)
    } else {
        (place, network)
    };
    Placing {
        place,
        network,
        decision: Some(decision),
    }
}

/// Whether a worker would be given strips of this build's jobs.
#[must_use]
pub fn serves(worker: &WorkerSummary) -> bool {
    let build = worker.record.about.build;
    // One that has just come has not said it yet.
    let is_ours = build == 0 || build == render::build();
    is_ours && !worker.draining && worker.quarantine.is_none()
}

/// Iterations a second of the fastest workers that may take part; `None` when one of them was not measured, or there
/// is none.
#[must_use]
pub fn together(mut speeds: Vec<u64>, workers: Option<u16>) -> Option<u64> {
    speeds.sort_unstable_by(|a, b| b.cmp(a));
    if let Some(most) = workers {
        speeds.truncate(usize::from(most));
    }
    let measured = !speeds.is_empty() && speeds.iter().all(|speed| *speed > 0);
    measured.then(|| speeds.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn the_fastest_workers_take_part() {
        assert_eq!(together(vec![1, 5, 3], None), Some(9));
        assert_eq!(together(vec![1, 5, 3], Some(2)), Some(8));
        assert_eq!(together(vec![1, 0], None), None);
        assert_eq!(together(vec![], None), None);
    }
}
