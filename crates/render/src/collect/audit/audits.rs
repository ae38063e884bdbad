//! Audits: some strips are computed a second time by another worker, and compared. Decided without I/O.
//!
//! Buffers of the same kernel, arithmetic and kind of device have the same bits; others agree but for a few
//! pixels. Where two do not agree, this process computes the strip itself on its processor if either was made on
//! one; else a third worker is asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use farm_queue::{Issue, Order};
use fractal::{Backend, Strip, StripBuffer};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::agreement::agree;

/// How long an audit may be out before this process does it itself.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often a third worker is asked for before a dispute is left open.
const MOST_ASKED: u32 = 5;

/// A strip whose audit is not over.
#[derive(Debug)]
struct Open {
    buffer: Arc<StripBuffer>,
    maker: String,
    since: Instant,
    /// Who said otherwise, and what.
    other: Option<(String, Arc<StripBuffer>)>,
    asked: u32,
}

/// All audits of a job.
#[derive(Debug)]
pub struct Audits {
    /// Strips of a hundred.
    share: u8,
    open: BTreeMap<u32, Open>,
    /// Audits that ended well, by who made the second buffer.
    settled: HashMap<String, u64>,
}

/// What follows from a second buffer.
#[derive(Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing, or all is well.
    Nothing,
    /// Another audit is to be queued.
    Order(Order),
    /// This process is to compute the strip.
    Compute(Strip),
    /// These workers delivered what is not so.
    Wrong(Vec<String>),
}

impl Audits {
    /// Of `share` strips of a hundred.
    #[must_use]
    pub fn new(share: u8) -> Self {
        Self {
            share,
            open: BTreeMap::new(),
            settled: HashMap::new(),
        }
    }

    /// A strip came from `maker`: what to queue for its audit, where it has one.
    pub fn came(&mut self, buffer: &Arc<StripBuffer>, maker: &str, now: Instant) -> Option<Order> {
        let strip = buffer.strip;
        if !chosen(strip, self.share) {
            return None;
        }
        let open = Open {
            buffer: Arc::clone(buffer),
            maker: maker.to_owned(),
            since: now,
            other: None,
            asked: 0,
        };
        let order = open.order();
        self.open.insert(strip.index, open);
        Some(order)
    }

    /// A second buffer came from `auditor`.
    pub fn heard(&mut self, buffer: Arc<StripBuffer>, auditor: &str, now: Instant) -> Finding {
        let strip = buffer.strip;
        let Some(open) = self.open.get_mut(&strip.index) else {
            return Finding::Nothing;
        };
        if auditor == open.maker {
            // Nobody audits himself, whatever the queue says.
            open.asked += 1;
            open.since = now;
            return match open.buffer.origin.backend {
                _ if open.asked <= MOST_ASKED => Finding::Order(open.order()),
                Backend::Cpu => Finding::Compute(strip),
                Backend::Gpu => {
                    self.open.remove(&strip.index);
                    Finding::Nothing
                }
            };
        }
        if agree(&open.buffer, &buffer) {
            let worker = open.other.take().map(|(other, _)| other);
            self.open.remove(&strip.index);
            *self.settled.entry(auditor.to_owned()).or_default() += 1;
            return match worker {
                Some(worker) if worker != auditor => Finding::Wrong(vec![worker]),
                _ => Finding::Nothing,
            };
        }
        match &open.other {
            // A third one, who agrees with the second.
            Some((other, theirs)) if other != auditor && agree(theirs, &buffer) => {
                let worker = self.open.remove(&strip.index).map(|open| open.maker);
                return Finding::Wrong(worker.into_iter().collect());
            }
            _ => {}
        }
        let on_processor = |buffer: &StripBuffer| buffer.origin.backend == Backend::Cpu;
        let here = on_processor(&open.buffer) || on_processor(&buffer);
        if open.other.is_none() {
            open.other = Some((auditor.to_owned(), buffer));
        }
        open.since = now;
        if here {
            return Finding::Compute(strip);
        }
        open.asked += 1;
        if open.asked > MOST_ASKED {
            tracing::warn!(
                strip = strip.index,
                "workers do not agree on a strip, and no third one says who is right"
            );
            self.open.remove(&strip.index);
            return Finding::Nothing;
        }
        Finding::Order(open.order())
    }

    /// This process computed the strip itself.
    pub fn compare_with_own(&mut self, own: &StripBuffer, now: Instant) -> Finding {
        let Some(open) = self.open.get_mut(&own.strip.index) else {
            return Finding::Nothing;
        };
        let other = open.other.take();
        let mut wrong = Vec::new();
        let order = match other {
            Some((other, theirs)) if !agree(&theirs, own) => {
                wrong.push(other);
                open.since = now;
                Some(open.order())
            }
            _ => None,
        };
        if !agree(&open.buffer, own) {
            wrong.push(open.maker.clone());
            self.open.remove(&own.strip.index);
        } else if order.is_none() {
            self.open.remove(&own.strip.index);
            *self.settled.entry(String::new()).or_default() += 1;
        }
        // The audit that a wrong worker spoilt is still open: `order` has it.
        if wrong.is_empty() {
            Finding::Nothing
        } else {
            Finding::Wrong(wrong)
        }
    }

    /// A worker lied: what it said of others counts for nothing, and what it made is audited when it comes anew.
    pub fn discard_worker(&mut self, worker: &str) {
        self.settled.remove(worker);
        self.open.retain(|_, open| open.maker != worker);
        for open in self.open.values_mut() {
            if open
                .other
                .as_ref()
                .is_some_and(|(other, _)| other == worker)
            {
                open.other = None;
            }
        }
    }

    /// Nobody computes this strip's audit.
    pub fn drop(&mut self, strip: u32) {
        self.open.remove(&strip);
    }

    /// The order for a strip's audit, if it is open.
    pub fn order(&self, strip: u32) -> Option<Order> {
        self.open.get(&strip).map(Open::order)
    }

    /// Orders for all open audits, where the queue may have lost them.
    pub fn orders(&self) -> Vec<Order> {
        self.open.values().map(Open::order).collect()
    }

    /// Audits that nobody did in time, each with whether this process can; they are due again later.
    pub fn overdue(&mut self, patience: Duration, now: Instant) -> Vec<(Strip, bool)> {
        let late = |open: &&mut Open| now.saturating_duration_since(open.since) >= patience;
        let due = |open: &mut Open| {
            open.since = now;
            (
                open.buffer.strip,
                open.buffer.origin.backend == Backend::Cpu,
            )
        };
        self.open.values_mut().filter(late).map(due).collect()
    }

    /// The oldest audits beyond `most`, each with whether this process can do it; they are due again later.
    pub fn beyond(&mut self, most: u32, now: Instant) -> Vec<(Strip, bool)> {
        let beyond = self.open.len().saturating_sub(most as usize);
        let mut oldest: Vec<&mut Open> = (self.open.values_mut())
            .filter(|open| open.since <= now)
            .collect();
        oldest.sort_by_key(|open| open.since);
        let due = |open: &mut Open| {
            open.since = now + PATIENCE;
            let here = open.buffer.origin.backend == Backend::Cpu;
            (open.buffer.strip, here)
        };
        oldest.into_iter().take(beyond).map(due).collect()
    }

    /// Audits that are not over.
    #[must_use]
    pub fn open(&self) -> u32 {
        self.open.len() as u32
    }

    /// Audits that ended well.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.settled.values().sum()
    }
}

impl Open {
    fn order(&self) -> Order {
        Order {
            strip: self.buffer.strip,
            issue: Issue::Audit,
            not: Some(self.maker.clone()),
            extra: false,
        }
    }
}

/// Whether a strip is among `share` of a hundred: the same ones in every run.
fn chosen(strip: Strip, share: u8) -> bool {
    let bytes = [strip.index, strip.row0, strip.rows].map(u32::to_le_bytes);
    xxh3_64_with_seed(bytes.as_flattened(), 0) % 100 < u64::from(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fractal::{Arithmetic, Measure, Origin, Plane};

    const STRIP: Strip = Strip {
        index: 3,
        row0: 12,
        rows: 1,
    };

    /// A strip of a hundred pixels.
    fn buffer(backend: Backend, change: impl Fn(&mut Vec<f32>)) -> Arc<StripBuffer> {
        let mut values: Vec<f32> = (0..100).map(|x| x as f32).collect();
        change(&mut values);
        Arc::new(StripBuffer {
            strip: STRIP,
            width: 100,
            planes: vec![Plane::new(Measure::Smooth, values)],
            iterations_total: 5000,
            settling: fractal::Settling::default(),
            origin: Origin {
                backend,
                arithmetic: match backend {
                    Backend::Cpu => Arithmetic::F64,
                    Backend::Gpu => Arithmetic::F32,
                },
                device: String::new(),
                kernel_id: 1,
            },
            busy_secs: 0.1,
        })
    }

    fn right(backend: Backend) -> Arc<StripBuffer> {
        buffer(backend, |_| {})
    }

    /// One bit flipped.
    fn wrong(backend: Backend) -> Arc<StripBuffer> {
        buffer(backend, |values| {
            values[50] = f32::from_bits(values[50].to_bits() ^ 1);
        })
    }

    fn audited(first: &Arc<StripBuffer>) -> Audits {
        let mut audits = Audits::new(100);
        let order = audits.came(first, "maker", Instant::now()).unwrap();
        assert_eq!(
            (order.issue, order.not.as_deref()),
            (Issue::Audit, Some("maker"))
        );
        audits
    }

    use Backend::{Cpu, Gpu};

    #[test]
    fn a_share_of_strips_is_chosen_and_always_the_same() {
        let strip = |index| Strip {
            index,
            row0: index * 7,
            rows: 7,
        };
        let of = |share| {
            (0..10_000)
                .filter(|index| chosen(strip(*index), share))
                .count()
        };
        assert_eq!((of(0), of(100)), (0, 10_000));
        assert!((400..600).contains(&of(5)), "{}", of(5));
        // By the strip alone: whatever a share takes, a larger share takes as well.
        let taken = |share| (0..10_000).filter(move |index| chosen(strip(*index), share));
        assert!(taken(5).all(|index| chosen(strip(index), 20)));
    }

    #[test]
    fn the_same_bits_settle_an_audit() {
        let mut audits = audited(&right(Cpu));
        let finding = audits.heard(right(Cpu), "other", Instant::now());
        assert_eq!(finding, Finding::Nothing);
        assert_eq!((audits.open(), audits.settled()), (0, 1));
    }

    #[test]
    fn one_flipped_bit_is_found_and_pinned_on_who_flipped_it() {
        let now = Instant::now();
        let mut audits = audited(&wrong(Cpu));
        assert_eq!(
            audits.heard(right(Cpu), "other", now),
            Finding::Compute(STRIP)
        );
        let found = audits.compare_with_own(&right(Cpu), now);
        assert_eq!(found, Finding::Wrong(vec!["maker".into()]));
        assert_eq!((audits.open(), audits.settled()), (0, 0));

        let mut audits = audited(&right(Cpu));
        assert_eq!(
            audits.heard(wrong(Cpu), "other", now),
            Finding::Compute(STRIP)
        );
        let found = audits.compare_with_own(&right(Cpu), now);
        assert_eq!(found, Finding::Wrong(vec!["other".into()]));
        assert_eq!(
            audits.open(),
            1,
            "the audit of a wrong worker counts for nothing"
        );
        assert_eq!(audits.orders().len(), 1);
    }

    #[test]
    fn among_adapters_a_third_one_decides() {
        let now = Instant::now();
        for (first, second, worker) in [
            (right(Gpu), wrong(Gpu), "other"),
            (wrong(Gpu), right(Gpu), "maker"),
        ] {
            let mut audits = audited(&first);
            assert!(matches!(
                audits.heard(Arc::clone(&second), "other", now),
                Finding::Order(_)
            ));
            assert!(matches!(
                audits.heard(second, "other", now),
                Finding::Order(_)
            ));
            let found = audits.heard(right(Gpu), "third", now);
            assert_eq!(found, Finding::Wrong(vec![worker.into()]));
        }
        let mut audits = audited(&right(Gpu));
        for _ in 0..MOST_ASKED {
            assert!(matches!(
                audits.heard(wrong(Gpu), "other", now),
                Finding::Order(_)
            ));
        }
        assert_eq!(audits.heard(wrong(Gpu), "other", now), Finding::Nothing);
        assert_eq!((audits.open(), audits.settled()), (0, 0));
    }

    #[test]
    fn other_kernels_may_differ_in_a_few_pixels() {
        let now = Instant::now();
        for (differing, well) in [(2, true), (3, false)] {
            let gpu = buffer(Gpu, |values| {
                values
                    .iter_mut()
                    .skip(40)
                    .take(differing)
                    .for_each(|v| *v = 0.0);
                values[90] *= 1.0001;
            });
            let mut audits = audited(&right(Cpu));
            let found = audits.heard(gpu, "other", now);
            assert_eq!(found == Finding::Nothing, well, "{found:?}");
        }
    }

    #[test]
    fn nobody_audits_himself() {
        let now = Instant::now();
        let mut audits = audited(&wrong(Cpu));
        for _ in 0..MOST_ASKED {
            let finding = audits.heard(wrong(Cpu), "maker", now);
            assert!(matches!(finding, Finding::Order(_)), "{finding:?}");
        }
        let finding = audits.heard(wrong(Cpu), "maker", now);
        assert_eq!(finding, Finding::Compute(STRIP));
        assert_eq!((audits.open(), audits.settled()), (1, 0));
    }

    #[test]
    fn what_is_beyond_a_limit_is_due_at_once_and_oldest_first() {
        let now = Instant::now();
        let mut audits = audited(&right(Cpu));
        assert_eq!(audits.beyond(1, now + PATIENCE / 2), []);
        assert_eq!(audits.beyond(0, now + PATIENCE / 2), [(STRIP, true)]);
        assert_eq!(
            audits.beyond(0, now + PATIENCE / 2),
            [],
            "not twice at once"
        );
        assert_eq!(audits.open(), 1);
    }

    #[test]
    fn what_a_wrong_worker_settled_does_not_count() {
        let mut audits = audited(&right(Cpu));
        let _ = audits.heard(right(Cpu), "other", Instant::now());
        audits.discard_worker("other");
        assert_eq!(audits.settled(), 0);
        let mut audits = audited(&right(Cpu));
        audits.discard_worker("maker");
        assert_eq!(audits.open(), 0, "its strips come anew");
    }

    #[test]
    fn what_nobody_audits_is_done_here_where_it_can_be() {
        let now = Instant::now();
        for (backend, here) in [(Cpu, true), (Gpu, false)] {
            let mut audits = audited(&right(backend));
            assert_eq!(audits.overdue(PATIENCE, now), []);
            let late = now + 2 * PATIENCE;
            assert_eq!(audits.overdue(PATIENCE, late), [(STRIP, here)]);
            assert_eq!(audits.overdue(PATIENCE, late), [], "not twice at once");
        }
        let mut audits = audited(&right(Cpu));
        assert_eq!(audits.compare_with_own(&right(Cpu), now), Finding::Nothing);
        assert_eq!((audits.open(), audits.settled()), (0, 1));
        let mut audits = audited(&wrong(Cpu));
        let found = audits.compare_with_own(&right(Cpu), now);
        assert_eq!(found, Finding::Wrong(vec!["maker".into()]));
    }
}
