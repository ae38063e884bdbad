//! What is known of a farm's speed before it is used.

use serde::Serialize;

/// How fast a farm is, and how soon it is there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FarmFigures {
    /// Iterations a second of the workers that would take part; `None` where nobody measured them, 0 where there are
    /// none.
    pub speed: Option<u64>,
    /// Seconds until they are there: 0 when they are.
    pub boot_secs: f64,
    /// Whether that is a guess: the network was never booted here.
    pub guessed: bool,
}

/// Iterations a second of the fastest workers that may take part; `None` when one of them was not measured, or there
/// is none.
#[must_use]
pub fn together(mut speeds: Vec<u64>, workers: Option<u16>) -> Option<u64> {
    speeds.sort_unstable_by(|a, b| b.cmp(a));
    if let Some(most) = workers {
        speeds.truncate(usize::from(most));
    }
    let measured = !speeds.is_empty() && speeds.iter().all(|speed| *speed > 0);
    measured.then(|| speeds.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn the_fastest_workers_take_part() {
        assert_eq!(together(vec![1, 5, 3], None), Some(9));
        assert_eq!(together(vec![1, 5, 3], Some(2)), Some(8));
        assert_eq!(together(vec![1, 0], None), None);
        assert_eq!(together(vec![], None), None);
    }
}
