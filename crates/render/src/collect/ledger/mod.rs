//! Where every strip of a job lies and what moves next ([`mod@ledger`], [`results`]), with what is decided without waiting:
//! [`assembly`] (which strip is next), [`failed_strips`], [`standing`] (figures, and workers that fail), [`stragglers`] (the
//! end of a job); [`comparison`] does what audits ask for.

mod assembly;
mod comparison;
mod failed_strips;
#[expect(clippy::module_inception, reason = "the ledger itself")]
pub mod ledger;
mod results;
mod standing;
mod stragglers;
