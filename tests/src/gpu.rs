//! Whether this machine has an adapter that the programs can use, and whether it must.
//!
//! `FARM_GPU=require`, which `./tests/run` sets, makes a missing adapter a failure; without it a test that
//! needs one says on stderr that it is skipped, and why.

use std::sync::OnceLock;

use crate::processes::programs::submitter;

/// Whether GPU tests can run here; says so when they cannot.
///
/// # Panics
/// When they cannot, and `FARM_GPU=require`.
#[must_use]
pub fn is_there() -> bool {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    let reason = REASON.get_or_init(|| {
        let folder = crate::files::folder();
        let tried = submitter("render --backend gpu --density 16 -q -o x.npy")
            .within(&folder)
            .run();
        (tried.code != Some(0)).then(|| tried.stderr.trim().to_owned())
    });
    if let Some(reason) = reason {
        assert_ne!(
            std::env::var("FARM_GPU").as_deref(),
            Ok("require"),
            "FARM_GPU=require, but the programs find no adapter: {reason}"
        );
        eprintln!("SKIPPED: nothing of the GPU was tested here: {reason}");
    }
    reason.is_none()
}
