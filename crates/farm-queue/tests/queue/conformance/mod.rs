//! What every queue promises, as one suite that runs on each of them.

mod deliveries;
mod jobs;
mod leases;
mod orders;

use crate::setup::farms::{MemoryFarm, RedisFarm};
use deliveries::*;
use jobs::*;
use leases::*;
use orders::*;

macro_rules! conformance {
    ($($test:ident)*) => {
        mod memory {
            use super::MemoryFarm;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(MemoryFarm::start().await).await; })*
        }
        mod redis {
            use super::RedisFarm;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test(RedisFarm::start().await).await; })*
        }
    };
}

conformance! {
    strips_come_in_order_each_to_one_worker
    an_expired_lease_goes_to_somebody_else
    a_zombie_changes_nothing
    a_heartbeat_keeps_a_lease
    a_release_is_at_once_and_uncounted
    a_failure_is_at_once_and_counted
    a_strip_that_kills_its_workers_is_given_up
    the_first_delivery_wins
    a_delivery_may_be_repeated
    a_finished_job_leaves_nothing
    a_job_that_nobody_made_is_unknown
    a_bad_spec_is_refused
    two_jobs_share_the_workers
    a_pinned_job_is_kept_from_other_devices
    many_workers_collect_every_strip_once
    a_dropped_lease_call_loses_no_strip
    lease_waits_for_work
    collect_waits_for_results
    a_dropped_collect_call_loses_no_strip
    a_dead_strip_may_be_queued_again
    workers_are_counted_until_they_leave
    a_cap_on_workers_is_kept
    an_audit_goes_elsewhere_and_lies_apart
    a_copy_goes_elsewhere_and_ends_the_other
    what_is_under_way_is_known
    who_failed_is_known
    what_a_worker_failed_at_is_left_to_others_while_there_are_any
    a_quarantined_worker_gets_nothing
}
