//! Connections that are open, by what was heard of them. Those by which nobody was let in end for newer ones; those of watchers
//! leave some for whoever may do everything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use render::Stop;

use super::tokens::Role;
use crate::limits::MOST_CONNECTIONS_OF_WATCHERS;

/// All that are open.
#[derive(Debug, Default)]
pub struct Connections {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    count: u64,
    /// By which nobody was let in so far, the oldest first.
    silent: BTreeMap<u64, Stop>,
    of_watchers: usize,
}

/// One that is open; closed when it is dropped.
#[derive(Debug)]
pub struct Connection {
    all: Arc<Connections>,
    number: u64,
    end: Stop,
    known: Mutex<Option<Role>>,
}

/// Watchers have as many connections as they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST_CONNECTIONS_OF_WATCHERS} connections are of those who look already: try again")]
pub struct TooManyWatchers;

impl Connections {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new one, by which nobody was let in so far.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Connection {
        let end = Stop::new();
        let mut open = self.open();
        let number = open.count;
        open.count += 1;
        open.silent.insert(number, end.clone());
        Connection {
            all: Arc::clone(self),
            number,
            end,
            known: Mutex::new(None),
        }
    }

    /// Ends the oldest of those by which nobody was let in, where there is one.
    pub fn make_room(&self) {
        if let Some((_, end)) = self.open().silent.pop_first() {
            end.request();
        }
    }
}

impl Connection {
    /// What tells it to end.
    #[must_use]
    pub fn end(&self) -> &Stop {
        &self.end
    }

    fn known(&self) -> MutexGuard<'_, Option<Role>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody was let in by it.
    ///
    /// # Errors
    /// When watchers have as many as they may.
    pub fn know(&self, role: Role) -> Result<(), TooManyWatchers> {
        let mut known = self.known();
        if *known == Some(role) {
            return Ok(());
        }
        let mut open = self.all.open();
        if role == Role::Watcher {
            if open.of_watchers >= MOST_CONNECTIONS_OF_WATCHERS {
                return Err(TooManyWatchers);
            }
            open.of_watchers += 1;
        } else if *known == Some(Role::Watcher) {
            open.of_watchers -= 1;
        }
        open.silent.remove(&self.number);
        *known = Some(role);
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.all.open();
        open.silent.remove(&self.number);
        if *self.known() == Some(Role::Watcher) {
            open.of_watchers -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_a_newer_one_the_oldest_ends_by_which_nobody_was_let_in() {
        let all = Arc::new(Connections::default());
        let known = all.enter();
        known.know(Role::Operator).unwrap();
        let [gone, oldest, newest] = [all.enter(), all.enter(), all.enter()];
        drop(gone);
        let ended = |one: &Connection| one.end().is_requested();
        all.make_room();
        assert!(ended(&oldest) && !ended(&newest) && !ended(&known));
        all.make_room();
        all.make_room();
        assert!(ended(&newest) && !ended(&known));
        assert!(all.open().silent.is_empty());
    }

    #[test]
    fn watchers_leave_some_for_others() {
        let all = Arc::new(Connections::default());
        let enter = |role| {
            let one = all.enter();
            one.know(role).map(|()| one)
        };
        let mut watchers: Vec<_> = (0..MOST_CONNECTIONS_OF_WATCHERS)
            .map(|_| enter(Role::Watcher).unwrap())
            .collect();
        assert_eq!(enter(Role::Watcher).err(), Some(TooManyWatchers));
        enter(Role::Operator).unwrap();
        // The same one, for somebody else: of the same browser, or through a proxy.
        watchers[0].know(Role::Watcher).unwrap();
        watchers[0].know(Role::Operator).unwrap();
        let another = enter(Role::Watcher).unwrap();
        assert_eq!(watchers[0].know(Role::Watcher).err(), Some(TooManyWatchers));
        watchers.clear();
        drop(another);
        assert_eq!(all.open().of_watchers, 0);
    }
}
