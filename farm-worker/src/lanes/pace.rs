//! How many strips a lane has in hand: as many as it takes to keep its device busy while the next ones, and results,
//! are on their way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// Strips of a lane that are leased or computed where the way is short: the next one is there when one is done. More
/// would be kept from other workers towards a job's end.
pub(crate) const COMPUTED_PER_LANE: usize = 2;
/// Strips of a lane where the way is short, those included that are delivered.
const IN_HAND: usize = 4;
/// Most strips that a long way adds to those leased or computed, and to those delivered.
pub(crate) const MOST_AHEAD: usize = 62;
/// Tasks of a lane: each has one strip.
pub(crate) const SLOTS_PER_LANE: usize = IN_HAND + 2 * MOST_AHEAD;
/// Round trips that pass between two looks at the queue, as they are now and then two.
const TRIPS: f64 = 1.5;

/// A number of permits that changes while they are out.
pub(crate) struct Permits {
    semaphore: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    allowed: usize,
    /// Permits that are out and do not come back.
    owed: usize,
}

/// One of them; comes back when dropped.
pub(crate) struct Permit(Arc<Permits>);

impl Permits {
    fn new(allowed: usize) -> Arc<Self> {
        Arc::new(Self {
            semaphore: Arc::new(Semaphore::new(allowed)),
            state: Mutex::new(State { allowed, owed: 0 }),
        })
    }

    /// Waits for one.
    pub(crate) async fn take(self: &Arc<Self>) -> Option<Permit> {
        // Only a semaphore that was closed has none, and nobody closes it.
        self.semaphore.acquire().await.ok()?.forget();
        Some(Permit(Arc::clone(self)))
    }

    fn allow(&self, allowed: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (more, fewer) = (
            allowed.saturating_sub(state.allowed),
            state.allowed.saturating_sub(allowed),
        );
        let forgiven = more.min(state.owed);
        state.owed -= forgiven;
        self.semaphore.add_permits(more - forgiven);
        state.owed += fewer - self.semaphore.forget_permits(fewer);
        state.allowed = allowed;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.owed {
            0 => self.0.semaphore.add_permits(1),
            _ => state.owed -= 1,
        }
    }
}

/// The permits of a lane.
pub(crate) struct Pace {
    /// Of strips in hand, those included that are delivered.
    pub(crate) in_hand: Arc<Permits>,
    /// Of strips that are leased or computed.
    pub(crate) turns: Arc<Permits>,
    /// Of strips that are computed.
    pub(crate) computing: Arc<Permits>,
    ahead: Mutex<usize>,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            in_hand: Permits::new(IN_HAND),
            turns: Permits::new(COMPUTED_PER_LANE),
            computing: Permits::new(COMPUTED_PER_LANE),
            ahead: Mutex::new(0),
        }
    }

    /// Whether more strips are leased than are computed, to bridge a long way.
    pub(crate) fn is_ahead(&self) -> bool {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) > 0
    }

    /// There is work: `trip` is how long the queue takes to answer, `strip_secs` how long the device has a strip.
    pub(crate) fn set_trip(&self, trip: Duration, strip_secs: f64) {
        self.set(ahead(trip, strip_secs));
    }

    /// There is none: whoever looks for some does so alone.
    pub(crate) fn set_dry(&self) {
        self.set(0);
    }

    fn set(&self, ahead: usize) {
        let mut now = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if *now != ahead {
            *now = ahead;
            self.turns.allow(COMPUTED_PER_LANE + ahead);
            self.in_hand.allow(IN_HAND + 2 * ahead);
        }
    }
}

/// Strips that a device would finish while an answer is on its way.
fn ahead(trip: Duration, strip_secs: f64) -> usize {
    if strip_secs <= 0.0 {
        // None was computed yet.
        return 0;
    }
    // As many as are computed at a time share the device.
    let between = strip_secs / COMPUTED_PER_LANE as f64;
    let strips = TRIPS * trip.as_secs_f64() / between;
    (strips.round() as usize).min(MOST_AHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_ahead_as_the_way_asks_for() {
        let ms = Duration::from_millis;
        for (trip, strip_secs, expected) in [
            (ms(0), 0.1, 0),
            (ms(1), 0.1, 0),
            (ms(100), 0.11, 3),
            (ms(100), 10.0, 0),
            (ms(50), 0.001, MOST_AHEAD),
            (ms(50), 0.0, 0),
        ] {
            assert_eq!(ahead(trip, strip_secs), expected, "{trip:?} {strip_secs}");
        }
    }

    #[tokio::test]
    async fn permits_that_are_out_when_fewer_are_allowed_do_not_come_back() {
        let permits = Permits::new(1);
        let free = |permits: &Permits| permits.semaphore.available_permits();
        permits.allow(5);
        let mut out = Vec::new();
        for _ in 0..4 {
            out.push(permits.take().await);
        }
        permits.allow(2);
        assert_eq!((free(&permits), permits.state.lock().unwrap().owed), (0, 2));
        out.pop();
        assert_eq!(free(&permits), 0);
        permits.allow(3);
        drop(out);
        assert_eq!((free(&permits), permits.state.lock().unwrap().owed), (3, 0));
    }
}
