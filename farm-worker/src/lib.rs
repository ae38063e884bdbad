//! The worker: lease, compute, deliver.
