//! Unfinished pictures go on from their journals.

use render::Deed;
use std::path::PathBuf;

use render::Stop;
use render::job::build;
use render::journal::store::{Store, StoreError, remove};
use render::plan::{JournalPlan, Place};
use render::progress::{Event, Progress};
use render::stop::aside;

use super::picture::{Rendered, carry_out};
use crate::error::Error;
use crate::place::placing::Placing;
use crate::plan::picture::{check_workers, journal_folder};
use crate::plan::refused::PlanError;
use crate::request::FarmMeans;
use crate::request::means::Address;

/// Where journals are, the user's own folder where none is named.
///
/// # Errors
/// When the system has no such folder.
pub fn open_store(folder: Option<PathBuf>) -> Result<Store, Error> {
    Ok(Store::new(
        journal_folder(folder).ok_or(StoreError::NoFolder)?,
    ))
}

/// Goes on with the one job whose name begins with `given`. Of the means count a Redis and the number of workers; where no
/// Redis is named it is the job's own, for which nothing but `access` has credentials.
///
/// # Errors
/// About the journal, or as of any picture.
pub fn resume<'a>(
    given: &'a str,
    folder: Option<PathBuf>,
    means: FarmMeans,
    access: farm_worker::farm_args::FarmArgs,
    progress: &'a dyn Progress,
    stop: &'a Stop,
) -> Deed<'a, Result<Rendered, Error>> {
    Box::pin(async move {
        check_workers(means.workers)?;
        let store = open_store(folder)?;
        let job = store.find(given)?;
        let take = {
            let (store, job) = (store.clone(), job.clone());
            move || store.take(&job)
        };
        let what = "reading the journal";
        let taken = aside(what, progress, true, stop.interrupts(), take).await??;
        let own = || taken.saved.redis().map(|url| means.address(url, access));
        let address: Option<Address> = means.redis.clone().or_else(own);
        let farm = address.map(|address| address.options(&means.environment));
        let farm = farm.transpose().map_err(PlanError::from)?;
        let mut plan = taken.saved.plan(farm, means.workers);
        if let Place::Farm { terms, .. } = &mut plan.place {
            terms.owner.clone_from(&means.terms.owner);
        }
        let mut fresh = false;
        let taken = if taken.saved.job.build == build() {
            Some(taken)
        } else {
            // Its strips are another build's: a picture is never put together from two.
            progress.tell(Event::Note(&format!(
                "job {job} was begun by another build; it starts over"
            )));
            remove(&taken.folder);
            fresh = true;
            None
        };
        plan.journal = Some(JournalPlan {
            folder: store.folder().to_owned(),
            fresh,
        });
        let placing = Placing::at(plan.place.clone());
        carry_out(plan, placing, taken, progress, stop).await
    })
}
