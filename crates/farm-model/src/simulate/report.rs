//! What a run says.

use std::collections::BTreeMap;
use std::fmt;

use super::costs::Step;
use super::settings::Settings;

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Strips that are there, and were asked for.
    pub strips: u32,
    /// Workers.
    pub workers: u32,
    /// Virtual seconds until the last strip was there.
    pub secs: f64,
    /// Virtual seconds that the work takes when every worker always works and nothing is done twice.
    pub ideal_secs: f64,
    /// When 99 % of the strips were there.
    pub secs_99: f64,
    /// Seconds that workers computed, and of those for strips that came from them first.
    pub computed_secs: f64,
    /// Of those.
    pub useful_secs: f64,
    /// Seconds that the server was busy.
    pub server_secs: f64,
    /// Steps of the server by kind.
    pub steps: BTreeMap<Step, u64>,
    /// What happened, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Longest waiting line at the server, in seconds.
    pub longest_wait: f64,
    /// Events of the run.
    pub events: u64,
}

impl Report {
    /// Of what the workers could have done, how much was of use.
    #[must_use]
    pub fn efficiency(&self) -> f64 {
        self.ideal_secs / self.secs
    }

    /// Seconds of the server for one strip.
    #[must_use]
    pub fn server_secs_per_strip(&self) -> f64 {
        self.server_secs / f64::from(self.strips)
    }

    /// Steps of the server for one strip.
    #[must_use]
    pub fn steps_per_strip(&self) -> f64 {
        self.steps.values().sum::<u64>() as f64 / f64::from(self.strips)
    }

    /// Workers at which one server has no time left, for strips of `secs`.
    #[must_use]
    pub fn most_workers(&self, secs: f64) -> f64 {
        secs / self.server_secs_per_strip()
    }

    /// Of what was computed, how much was in vain.
    #[must_use]
    pub fn wasted(&self) -> f64 {
        1.0 - self.useful_secs / self.computed_secs
    }

    /// With the settings that it came of, as lines of text.
    #[must_use]
    pub fn with<'a>(&'a self, settings: &'a Settings) -> impl fmt::Display + 'a {
        ReportText(self, settings)
    }
}

struct ReportText<'a>(&'a Report, &'a Settings);

impl fmt::Display for ReportText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(report, settings) = self;
        let (strips, workers, secs) = (report.strips, report.workers, report.secs);
        writeln!(
            f,
            "{strips} strips on {workers} workers in {secs:.1} s of virtual time"
        )?;
        let ideal = report.ideal_secs;
        writeln!(
            f,
            "efficiency        {:.3} (ideal {ideal:.1} s)",
            report.efficiency()
        )?;
        writeln!(
            f,
            "tail              {:.1} s from 99 % to 100 %",
            secs - report.secs_99
        )?;
        writeln!(f, "wasted work       {:.2} %", 100.0 * report.wasted())?;
        write!(f, "steps per strip   {:.2} (", report.steps_per_strip())?;
        for (at, (step, count)) in report.steps.iter().enumerate() {
            let each = *count as f64 / f64::from(strips);
            let gap = if at == 0 { "" } else { ", " };
            write!(f, "{gap}{} {each:.2}", format!("{step:?}").to_lowercase())?;
        }
        writeln!(f, ")")?;
        let each = 1e6 * report.server_secs_per_strip();
        let busy = 100.0 * report.server_secs / secs;
        let wait = 1e3 * report.longest_wait;
        writeln!(
            f,
            "server            {each:.0} us per strip, {busy:.1} % busy, longest line {wait:.0} ms"
        )?;
        let (strip, most) = (
            settings.strip_secs,
            report.most_workers(settings.strip_secs),
        );
        writeln!(
            f,
            "one server        is the limit at {most:.0} workers with strips of {strip} s"
        )?;
        let faults: Vec<String> = (report.faults.iter())
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        write!(f, "what happened     {}", faults.join(", "))
    }
}
