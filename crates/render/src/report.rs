//! What a render says when it is done: one line for people, one JSON object for programs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use fractal::{Counts, Settling, StripBuffer};
use serde::Serialize;

/// What was delivered, by whom.
#[derive(Debug, Default)]
pub struct Tally {
    by_device: BTreeMap<Arc<Device>, WorkerReport>,
    workers: BTreeSet<String>,
    /// What was counted of each strip, so that one that comes anew replaces what it was.
    strips: HashMap<u32, Counted>,
    iterations_total: u128,
    settling: Settling,
    /// Deliveries beyond the first of each strip.
    pub redelivered: u64,
    /// Results that were malformed, truncated, oversized or foreign.
    pub rejected: u64,
    /// Strips that came from the journal of an earlier process.
    pub resumed: u64,
    /// Strips that were queued once more because an earlier result of theirs may be lost.
    pub recomputed: u64,
    /// Strips of a slow worker that were queued once more towards the end.
    pub speculated: u64,
    /// Strips that were computed a second time and compared.
    pub audited: u64,
}

/// A strip's share of the tally.
#[derive(Debug)]
struct Counted {
    device: Arc<Device>,
    iterations: u128,
    settling: Settling,
    pixels: u64,
    busy_secs: f64,
}

/// Worker, back end and device.
type Device = (String, &'static str, String);

impl Tally {
    /// Counts a strip's buffer, instead of an earlier one.
    pub fn count(&mut self, buffer: &StripBuffer, worker: &str, attempt: u32) {
        if let Some(earlier) = self.strips.remove(&buffer.strip.index) {
            self.iterations_total -= earlier.iterations;
            self.settling -= earlier.settling;
            if let Some(entry) = self.by_device.get_mut(&*earlier.device) {
                entry.strips -= 1;
                entry.pixels -= earlier.pixels;
                entry.busy_secs -= earlier.busy_secs;
            }
        }
        self.iterations_total += buffer.iterations_total;
        self.settling += buffer.settling;
        self.redelivered += u64::from(attempt.saturating_sub(1));
        self.workers.insert(worker.to_owned());
        let (backend, device) = (buffer.origin.backend.name(), buffer.origin.device.clone());
        let key = Arc::new((worker.to_owned(), backend, device.clone()));
        let entry = self
            .by_device
            .entry(Arc::clone(&key))
            .or_insert_with(|| WorkerReport {
                name: worker.to_owned(),
                backend,
                arithmetic: buffer.origin.arithmetic.name(),
                device,
                strips: 0,
                pixels: 0,
                busy_secs: 0.0,
            });
        let pixels = buffer.pixels() as u64;
        entry.strips += 1;
        entry.pixels += pixels;
        entry.busy_secs += buffer.busy_secs;
        let counted = Counted {
            // One copy of the name a device.
            device: (self.by_device.get_key_value(&key)).map_or(key, |(key, _)| Arc::clone(key)),
            iterations: buffer.iterations_total,
            settling: buffer.settling,
            pixels,
            busy_secs: buffer.busy_secs,
        };
        self.strips.insert(buffer.strip.index, counted);
    }

    /// Strips by worker.
    #[must_use]
    pub fn strips_by_worker(&self) -> BTreeMap<String, u64> {
        let mut strips = BTreeMap::new();
        for device in self.by_device.values() {
            *strips.entry(device.name.clone()).or_default() += device.strips;
        }
        strips
    }

    /// How many workers have delivered.
    #[must_use]
    pub fn workers_seen(&self) -> usize {
        self.workers.len()
    }
}

/// One device of one worker.
#[derive(Clone, Debug, Serialize)]
pub struct WorkerReport {
    name: String,
    backend: &'static str,
    arithmetic: &'static str,
    device: String,
    strips: u64,
    pixels: u64,
    busy_secs: f64,
}

/// A file that was written.
#[derive(Clone, Debug, Serialize)]
pub struct OutputReport {
    /// Where; what is no Unicode of it is replaced.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
    /// Seconds that its thread worked.
    pub busy_secs: f64,
}

/// The whole render.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Name of the job.
    pub job: String,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixels.
    pub pixels: u64,
    /// Sum of the pixels' counts, the limit for those inside.
    pub iterations_total: u128,
    /// How counts were made.
    pub counts: Counts,
    /// What it took to settle them, where they are settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settling: Option<Settling>,
    /// From the start of the program's work to the last file in its place.
    pub elapsed_secs: f64,
    /// Strips.
    pub strips: u32,
    /// Deliveries beyond the first of each strip.
    pub redelivered: u64,
    /// Results thrown away because they were malformed.
    pub rejected: u64,
    /// Strips taken from the journal.
    pub resumed: u64,
    /// Strips computed again because an earlier result of theirs may be lost.
    pub recomputed: u64,
    /// Strips of slow workers that others were given as well.
    pub speculated: u64,
    /// Strips computed a second time and compared.
    pub audited: u64,
    /// Values at the palette's ends, where it has such; else 0 and 1.
    pub colour_range: (f64, f64),
    /// Files.
    pub outputs: Vec<OutputReport>,
    /// Devices that took part.
    pub workers: Vec<WorkerReport>,
}

impl Report {
    /// Adds what was delivered.
    pub fn set_tally(&mut self, tally: &Tally) {
        self.iterations_total = tally.iterations_total;
        self.settling = (self.counts == Counts::Settled).then_some(tally.settling);
        self.redelivered = tally.redelivered;
        self.rejected = tally.rejected;
        self.resumed = tally.resumed;
        self.recomputed = tally.recomputed;
        self.speculated = tally.speculated;
        self.audited = tally.audited;
        let took_part = tally.by_device.values().filter(|device| device.strips > 0);
        self.workers = took_part.cloned().collect();
    }

    /// Names of the workers that took part, each once.
    #[must_use]
    pub fn worker_names(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.workers.iter().map(|worker| &worker.name).collect();
        names.into_iter().cloned().collect()
    }

    /// Strips by worker.
    #[must_use]
    pub fn strips_by_worker(&self) -> Vec<(String, u64)> {
        let mut strips = BTreeMap::<&String, u64>::new();
        for device in &self.workers {
            *strips.entry(&device.name).or_default() += device.strips;
        }
        let owned = |(name, strips): (&String, u64)| (name.clone(), strips);
        strips.into_iter().map(owned).collect()
    }

    /// One line for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let files: Vec<_> = self
            .outputs
            .iter()
            .map(|output| output.path.clone())
            .collect();
        let devices: Vec<_> = self
            .workers
            .iter()
            .map(|worker| format!("{} ({})", worker.name, worker.device))
            .collect();
        let megapixels = self.pixels as f64 / 1e6;
        let mut line = format!(
            "{}: {} x {} = {megapixels:.1} Mpx in {:.2} s, {:.1} Mpx/s, by {}",
            files.join(", "),
            self.width,
            self.height,
            self.elapsed_secs,
            megapixels / self.elapsed_secs,
            devices.join(", ")
        );
        if let Some(settling) = self.settling {
            line.push_str(&format!("; {}", settling.words()));
        }
        if self.redelivered + self.rejected > 0 {
            line.push_str(&format!(
                "; {} strips delivered again, {} rejected",
                self.redelivered, self.rejected
            ));
        }
        if self.resumed > 0 {
            line.push_str(&format!("; {} strips from the journal", self.resumed));
        }
        line
    }
}
