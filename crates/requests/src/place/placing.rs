//! Where a render or a sequence runs: in process, on a farm whose Redis was named, or on a network of a world that is booted
//! for it.

use farm_queue::redis::control::WorkerSummary;
use farm_queue::redis::{ConnectOptions, RedisControl};
use render::job::build;
use render::plan::{JobTerms, Place};
use render::progress::{Ending, Progress};
use render::stop::aside;
use render::{RenderError, Stop};
use world::network::figures::together;
use world::{FarmFigures, OpenNetwork};

use super::worth::{self, Decision, Work};
use crate::error::Error;
use crate::request::FarmMeans;
use crate::request::means::Fallback;

/// Where something runs, but for a network that is yet to be booted.
pub struct Placing {
    /// Where; not the last word where there is a network.
    pub place: Place,
    /// The network to boot for it.
    pub network: Option<OpenNetwork>,
    /// Most workers that take part there.
    pub workers: Option<u16>,
    /// What else its farm is told of jobs.
    pub terms: JobTerms,
    /// Why there, where that was a question.
    pub decision: Option<Decision>,
}

impl Placing {
    /// In this place, whatever it is.
    #[must_use]
    pub fn at(place: Place) -> Self {
        Self {
            place,
            network: None,
            workers: None,
            terms: JobTerms::default(),
            decision: None,
        }
    }
}

/// Finds the place of what was to run in `place` and takes as long as `predict` says. Boots nothing. `stop` ends it at any
/// time.
///
/// # Errors
/// What is wrong with the world or its farm, in one line.
pub async fn find_place(
    means: &FarmMeans,
    place: Place,
    predict: impl FnOnce() -> Result<Work, Error> + Send + 'static,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Placing, Error> {
    let Some(choice) = &means.world else {
        return find_on_named(means.fallback, place, predict, progress, stop).await;
    };
    if means.redis.is_some() {
        let reason = "--redis and --world: a world names its Redis itself";
        return Err(Error::Misuse(reason.to_owned()));
    }
    let opened = OpenNetwork::open(choice, means.environment.clone())?;
    let asked = means.fallback.unwrap_or(Fallback::Auto);
    let figures = opened.figures(means.workers)?;
    let decision = decide(asked, predict, figures, progress, stop).await?;
    Ok(Placing {
        terms: means.terms.clone(),
        ..settle(place, Some(opened), means.workers, decision)
    })
}

/// The same where no world is named: on the farm, unless a fallback was asked for.
async fn find_on_named(
    asked: Option<Fallback>,
    place: Place,
    predict: impl FnOnce() -> Result<Work, Error> + Send + 'static,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Placing, Error> {
    let (
        Place::Farm {
            farm,
            workers,
            terms,
        },
        Some(asked),
    ) = (&place, asked)
    else {
        return Ok(Placing::at(place));
    };
    let figures = match asked {
        Fallback::Auto => {
            let listed = list_workers(farm, progress, stop).await?;
            let may = |worker: &&WorkerSummary| {
                serves(worker) && worker.record.about.has_tag(terms.on.as_deref())
            };
            let serving: Vec<_> = listed.iter().filter(may).collect();
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
    let decision = decide(asked, predict, figures, progress, stop).await?;
    Ok(settle(place, None, None, decision))
}

/// The workers of a farm.
async fn list_workers(
    farm: &ConnectOptions,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Vec<WorkerSummary>, RenderError> {
    let what = "asking the farm for its workers";
    let _activity = Ending::activity(progress, what, true);
    let listed = async { RedisControl::connect(farm).await?.workers().await };
    tokio::select! {
        listed = listed => Ok(listed?),
        why = stop.interrupts() => Err(RenderError::Stopped { what, why }),
    }
}

async fn decide(
    asked: Fallback,
    predict: impl FnOnce() -> Result<Work, Error> + Send + 'static,
    farm: FarmFigures,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Decision, Error> {
    if let Some(decision) = worth::decide_as_asked(asked) {
        return Ok(decision);
    }
    let what = "predicting the work";
    let predicted = aside(what, progress, true, stop.interrupts(), predict).await?;
    let work = predicted.map_err(|source| Error::Within {
        what: "the work cannot be predicted (--fallback never asks for no prediction)".to_owned(),
        source: Box::new(source),
    })?;
    Ok(worth::decide_by_figures(work, farm))
}

fn settle(
    place: Place,
    network: Option<OpenNetwork>,
    workers: Option<u16>,
    decision: Decision,
) -> Placing {
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
        workers,
        terms: JobTerms::default(),
        decision: Some(decision),
    }
}

/// Whether a worker would be given strips of this build's jobs.
#[must_use]
pub fn serves(worker: &WorkerSummary) -> bool {
    let worker_build = worker.record.about.build;
    // One that has just come has not said it yet.
    let is_ours = worker_build == 0 || worker_build == build();
    is_ours && !worker.draining && worker.quarantine.is_none()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use farm_worker::farm_args::{Environment, FarmArgs};
    use render::Silent;

    use super::*;
    use crate::error::ErrorKind;
    use crate::request::means::Address;

    /// Requests a stop after a moment, and waits for what is said of it.
    async fn interrupt<T>(stop: &Stop, work: impl Future<Output = Result<T, Error>>) -> String {
        let requests = stop.clone();
        let later = async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            requests.request();
        };
        let both = async { tokio::join!(work, later).0 };
        let ended = tokio::time::timeout(Duration::from_secs(20), both).await;
        let Err(error) = ended.expect("it hears the stop") else {
            panic!("it was interrupted")
        };
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        error.to_string()
    }

    #[tokio::test]
    async fn a_stop_is_heard_while_a_farm_is_asked_and_work_is_predicted() {
        // Somebody who never answers.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", silent.local_addr().unwrap());
        let address = Address::of_user(url, FarmArgs::default());
        let place = Place::Farm {
            farm: Box::new(address.options(&Environment::default()).unwrap()),
            workers: None,
            terms: JobTerms::default(),
        };
        let means = FarmMeans {
            fallback: Some(Fallback::Auto),
            ..FarmMeans::default()
        };
        let stop = Stop::new();
        let never = || unreachable!("the farm says nothing");
        let said = interrupt(&stop, find_place(&means, place, never, &Silent, &stop)).await;
        assert_eq!(said, "stopped while asking the farm for its workers");

        let stop = Stop::new();
        let (keep, blocked) = sync_channel::<()>(1);
        let predict = move || {
            let _ = blocked.recv();
            Err(Error::interrupted())
        };
        let figures = FarmFigures {
            speed: None,
            boot_secs: 0.0,
            guessed: true,
        };
        let decided = decide(Fallback::Auto, predict, figures, &Silent, &stop);
        let said = interrupt(&stop, decided).await;
        assert_eq!(said, "stopped while predicting the work");
        drop(keep);
    }
}
