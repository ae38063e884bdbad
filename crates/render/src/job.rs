//! Jobs as the queue knows them.

use farm_queue::{JobId, JobSpec, SharedOrbit};

use crate::plan::{Place, RenderPlan};

/// The job that a plan makes.
#[must_use]
pub fn job_of(plan: &RenderPlan, id: JobId, orbit: Option<&SharedOrbit>) -> JobSpec {
    JobSpec {
        id,
        frame: plan.frame.clone(),
        strips: plan.strips,
        backend: plan.backend,
        max_workers: match plan.place {
            Place::InProcess { .. } => None,
            Place::Farm { workers, .. } => workers,
        },
        on: match &plan.place {
            Place::InProcess { .. } => None,
            Place::Farm { terms, .. } => terms.on.clone(),
        },
        build: build(),
        orbit: orbit.map(|shared| shared.key.clone()),
        arithmetic: plan.arithmetic.only,
    }
}

/// What identifies the kernels of this build.
#[must_use]
pub fn build() -> u64 {
    engine::build_id()
}

/// A build as people see it: enough of its digest to tell it from others.
#[must_use]
pub fn short_build(build: u64) -> String {
    format!("{:08x}", build >> 32)
}
