//! A helper of this process, a task or a thread, that ended in the midst of its work: a fault in the program, which is said
//! by name.

use std::any::Any;

use tokio::task::JoinError;

/// Most characters of a panic's message that are said.
const MOST_SAID: usize = 200;

/// Which helper ended, and what it said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{helper} ended by a fault in the program: {said}")]
pub struct Fault {
    helper: String,
    said: String,
}

impl Fault {
    /// Of a helper that ended without a word before it was told to.
    #[must_use]
    pub fn ended(helper: impl Into<String>) -> Self {
        Self {
            helper: helper.into(),
            said: "it ended too early".to_owned(),
        }
    }

    /// Of a thread that panicked.
    #[must_use]
    pub fn of_thread(helper: impl Into<String>, panic: &(dyn Any + Send)) -> Self {
        let text = (panic.downcast_ref::<&str>().copied())
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        // One line, whatever it says.
        let said = text.unwrap_or("a panic without a message");
        let said = said.replace(char::is_control, " ");
        Self {
            helper: helper.into(),
            said: said.chars().take(MOST_SAID).collect(),
        }
    }

    /// Of a task that panicked or was cancelled.
    #[must_use]
    pub fn of_task(helper: impl Into<String>, error: JoinError) -> Self {
        match error.try_into_panic() {
            Ok(panic) => Self::of_thread(helper, &*panic),
            Err(_) => Self::ended(helper),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_said_in_one_line() {
        let panic = std::panic::catch_unwind(|| panic!("two\nlines of {}", 7)).unwrap_err();
        let fault = Fault::of_thread("the thread that counts", &*panic);
        assert_eq!(
            fault.to_string(),
            "the thread that counts ended by a fault in the program: two lines of 7"
        );
    }
}
