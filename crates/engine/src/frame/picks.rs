//! Evenly chosen columns and rows of a frame, as samples of it.

/// Which of `all` columns or rows is the one numbered `sample` of `samples` that are evenly chosen.
pub(crate) fn index_of(sample: u32, samples: u32, all: usize) -> usize {
    sample as usize * all / samples.max(1) as usize
}

/// So many of all, evenly chosen.
pub(crate) fn picked<T: Copy>(all: &[T], samples: u32) -> Vec<T> {
    (0..samples)
        .filter_map(|sample| all.get(index_of(sample, samples, all.len())).copied())
        .collect()
}
