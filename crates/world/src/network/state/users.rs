//! Which renders use a network: each by its process, so that one that was killed does not count.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// How much a system may differ from itself about when a process began: it counts from its own start, which it knows
/// by a clock that is set now and then.
const CLOCK_ERROR: Duration = Duration::from_secs(5);

/// A render that uses a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pid: u32,
    /// Seconds since 1970.
    born: u64,
}

impl User {
    /// This process; `None` where the system does not tell when it began.
    #[must_use]
    pub fn this_process() -> Option<Self> {
        let pid = std::process::id();
        born(pid).map(|born| Self { pid, born })
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        born(self.pid).is_some_and(|born| born.abs_diff(self.born) <= CLOCK_ERROR.as_secs())
    }
}

/// When a process began; `None` where there is none.
fn born(pid: u32) -> Option<u64> {
    let mut system = System::new().ok()?;
    let pid = Pid::from_u32(pid);
    let kind = ProcessRefreshKind::nothing();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    let process = system.process(pid)?;
    (process.status() != sysinfo::ProcessStatus::Zombie).then(|| process.start_time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_birth_and_gone_when_it_ends() {
        let this = User::this_process().unwrap();
        assert!(this.is_alive());
        let another = User {
            born: this.born - 60,
            ..this
        };
        assert!(!another.is_alive(), "of the same number, and older");
        let mut child = std::process::Command::new("sleep")
            .arg("600")
            .spawn()
            .unwrap();
        let of = User {
            pid: child.id(),
            born: born(child.id()).unwrap(),
        };
        assert!(of.is_alive());
        child.kill().unwrap();
        let began = std::time::Instant::now();
        while of.is_alive() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "dead and not yet waited for"
            );
        }
        child.wait().unwrap();
        assert!(!of.is_alive());
    }
}
