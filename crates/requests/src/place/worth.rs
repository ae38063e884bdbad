//! Whether a picture, or a sequence of them, is worth a farm: its predicted work against what this machine and the farm can do.
//!
//! The work is predicted from a coarse grid of the picture itself, computed here and timed: its mean count tells how
//! many iterations the whole has, its time how long they take (kernels prove much of the inside without iterating it).
//! Speeds are those that every worker measures of itself when it starts, and this program of this machine's devices.

use std::time::{Duration, Instant};

use engine::bench::quick;
use engine::cpu::CpuDevice;
use engine::{PreparedFrame, Progress, device};
use fractal::{Backend, BackendChoice, Counts, FrameSpec, Measure, MeasureSet, Strip};
use render::{RenderError, RenderPlan};
use serde::Serialize;
use world::FarmFigures;

use crate::error::Error;
use crate::request::means::Fallback;

/// Samples along the longer side of the grid that predicts the work.
const SAMPLES: u32 = 160;
/// Iterations of such a sample at most; a picture with a higher limit is predicted from below.
const SAMPLE_LIMIT: u64 = 100_000;
/// Where the farm is faster than this machine by less than this factor, only its start-up decides: a picture that
/// takes longer here than that is rendered where the user said.
const FASTER: f64 = 1.1;
/// Least time that a farm costs however small the job is: creating it, handing it over, fetching what was computed.
const ROUND_TRIPS: Duration = Duration::from_millis(100);

/// What is predicted of a render, and what follows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Whether it is computed in process.
    pub in_process: bool,
    /// What was asked for.
    pub asked: Fallback,
    /// Mean count of the samples, the limit for those inside; `None` where nothing had to be predicted.
    pub mean_count: Option<f64>,
    /// Iterations of the whole picture by that.
    pub iterations: Option<f64>,
    /// Iterations a second of this machine's devices.
    pub speed_here: Option<u64>,
    /// Seconds that it would take here.
    pub secs_here: Option<f64>,
    /// What is known of the farm.
    pub farm: Option<FarmFigures>,
    /// Seconds that it would take there, boot and all.
    pub secs_farm: Option<f64>,
    /// Why, in a few words.
    pub reason: &'static str,
}

/// What a picture is predicted to take on this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Mean count of the samples.
    pub mean_count: f64,
    /// Iterations of the whole.
    pub iterations: f64,
    /// Iterations a second here.
    pub speed: u64,
    /// Seconds here.
    pub secs: f64,
}

/// Decides without a prediction, where that is what was asked for.
#[must_use]
pub fn decide_as_asked(asked: Fallback) -> Option<Decision> {
    let (in_process, reason) = match asked {
        Fallback::Auto => return None,
        Fallback::Always => (true, "as asked for"),
        Fallback::Never => (false, "as asked for"),
    };
    Some(Decision {
        in_process,
        asked,
        mean_count: None,
        iterations: None,
        speed_here: None,
        secs_here: None,
        farm: None,
        secs_farm: None,
        reason,
    })
}

/// Decides by figures.
#[must_use]
pub fn decide_by_figures(work: Work, farm: FarmFigures) -> Decision {
    // Nobody measured it: as fast as this machine.
    let speed = farm.speed.unwrap_or(work.speed).max(1);
    let faster = speed as f64 / work.speed.max(1) as f64;
    let start_up = farm.boot_secs + ROUND_TRIPS.as_secs_f64();
    let there = start_up + work.secs / faster;
    let (in_process, reason) = if farm.speed == Some(0) {
        (true, "no worker of the farm would serve it")
    } else if work.secs <= start_up {
        (true, "it takes less time here than the farm takes to begin")
    } else if work.secs <= there && faster >= FASTER {
        (true, "the farm does not gain what it takes to begin")
    } else if work.secs <= there {
        (
            false,
            "the farm is no faster than this machine, and the job is not small",
        )
    } else {
        (false, "the farm is faster")
    };
    Decision {
        in_process,
        asked: Fallback::Auto,
        mean_count: Some(work.mean_count),
        iterations: Some(work.iterations),
        speed_here: Some(work.speed),
        secs_here: Some(work.secs),
        farm: Some(farm),
        secs_farm: (farm.speed != Some(0)).then_some(there),
        reason,
    }
}

/// Predicts what a plan's picture takes here. Blocks for some hundredths of a second, longer where adapters have to be
/// opened.
///
/// # Errors
/// When this machine has no device that the plan allows, or the samples cannot be computed.
pub fn predict(plan: &RenderPlan) -> Result<Work, Error> {
    predict_all(std::slice::from_ref(plan), 1.0)
}

/// The same of several pictures for the same devices, each of which stands for `each` like it.
///
/// # Errors
/// Likewise; and where there are no pictures.
pub fn predict_all(plans: &[RenderPlan], each: f64) -> Result<Work, Error> {
    let backend = plans
        .first()
        .map_or(BackendChoice::Cpu, |plan| plan.backend);
    let cpu = device::Device::Cpu(CpuDevice::new(None));
    let cpu_speed = quick::speed(&cpu).max(1);
    let speed = match backend {
        BackendChoice::Cpu => cpu_speed,
        choice => {
            let devices = device::open(choice, None).map_err(RenderError::from)?;
            let is_cpu =
                |device: &device::Device| engine::Compute::info(device).backend == Backend::Cpu;
            match &devices[..] {
                [only] if is_cpu(only) => cpu_speed,
                devices => devices.iter().map(quick::speed).sum::<u64>().max(1),
            }
        }
    };
    let (mut pixels, mut iterations, mut secs) = (0.0, 0.0, 0.0);
    for plan in plans {
        let sampled = if plan.arithmetic.deltas {
            bound(&plan.frame, cpu_speed)
        } else {
            sample(&plan.frame)?
        };
        let of_it = plan.frame.pixels() as f64 * each;
        pixels += of_it;
        iterations += of_it * sampled.mean_count;
        secs += of_it * sampled.secs_per_pixel;
    }
    Ok(Work {
        mean_count: iterations / pixels,
        iterations,
        speed,
        secs: secs * cpu_speed as f64 / speed as f64,
    })
}

struct Sampled {
    mean_count: f64,
    secs_per_pixel: f64,
}

/// Computes and times a coarse grid of a frame.
fn sample(frame: &FrameSpec) -> Result<Sampled, RenderError> {
    let scale = f64::from(SAMPLES) / f64::from(frame.width.max(frame.height));
    let side = |samples: u32| ((f64::from(samples) * scale) as u32).clamp(1, samples);
    let coarse = FrameSpec {
        width: side(frame.width),
        height: side(frame.height),
        iterations: frame.iterations.min(SAMPLE_LIMIT),
        counts: Counts::Fast,
        measures: MeasureSet::default().with(Measure::Smooth),
        ..frame.clone()
    };
    let strip = Strip {
        index: 0,
        row0: 0,
        rows: coarse.height,
    };
    let prepared = PreparedFrame::new(coarse)?;
    let cpu = CpuDevice::new(None);
    let progress = Progress::default();
    // Once to warm up, once to be timed.
    cpu.compute(&prepared, strip, &progress)?;
    let began = Instant::now();
    let buffer = cpu.compute(&prepared, strip, &progress)?;
    let pixels = buffer.pixels().max(1) as f64;
    Ok(Sampled {
        mean_count: buffer.iterations_total as f64 / pixels,
        secs_per_pixel: began.elapsed().as_secs_f64() / pixels,
    })
}

/// What a frame takes at most: of one that is computed as deltas no samples can be had before its reference orbit.
fn bound(frame: &FrameSpec, speed: u64) -> Sampled {
    let most = frame.iterations as f64;
    Sampled {
        mean_count: most,
        secs_per_pixel: most / speed as f64,
    }
}

impl Decision {
    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let place = if self.in_process {
            "in process"
        } else {
            "on the farm"
        };
        let (Some(iterations), Some(mean), Some(here), Some(there)) = (
            self.iterations,
            self.mean_count,
            self.secs_here,
            self.secs_farm,
        ) else {
            return format!("{place}, {}", self.reason);
        };
        let farm = self.farm.map_or(String::new(), |farm| {
            let guess = if farm.guessed { ", a guess" } else { "" };
            format!(
                " (of which {:.2} s until it is there{guess})",
                farm.boot_secs
            )
        });
        format!(
            "{place}: {}; {iterations:.1e} iterations ({mean:.0} a pixel) take {here:.2} s here and {there:.2} s on the farm{farm}",
            self.reason
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::picture::picture;
    use crate::request::{FarmMeans, Means, PictureRequest};

    fn work(secs: f64) -> Work {
        Work {
            mean_count: 100.0,
            iterations: secs * 1e9,
            speed: 1_000_000_000,
            secs,
        }
    }

    fn farm(times: f64, boot_secs: f64) -> FarmFigures {
        FarmFigures {
            speed: Some((times * 1e9) as u64),
            boot_secs,
            guessed: false,
        }
    }

    #[test]
    fn small_jobs_stay_here_and_large_ones_go() {
        let here = |secs, times, boot| decide_by_figures(work(secs), farm(times, boot)).in_process;
        // Less than the farm takes to begin, however fast it is.
        assert!(here(0.5, 1000.0, 1.0) && here(0.05, 1000.0, 0.0));
        // Ten seconds here are one there and two to boot; with twenty to boot it does not pay.
        assert!(!here(10.0, 10.0, 2.0) && here(10.0, 10.0, 9.5));
        // A farm of this machine's own cores is never faster: what is not small goes where the user said.
        assert!(!here(10.0, 1.0, 1.0) && here(1.0, 1.0, 1.0));
        assert!(!here(10.0, 0.5, 1.0));
        let unknown = FarmFigures {
            speed: None,
            ..farm(1.0, 1.0)
        };
        assert!(!decide_by_figures(work(10.0), unknown).in_process);
        let nobody = decide_by_figures(work(1e6), farm(0.0, 0.0));
        assert!(nobody.in_process && nobody.line().contains("no worker"));
    }

    #[test]
    fn what_is_asked_for_is_done() {
        assert!(decide_as_asked(Fallback::Always).unwrap().in_process);
        assert!(!decide_as_asked(Fallback::Never).unwrap().in_process);
        assert_eq!(decide_as_asked(Fallback::Auto), None);
    }

    #[test]
    fn a_larger_picture_is_predicted_to_be_more_work() {
        let of = |request: PictureRequest| {
            let means = Means {
                farm: FarmMeans {
                    backend: BackendChoice::Cpu,
                    ..FarmMeans::default()
                },
                ..Means::default()
            };
            predict(&picture(request, &means).unwrap()).unwrap()
        };
        let whole = |density: &str| {
            let mut request = PictureRequest::default();
            request.view.density = Some(density.parse().unwrap());
            request
        };
        let (small, large) = (of(whole("64")), of(whole("640")));
        let ratio = large.iterations / small.iterations;
        assert!((80.0..120.0).contains(&ratio), "{ratio}");
        assert!(
            small.mean_count > 100.0 && small.mean_count < 400.0,
            "{small:?}"
        );
        let mut request = PictureRequest {
            iterations: Some(5000),
            ..PictureRequest::default()
        };
        let number = |text: &str| Some(text.parse().unwrap());
        (request.view.re, request.view.im) = (number("-0.75"), number("0.1"));
        request.view.zoom = number("1e30");
        request.view.size = Some("100x100".parse().unwrap());
        let deep = of(request);
        assert_eq!(deep.mean_count, 5000.0);
    }
}
