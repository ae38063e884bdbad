//! From elapsed times to speed-up, efficiency and overhead, as rows for people and programs.
//!
//! With `T(n)` the median time of `n` workers and `b` the fewest workers of the sweep (1, if it has that):
//! speed-up `S(n) = b T(b) / T(n)`, efficiency `S(n) / n`, and overhead `n T(n) - b T(b)`, the worker-seconds that are
//! spent beyond those of `b` workers (Grama et al., Introduction to Parallel Computing, 5.2).

use serde::Serialize;

use super::processors::plural;
use crate::terminal::tables::table;

/// No render takes less: where a clock saw no time pass, this did.
const LEAST_SECS: f64 = 1e-9;
/// Columns of the bar that stands for the longest time.
const BAR_COLUMNS: f64 = 24.0;

/// One timed render.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// From the start of the render's work to the last file in its place.
    pub elapsed_secs: f64,
    /// How many workers delivered strips.
    pub took_part: usize,
    /// Whether these had cores of their own.
    pub enough_cores: bool,
}

/// One number of workers.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// As asked for.
    pub workers: u16,
    /// The fewest that delivered strips in one of the runs.
    pub took_part: usize,
    /// Whether the workers of every run had cores of their own.
    pub enough_cores: bool,
    /// Every run's time.
    pub runs_secs: Vec<f64>,
    /// Their median.
    pub elapsed_secs: f64,
    /// How many times as fast as one worker; `None` where cores were shared, or fewer took part.
    pub speedup: Option<f64>,
    /// Speed-up by worker.
    pub efficiency: Option<f64>,
    /// Worker-seconds spent beyond those of the fewest workers.
    pub overhead_secs: Option<f64>,
}

/// A whole sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    /// Columns of the picture.
    pub width: u32,
    /// Its rows.
    pub height: u32,
    /// Its iteration limit.
    pub iterations: u64,
    /// Strips that it was cut into.
    pub strips: u32,
    /// What there was to compute with.
    pub processors: String,
    /// Runs of each number of workers.
    pub repeat: u16,
    /// Pictures that were compared and have the same bytes: one of every run, and of one before the first.
    pub same_bytes: usize,
    /// XXH3 of 128 bits of each of its files.
    pub digests: Vec<String>,
    /// By number of workers, ascending.
    pub rows: Vec<Row>,
    /// What has to be known about the figures.
    pub notes: Vec<String>,
}

/// Rows for the timed runs of each number of workers, the fewest first.
#[must_use]
pub fn rows(timed: &[(u16, Vec<Timed>)]) -> Vec<Row> {
    let mut rows: Vec<Row> = (timed.iter())
        .map(|(workers, runs)| {
            let runs_secs: Vec<f64> = runs.iter().map(|run| run.elapsed_secs).collect();
            Row {
                workers: *workers,
                took_part: runs.iter().map(|run| run.took_part).min().unwrap_or(0),
                enough_cores: runs.iter().all(|run| run.enough_cores),
                elapsed_secs: median(&runs_secs).max(LEAST_SECS),
                runs_secs,
                speedup: None,
                efficiency: None,
                overhead_secs: None,
            }
        })
        .collect();
    // Where not even the fewest had what they need there is nothing to compare with.
    let Some(base) = rows.first().filter(|row| row.is_sound()) else {
        return rows;
    };
    let base_secs = f64::from(base.workers) * base.elapsed_secs;
    for row in rows.iter_mut().filter(|row| row.is_sound()) {
        let speedup = base_secs / row.elapsed_secs;
        row.speedup = Some(speedup);
        row.efficiency = Some(speedup / f64::from(row.workers));
        row.overhead_secs = Some(f64::from(row.workers) * row.elapsed_secs - base_secs);
    }
    rows
}

/// What has to be said about them.
#[must_use]
pub fn notes(rows: &[Row], processors: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let list = |rows: &[&Row]| -> String {
        let counts: Vec<_> = rows.iter().map(|row| row.workers.to_string()).collect();
        counts.join(", ")
    };
    let crowded: Vec<&Row> = rows.iter().filter(|row| !row.enough_cores).collect();
    if !crowded.is_empty() {
        let mut note = format!(
            "fewer cores than workers ({processors}): {} {} shared cores, which says nothing of a speed-up",
            list(&crowded),
            plural(usize::from(crowded[crowded.len() - 1].workers), "worker")
        );
        let best = rows.iter().rfind(|row| row.enough_cores);
        if let (Some(best), Some(last)) = (best, crowded.last()) {
            note.push_str(&format!(
                "; {} took {:.2} times as long as {}",
                last.workers,
                last.elapsed_secs / best.elapsed_secs,
                best.workers
            ));
        }
        notes.push(note);
    }
    let idle: Vec<&Row> = (rows.iter())
        .filter(|row| row.took_part < usize::from(row.workers))
        .collect();
    if let Some(last) = idle.last() {
        notes.push(format!(
            "not all took part with {} workers (of {}, {} did): the picture is done before the others have a strip; a larger one, or lower --strip-rows, says more",
            list(&idle),
            last.workers,
            last.took_part
        ));
    }
    if let Some(base) = rows.first().filter(|row| row.workers > 1) {
        notes.push(format!(
            "without a run of one worker, {} count as {} times as fast as one",
            base.workers, base.workers
        ));
    }
    notes
}

impl Row {
    /// Whether it can say something of a speed-up.
    fn is_sound(&self) -> bool {
        self.enough_cores && self.took_part >= usize::from(self.workers)
    }

    /// The least and the greatest of its times.
    #[must_use]
    pub fn spread(&self) -> (f64, f64) {
        let runs = self.runs_secs.iter().copied();
        runs.fold((f64::INFINITY, 0.0), |(least, most), secs| {
            (least.min(secs), most.max(secs))
        })
    }
}

impl Sweep {
    /// A table with bars, and what has to be known about it.
    #[must_use]
    pub fn text(&self) -> String {
        let longest = self.rows.iter().map(|row| row.elapsed_secs);
        let longest = longest.fold(f64::MIN_POSITIVE, f64::max);
        let or_dash = |value: Option<f64>, text: fn(f64) -> String| value.map_or("-".into(), text);
        let cells = |row: &Row| {
            let (least, most) = row.spread();
            vec![
                row.workers.to_string(),
                format!("{:.3} s", row.elapsed_secs),
                format!("{least:.3} to {most:.3}"),
                or_dash(row.speedup, |speedup| format!("{speedup:.2}")),
                or_dash(row.efficiency, |share| format!("{:.0} %", 100.0 * share)),
                or_dash(row.overhead_secs, |secs| format!("{secs:.3} s")),
                bar(row.elapsed_secs / longest),
            ]
        };
        let heading = [
            "WORKERS",
            "ELAPSED",
            "RUNS",
            "SPEED-UP",
            "EFFICIENCY",
            "OVERHEAD",
            "",
        ];
        let rows: Vec<_> = self.rows.iter().map(cells).collect();
        let mut text = format!(
            "{} x {}, {} iterations, {} strips; {} run{} each; {}\n",
            self.width,
            self.height,
            self.iterations,
            self.strips,
            self.repeat,
            if self.repeat == 1 { "" } else { "s" },
            self.processors
        );
        text.push_str(&String::from_utf8_lossy(&table(&heading, &rows)));
        text.push_str(&format!(
            "all {} pictures have the same bytes\n",
            self.same_bytes
        ));
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text
    }
}

/// A bar of this share of the longest one, in eighths of a column.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * BAR_COLUMNS * 8.0).round() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// The middle one, or the mean of the two in the middle; 0 of nothing.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn timed(workers: u16, secs: &[f64], enough_cores: bool) -> (u16, Vec<Timed>) {
        let run = |&elapsed_secs: &f64| Timed {
            elapsed_secs,
            took_part: workers.into(),
            enough_cores,
        };
        (workers, secs.iter().map(run).collect())
    }

    pub fn sweep(timed: &[(u16, Vec<Timed>)]) -> Sweep {
        let rows = rows(timed);
        Sweep {
            width: 100,
            height: 120,
            iterations: 50,
            strips: 16,
            processors: "2 cores here, 1 thread a worker".to_owned(),
            repeat: 3,
            same_bytes: 9,
            digests: vec!["0".to_owned()],
            notes: notes(&rows, "2 cores here, 1 thread a worker"),
            rows,
        }
    }

    #[test]
    fn figures_are_those_of_the_textbook() {
        let sweep = sweep(&[
            timed(1, &[8.0, 9.0, 7.0], true),
            timed(2, &[5.0, 4.0, 100.0], true),
            timed(4, &[2.0, 2.0], true),
        ]);
        let rows = &sweep.rows;
        assert_eq!(
            (rows[0].speedup, rows[0].efficiency),
            (Some(1.0), Some(1.0))
        );
        assert_eq!((rows[1].elapsed_secs, rows[1].speedup), (5.0, Some(1.6)));
        assert_eq!(rows[1].efficiency, Some(0.8));
        assert_eq!(rows[1].overhead_secs, Some(2.0));
        assert_eq!(
            (rows[2].speedup, rows[2].overhead_secs),
            (Some(4.0), Some(0.0))
        );
        assert!(sweep.notes.is_empty(), "{:?}", sweep.notes);
        let text = sweep.text();
        assert!(text.contains("1.60") && text.contains("80 %"), "{text}");
        assert!(text.contains("same bytes"), "{text}");
    }

    #[test]
    fn shared_cores_claim_nothing() {
        let sweep = sweep(&[
            timed(1, &[8.0], true),
            timed(2, &[4.0], true),
            timed(3, &[4.0], false),
            timed(4, &[4.4], false),
        ]);
        let crowded = &sweep.rows[3];
        assert_eq!((crowded.speedup, crowded.efficiency), (None, None));
        assert_eq!(crowded.overhead_secs, None);
        assert_eq!(
            sweep.notes,
            [
                "fewer cores than workers (2 cores here, 1 thread a worker): 3, 4 workers shared cores, which says nothing of a speed-up; 4 took 1.10 times as long as 2"
            ]
        );
        // Nothing to compare with at all.
        let sweep = self::sweep(&[timed(2, &[4.0], false), timed(3, &[4.0], true)]);
        assert!(sweep.rows.iter().all(|row| row.speedup.is_none()));
    }

    #[test]
    fn workers_that_did_nothing_are_told() {
        let mut few = timed(3, &[4.0, 4.0], true);
        few.1[1].took_part = 2;
        let sweep = sweep(&[timed(2, &[4.0], true), few]);
        assert_eq!(sweep.rows[1].speedup, None);
        assert_eq!(sweep.notes.len(), 2, "{:?}", sweep.notes);
        assert!(sweep.notes[0].starts_with("not all took part with 3 workers (of 3, 2 did)"));
        assert!(sweep.notes[1].starts_with("without a run of one worker, 2 count as 2 times"));
    }

    #[test]
    fn bars_and_medians() {
        assert_eq!(bar(1.0).chars().count(), 24);
        assert_eq!((bar(0.0), bar(0.5 / 24.0)), (String::new(), "▌".to_owned()));
        assert_eq!(median(&[3.0, 1.0, 2.0, 10.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }
}
