//! What each page waits for. Pages number their views: a request of an earlier view than the latest is out of date, and is
//! not computed; one that is under way is stopped.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use render::Stop;
use tokio::sync::Semaphore;

use crate::guard::tokens::Role;
use crate::limits::{
    MOST_OF_WATCHERS, MOST_UNDER_WAY, MOST_VIEWERS, MOST_WAITING, MOST_WAITING_WATCHERS,
};

/// All pages, and what is computed for them.
pub struct Viewers {
    pages: Mutex<HashMap<String, Page>>,
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Places that watchers may have, computed and waiting: one is always left for whoever may do everything.
    of_watchers: Arc<Semaphore>,
    waiting_watchers: Arc<Semaphore>,
    clock: AtomicU64,
    /// What was done so far.
    pub counts: Counts,
}

/// What was done so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// Computations that were begun.
    pub begun: AtomicU64,
    /// Those that were finished.
    pub finished: AtomicU64,
    /// Requests that were out of date before they were begun.
    pub outdated: AtomicU64,
    /// Computations that were stopped because their request was out of date, or its client gone.
    pub stopped: AtomicU64,
}

struct Page {
    generation: u64,
    /// Of its requests that wait or are computed.
    stops: Vec<(u64, Stop)>,
    seen: u64,
}

/// A request that is up to date so far. Its computation is told to stop when that changes, and when this is dropped.
pub struct Ticket {
    viewers: Arc<Viewers>,
    viewer: String,
    role: Role,
    id: u64,
    stop: Stop,
}

/// A place among those that are computed; freed when it is dropped.
pub struct Place {
    _place: tokio::sync::OwnedSemaphorePermit,
    _of_watchers: Option<tokio::sync::OwnedSemaphorePermit>,
}

/// Why a request has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// A later view of the same page was asked for.
    #[error("a later view of this page was asked for")]
    Outdated,
    /// Too many wait.
    #[error("{MOST_WAITING} requests wait already: try again")]
    Full,
}

impl Viewers {
    /// None yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            pages: Mutex::default(),
            places: Arc::new(Semaphore::new(MOST_UNDER_WAY)),
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
            of_watchers: Arc::new(Semaphore::new(MOST_OF_WATCHERS)),
            waiting_watchers: Arc::new(Semaphore::new(MOST_WAITING_WATCHERS)),
            clock: AtomicU64::new(0),
            counts: Counts::default(),
        })
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Page>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request of a page's view. Earlier views of it are out of date from now on.
    ///
    /// # Errors
    /// [`NoPlace::Outdated`] where this one is already.
    pub fn enter(
        self: &Arc<Self>,
        viewer: &str,
        generation: u64,
        role: Role,
    ) -> Result<Ticket, NoPlace> {
        let id = self.clock.fetch_add(1, Ordering::Relaxed);
        let mut pages = self.pages();
        if !pages.contains_key(viewer) && pages.len() >= MOST_VIEWERS {
            let silent = pages.iter().min_by_key(|(_, page)| page.seen);
            if let Some(viewer) = silent.map(|(viewer, _)| viewer.clone()) {
                pages.remove(&viewer);
            }
        }
        let page = pages.entry(viewer.to_owned()).or_insert(Page {
            generation,
            stops: Vec::new(),
            seen: id,
        });
        page.seen = id;
        if generation < page.generation {
            self.counts.outdated.fetch_add(1, Ordering::Relaxed);
            return Err(NoPlace::Outdated);
        }
        if generation > page.generation {
            page.generation = generation;
            for (_, stop) in page.stops.drain(..) {
                stop.request();
            }
        }
        let stop = Stop::new();
        page.stops.push((id, stop.clone()));
        Ok(Ticket {
            viewers: Arc::clone(self),
            viewer: viewer.to_owned(),
            role,
            id,
            stop,
        })
    }

    /// A request that belongs to no view: a file, a search.
    #[must_use]
    pub fn enter_alone(self: &Arc<Self>, role: Role) -> Ticket {
        Ticket {
            viewers: Arc::clone(self),
            viewer: String::new(),
            role,
            id: self.clock.fetch_add(1, Ordering::Relaxed),
            stop: Stop::new(),
        }
    }

    /// How many are computed at this moment.
    #[must_use]
    pub fn under_way(&self) -> usize {
        MOST_UNDER_WAY - self.places.available_permits()
    }
}

impl Ticket {
    /// What tells its computation to stop.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Waits for a place among those that are computed.
    ///
    /// # Errors
    /// When too many wait, or the request is out of date meanwhile.
    pub async fn place(&self) -> Result<Place, NoPlace> {
        let full = |_| NoPlace::Full;
        let viewers = &self.viewers;
        let _waiting = Arc::clone(&viewers.waiting)
            .try_acquire_owned()
            .map_err(full)?;
        let is_watcher = self.role == Role::Watcher;
        let _waiting_watcher = match is_watcher {
            true => Some(viewers.waiting_watchers.try_acquire().map_err(full)?),
            false => None,
        };
        let both = async {
            let of_watchers = match is_watcher {
                true => Some(Arc::clone(&viewers.of_watchers).acquire_owned().await),
                false => None,
            };
            Ok(Place {
                _of_watchers: of_watchers.transpose().map_err(|_| NoPlace::Full)?,
                _place: (Arc::clone(&viewers.places).acquire_owned().await)
                    .map_err(|_| NoPlace::Full)?,
            })
        };
        let place = tokio::select! {
            biased;
            () = self.stop.requested() => Err(NoPlace::Outdated),
            place = both => place,
        };
        match place {
            Ok(place) => {
                self.viewers.counts.begun.fetch_add(1, Ordering::Relaxed);
                Ok(place)
            }
            Err(why) => {
                self.viewers.counts.outdated.fetch_add(1, Ordering::Relaxed);
                Err(why)
            }
        }
    }

    /// Counts a computation that ended, whole or not.
    pub fn count(&self, is_whole: bool) {
        let counts = &self.viewers.counts;
        let count = if is_whole {
            &counts.finished
        } else {
            &counts.stopped
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.stop.request();
        let mut pages = self.viewers.pages();
        if let Some(page) = pages.get_mut(&self.viewer) {
            page.stops.retain(|(id, _)| *id != self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_later_view_puts_earlier_ones_out_of_date() {
        let viewers = Viewers::new();
        let first = viewers.enter("a", 1, Role::Operator).unwrap();
        let other = viewers.enter("b", 1, Role::Operator).unwrap();
        let again = viewers.enter("a", 1, Role::Operator).unwrap();
        let _begun = first.place().await.unwrap();
        let second = viewers.enter("a", 2, Role::Operator).unwrap();
        assert!(first.stop().is_requested() && again.stop().is_requested());
        assert!(!other.stop().is_requested() && !second.stop().is_requested());
        assert_eq!(again.place().await.err(), Some(NoPlace::Outdated));
        assert_eq!(
            viewers.enter("a", 1, Role::Operator).err(),
            Some(NoPlace::Outdated)
        );
        assert_eq!(viewers.counts.outdated.load(Ordering::Relaxed), 2);
        assert_eq!(viewers.under_way(), 1);
        drop(first);
        assert_eq!(viewers.pages().get("a").unwrap().stops.len(), 1);
    }

    #[tokio::test]
    async fn those_who_wait_hear_of_it() {
        let viewers = Viewers::new();
        let all: Vec<_> = (0..MOST_UNDER_WAY)
            .map(|_| viewers.enter("a", 1, Role::Operator).unwrap())
            .collect();
        let mut places = Vec::new();
        for ticket in &all {
            places.push(ticket.place().await.unwrap());
        }
        let waiting = viewers.enter("b", 1, Role::Operator).unwrap();
        let (ended, _) = tokio::join!(waiting.place(), async {
            viewers.enter("b", 2, Role::Operator).unwrap();
        });
        assert_eq!(ended.err(), Some(NoPlace::Outdated));
        places.pop();
        assert!(
            viewers
                .enter("b", 3, Role::Operator)
                .unwrap()
                .place()
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn watchers_leave_a_place_for_others() {
        let viewers = Viewers::new();
        let tickets: Vec<_> = (0..=MOST_OF_WATCHERS)
            .map(|_| viewers.enter("a", 1, Role::Watcher).unwrap())
            .collect();
        let mut places = Vec::new();
        for ticket in &tickets[..MOST_OF_WATCHERS] {
            places.push(ticket.place().await.unwrap());
        }
        let soon = std::time::Duration::from_millis(50);
        let waits = tokio::time::timeout(soon, tickets[MOST_OF_WATCHERS].place()).await;
        assert!(waits.is_err(), "one is left");
        let other = viewers.enter_alone(Role::Operator);
        places.push(other.place().await.unwrap());
        assert_eq!(viewers.under_way(), MOST_UNDER_WAY);
    }

    #[test]
    fn of_too_many_pages_the_silent_one_is_forgotten() {
        let viewers = Viewers::new();
        for viewer in 0..=MOST_VIEWERS {
            viewers
                .enter(&viewer.to_string(), 5, Role::Operator)
                .unwrap();
            viewers
                .enter("busy", viewer as u64, Role::Operator)
                .unwrap();
        }
        assert!(viewers.pages().len() <= MOST_VIEWERS);
        assert!(viewers.pages().contains_key("busy"));
    }
}
