//! Which devices this machine offers, opened.

use super::adapters::{self, AdapterSummary};
use super::device::GpuDevice;

/// Why there is no adapter to work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// The machine offers none of the kind asked for.
    #[error("this machine has no {0} adapter")]
    NoAdapter(&'static str),
    /// This program cannot load any adapter's driver, whatever the machine has.
    #[error("a static program loads no drivers of adapters")]
    Static,
    /// There are some, but none that computes rightly.
    #[error("{0}")]
    Unusable(String),
}

impl GpuError {
    /// That none of a kind was found, or why none could be.
    pub(crate) fn none(kind: &'static str) -> Self {
        if adapters::LOADS_DRIVERS {
            Self::NoAdapter(kind)
        } else {
            Self::Static
        }
    }
}

/// Every adapter of this machine, each GPU as often as there are APIs that offer it.
#[must_use]
pub fn list_adapters() -> Vec<AdapterSummary> {
    adapters::find()
        .iter()
        .map(|found| found.traits.summary())
        .collect()
}

/// Opens every hardware adapter, each GPU once through its best API. One that fails its proof is left out with a
/// warning.
#[must_use]
pub fn open_hardware() -> Vec<GpuDevice> {
    if !adapters::may_have_hardware() {
        return Vec::new();
    }
    let found = adapters::find();
    let traits: Vec<_> = found.iter().map(|found| found.traits.clone()).collect();
    open_each(adapters::hardware(&traits).into_iter().map(|at| &found[at])).0
}

/// Opens the preferred software adapter.
///
/// # Errors
/// When there is none, or none passes its proof.
pub fn open_software() -> Result<Vec<GpuDevice>, GpuError> {
    let found = adapters::find();
    let traits: Vec<_> = found.iter().map(|found| found.traits.clone()).collect();
    let mut why = GpuError::none("software");
    for at in adapters::software(&traits) {
        let (opened, mut failures) = open_each([&found[at]]);
        if !opened.is_empty() {
            return Ok(opened);
        }
        if let Some(failure) = failures.pop() {
            why = GpuError::Unusable(failure);
        }
    }
    Err(why)
}

/// Opens every adapter that [`list_adapters`] lists and that passes its proof: for tests, which run on all of them.
#[must_use]
pub fn open_all() -> Vec<GpuDevice> {
    open_each(&adapters::find()).0
}

/// Opens adapters; also says why each of the others failed.
fn open_each<'a>(
    found: impl IntoIterator<Item = &'a adapters::Candidate>,
) -> (Vec<GpuDevice>, Vec<String>) {
    let (mut opened, mut failures) = (Vec::new(), Vec::new());
    for found in found {
        let summary = found.traits.summary();
        match GpuDevice::open(found.adapter.clone(), &summary) {
            Ok(device) => opened.push(device),
            Err(reason) => {
                tracing::warn!(adapter = summary.name, reason, "adapter is not used");
                failures.push(format!("adapter '{}' is not used: {reason}", summary.name));
            }
        }
    }
    (opened, failures)
}
