//! Processes by where they have their files.

use std::collections::BTreeMap;

use super::state::{Place, Process};
use crate::machine::host::Host;
use crate::machine::script::Folder;

/// Processes with one place for their files: one script is for them all.
#[derive(Debug)]
pub struct Batch {
    /// Where they run.
    pub host: Host,
    /// Folder with their files there.
    pub folder: Folder,
    /// They, by name.
    pub processes: Vec<(String, Process)>,
}

impl Place {
    /// Processes of this network by where they have their files.
    pub fn batches<'a>(
        &self,
        processes: impl Iterator<Item = (&'a String, &'a Process)>,
    ) -> impl Iterator<Item = Batch> {
        let mut batches: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, process) in processes {
            let place = (process.host.clone(), process.folder.clone());
            let batch = batches.entry(place).or_default();
            batch.push((name.clone(), process.clone()));
        }
        batches
            .into_iter()
            .map(|((host, folder), processes)| Batch {
                folder: self.folder_on(&host, folder.as_deref()),
                host,
                processes,
            })
    }
}
