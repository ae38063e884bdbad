//! The last step: strips in order to all files, one after the other. A task of its own, so that files that are
//! behind hold up nothing else.

use std::sync::Arc;

use farm_worker::Fault;
use fractal::StripBuffer;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinHandle;

use crate::error::CollectError;

/// Strips that may wait for the files together.
const WAITING: usize = 1;

/// The way to the files.
pub struct FileFeed {
    sender: Sender<Arc<StripBuffer>>,
    /// Whether all strips are with all files.
    task: JoinHandle<bool>,
}

impl FileFeed {
    /// To all of `files`.
    pub fn start(files: Vec<Sender<Arc<StripBuffer>>>) -> Self {
        let (sender, mut strips) = channel::<Arc<StripBuffer>>(WAITING);
        let task = tokio::spawn(async move {
            while let Some(strip) = strips.recv().await {
                for file in &files {
                    if file.send(Arc::clone(&strip)).await.is_err() {
                        return false;
                    }
                }
            }
            true
        });
        Self { sender, task }
    }

    /// Where the next strip goes; it is closed when a file has ended early.
    pub fn door(&self) -> Sender<Arc<StripBuffer>> {
        self.sender.clone()
    }

    /// Lets go of the files: what is on the way to them does not arrive.
    pub fn give_up(&mut self) {
        self.task.abort();
    }

    /// Waits until the last strip is with every file.
    ///
    /// # Errors
    /// When a file has ended early.
    pub async fn end(&mut self) -> Result<(), CollectError> {
        let (closed, _) = channel(WAITING);
        // Without a sender the task ends after the last strip.
        drop(std::mem::replace(&mut self.sender, closed));
        match (&mut self.task).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(CollectError::Output),
            Err(error) => Err(fault(error)),
        }
    }

    /// Why the door is closed before the last strip.
    pub async fn ended_early(&mut self) -> CollectError {
        match (&mut self.task).await {
            Ok(_) => CollectError::Output,
            Err(error) => fault(error),
        }
    }
}

fn fault(error: tokio::task::JoinError) -> CollectError {
    Fault::of_task("the task that hands strips to the files", error).into()
}

impl Drop for FileFeed {
    fn drop(&mut self) {
        self.task.abort();
    }
}
