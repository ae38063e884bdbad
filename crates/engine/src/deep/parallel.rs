//! Tables filled by several threads.

/// Fewest values that are worth a thread of their own.
const SHARE: usize = 1 << 13;
const MOST_THREADS: usize = 16;

/// `one(0)` to `one(count - 1)`, by several threads where that pays.
pub(super) fn parallel_map<T: Clone + Default + Send>(
    count: usize,
    one: &(dyn Fn(usize) -> T + Sync),
) -> Vec<T> {
    let threads = fractal::threads::available();
    let threads = threads.min(count / SHARE).clamp(1, MOST_THREADS);
    let mut all = vec![T::default(); count];
    let parts: Vec<_> = all.chunks_mut(SHARE).enumerate().collect();
    let parts = std::sync::Mutex::new(parts);
    let work = || {
        while let Some((part, entries)) = parts.lock().ok().and_then(|mut parts| parts.pop()) {
            for (i, entry) in entries.iter_mut().enumerate() {
                *entry = one(part * SHARE + i);
            }
        }
    };
    std::thread::scope(|scope| {
        for i in 1..threads {
            let named = std::thread::Builder::new().name(format!("bla-{i}"));
            // Those that cannot be started leave their share to the others.
            let _ = named.spawn_scoped(scope, work);
        }
        work();
    });
    drop(parts);
    all
}
