//! How much memory what jobs bring may take: a few bytes in Redis can stand for an orbit of gigabytes.

use bytesize::ByteSize;
use sysinfo::{MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

/// Fewest bytes that a worker does with: the coordinates of the largest picture, and a short orbit.
pub const LEAST: u64 = 16 << 20;
/// The share of a machine's memory that is taken where nobody says how much, as a divisor.
const SHARE: u64 = 4;
/// Where the machine does not say how much it has.
const UNKNOWN: u64 = 4 << 30;

/// As it was written: a number with or without a unit, `8G`, `512MiB`.
///
/// # Errors
/// A sentence, when it is no amount of memory, or less than [`LEAST`].
pub fn parse(text: &str) -> Result<u64, String> {
    let bytes = text.parse::<ByteSize>().map(|size| size.as_u64()).ok();
    (bytes.filter(|bytes| *bytes >= LEAST))
        .ok_or_else(|| "an amount of memory of at least 16MiB, like 8GiB".to_owned())
}

/// A quarter of what this machine has, or of what its control group may take.
#[must_use]
pub fn share_of_machine() -> u64 {
    let all = System::new()
        .ok()
        .and_then(|mut system| all_of(&mut system));
    (all.unwrap_or(UNKNOWN) / SHARE).max(LEAST)
}

fn all_of(system: &mut System) -> Option<u64> {
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let limits = [
        Some(system.total_memory()),
        system.cgroup_limits().map(|limits| limits.total_memory),
        own_limit(system),
    ];
    (limits.into_iter().flatten())
        .filter(|bytes| *bytes > 0)
        .min()
}

/// What this process' own control group may take, as a service manager sets it.
fn own_limit(system: &mut System) -> Option<u64> {
    let own = sysinfo::get_current_pid().ok()?;
    let kind = ProcessRefreshKind::nothing();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, kind);
    Some(system.process(own)?.cgroup_limits()?.total_memory)
}

/// For people.
#[must_use]
pub fn display_bytes(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("8GiB", 8 << 30),
            ("2G", 2_000_000_000),
            ("512 MiB", 512 << 20),
            ("16777216", 16 << 20),
            ("1.5GiB", 3 << 29),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "8X", "-1G", "15MiB", "0", "GiB", "1e99G"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(display_bytes(3 << 29), "1.5 GiB");
    }

    #[test]
    fn a_machine_has_some() {
        let share = share_of_machine();
        assert!((LEAST..1 << 46).contains(&share), "{share}");
    }
}
