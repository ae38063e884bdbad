//! How submitters end, and which of their failures a run forgives: those that the pages name, and only while there was
//! a fault that explains them.

use std::collections::BTreeMap;

use farm_queue::job::MAX_DELIVERIES;

use super::crew::tail;
use crate::processes::programs::Finished;

/// How a process of a submitter ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// Its picture is in its place.
    Done,
    /// By us.
    Killed,
    /// Status 1: the server was out of reach when it began, which is not borne.
    OutOfReach,
    /// Status 1: the server was full when it began.
    Full,
    /// Status 1: the server was told to evict when it began.
    Evicting,
    /// Status 1: a strip was delivered as often as it may be, without a result.
    GivenUp,
}

impl End {
    /// What it says of itself, with its status.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "0 done",
            Self::Killed => "killed",
            Self::OutOfReach => "1 out of reach when it began",
            Self::Full => "1 full when it began",
            Self::Evicting => "1 evicting when it began",
            Self::GivenUp => "1 strips given up",
        }
    }
}

/// What went wrong in the life of a submitter's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The server, or the submitter's own network, was ill before it had begun.
    pub at_its_start: bool,
    /// Faults that may cost a strip a delivery, since strips were last given up.
    pub costly: u64,
}

/// What an end that we did not cause is.
///
/// # Errors
/// What the submitter said, where it should have borne what went wrong.
pub fn classify(ended: &Finished, faults: Faults) -> Result<End, String> {
    if ended.code == Some(0) {
        return Ok(End::Done);
    }
    // Later it bears these for a minute at least, and longer than any run.
    let at_its_start = [
        ("cannot reach Redis", End::OutOfReach),
        ("Redis is out of memory", End::Full),
        ("throws strips away", End::Evicting),
    ];
    // Its own last word, not what it logged before.
    let own = |line: &&str| line.starts_with("submitter: ");
    let last = ended.stderr.lines().rfind(own).unwrap_or_default();
    let begun = at_its_start.iter().find(|(words, _)| last.contains(words));
    let given_up = last.contains(" (rows from ") && last.contains(") failed ");
    match begun {
        Some((_, end)) if ended.code == Some(1) && faults.at_its_start => Ok(*end),
        None if ended.code == Some(1) && given_up && faults.costly >= u64::from(MAX_DELIVERIES) => {
            Ok(End::GivenUp)
        }
        _ => Err(format!(
            "a submitter failed where it should not (status {:?}, after {:.1} s, {faults:?}): {}",
            ended.code,
            ended.elapsed.as_secs_f64(),
            tail(&ended.stderr)
        )),
    }
}

/// How often each.
pub type Ends = BTreeMap<End, u64>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn ended(code: Option<i32>, stderr: &str) -> Finished {
        Finished {
            line: String::new(),
            code,
            stdout: String::new(),
            stderr: stderr.to_owned(),
            elapsed: Duration::from_secs(1),
            peak_kib: 0,
        }
    }

    const QUIET: Faults = Faults {
        at_its_start: false,
        costly: 0,
    };
    const ILL: Faults = Faults {
        at_its_start: true,
        costly: 4,
    };

    #[test]
    fn a_failure_is_forgiven_for_its_reason_only() {
        for (words, end) in [
            ("submitter: cannot reach Redis at h: no", End::OutOfReach),
            ("submitter: Redis is out of memory: OOM", End::Full),
            ("submitter: its policy throws strips away", End::Evicting),
        ] {
            let failed = ended(Some(1), words);
            assert_eq!(classify(&failed, ILL), Ok(end));
            let quiet = classify(&failed, QUIET).unwrap_err();
            assert!(quiet.contains(words), "{quiet}");
        }
        let dead = ended(
            Some(1),
            "submitter: strip 3 (rows from 12) failed and nobody said why",
        );
        assert_eq!(classify(&dead, ILL), Ok(End::GivenUp));
        let soon = Faults { costly: 3, ..ILL };
        assert!(classify(&dead, soon).is_err(), "three deliveries, of four");
        for (code, words) in [
            (
                Some(1),
                "WARN cannot reach Redis\nsubmitter: a file is in the way",
            ),
            (Some(1), "submitter: Redis answered: ERR"),
            (Some(1), "submitter: the queue does not know job j any more"),
            (Some(2), "submitter: cannot reach Redis"),
            (None, ""),
        ] {
            assert!(classify(&ended(code, words), ILL).is_err(), "{words}");
        }
        assert_eq!(classify(&ended(Some(0), ""), QUIET), Ok(End::Done));
    }
}
