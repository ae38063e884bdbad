//! The threads that carry tasks out: started by the first one, and there until the process ends.

use std::process::id;
use std::sync::{Mutex, PoisonError};

use mandelfarm::remove_unfinished;
use pyo3::pyfunction;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::failure::Failure;

/// Threads that wait for queues and files; what is computed has threads of its own.
const IO_THREADS: usize = 2;
/// Stack of each: that of a main thread.
const STACK: usize = 8 << 20;

/// The runtime, and the process that started it.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// The runtime of this process.
///
/// # Errors
/// When the system gives no threads, or the process was forked from one that has the threads: here they are not.
pub fn runtime() -> Result<Handle, Failure> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    match &*runtime {
        Some((process, runtime)) if *process == id() => return Ok(runtime.handle().clone()),
        Some(_) => {
            return Err(Failure::failed(
                "this process was forked from one that had computed, and has none of its threads: \
                 start processes by \"spawn\" or \"forkserver\"",
            ));
        }
        None => {}
    }
    let started = Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .thread_name("mandelfarm-io")
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the I/O threads: {error}")))?;
    let handle = started.handle().clone();
    *runtime = Some((id(), started));
    Ok(handle)
}

/// Removes what tasks that nobody waits for left unfinished on the disk: the process ends.
#[pyfunction]
pub fn close() {
    let runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    // A forked process has its parent's list, whose files are not its own.
    if matches!(&*runtime, Some((process, _)) if *process == id()) {
        remove_unfinished();
    }
}
