//! Whose turn it is: events in the order of their times, each to whom it concerns.

use super::events::{Ask, Event};
use super::report::Report;
use super::simulation::{OUTAGE, PRESENCE, Simulation, SimulationError, digest};

impl Simulation<'_> {
    /// Lets everything happen until the last strip is there.
    ///
    /// # Errors
    /// What must not happen, and did.
    pub fn run(mut self) -> Result<Report, SimulationError> {
        while let Some((at, event)) = self.events.next() {
            self.now = at;
            if at > self.settings.limit {
                return Err(SimulationError::Late(at));
            }
            self.handle_event(event)?;
            if self.submitter.is_complete() {
                break;
            }
        }
        let journal = self.submitter.journal();
        let wrong = (0..self.settings.strips)
            .find(|slot| journal.get(slot).copied() != Some(digest(*slot)));
        if let Some(slot) = wrong {
            return Err(SimulationError::Bytes(slot));
        }
        self.report.secs = self.now.as_secs_f64();
        self.report.events = self.events.planned();
        for at in 0..self.lanes.len() {
            self.stop_computing(at);
        }
        Ok(self.report)
    }

    /// Lets an event happen.
    fn handle_event(&mut self, event: Event) -> Result<(), SimulationError> {
        // Who stands still hears of it later.
        if let Event::Answered(process, _)
        | Event::Computed(process, _)
        | Event::BeatDue(process, _)
        | Event::Poll(process, _)
        | Event::PresenceDue(process) = &event
        {
            let now = self.now;
            let Some(lane) = self.lane(*process) else {
                return Ok(());
            };
            if lane.stands_still_until > now {
                let later = lane.stands_still_until;
                self.events.plan(later, event);
                return Ok(());
            }
        }
        match event {
            Event::Arrives(process, ask) => self.serve(process, ask),
            Event::Answered(process, answer) => self.hear_answer(process, answer),
            Event::Computed(process, begun) => self.finish_computing(process, begun),
            Event::BeatDue(process, begun) => self.send_heartbeat(process, begun),
            Event::Poll(process, looks) => {
                if self.lanes[process.worker as usize].looks == looks {
                    self.look_for_strip(process);
                }
            }
            Event::PresenceDue(process) => {
                self.ask(process, Ask::Presence);
                self.events
                    .plan(self.now + PRESENCE, Event::PresenceDue(process));
            }
            Event::Crash(process) => self.crash_process(process),
            Event::Pause(process) => self.pause_process(process),
            Event::Start(worker) => self.start_process(worker),
            Event::Collect => self.collect()?,
            Event::Tick => self.tick()?,
            Event::Save => self.saved = Some(self.table.clone()),
            Event::ServerDown => {
                self.count("server restarts");
                self.down = true;
                if let Some(saved) = self.saved.take() {
                    self.table.roll_back_to(saved);
                }
                self.events.plan(self.now + OUTAGE, Event::ServerUp);
            }
            Event::ServerUp => {
                self.down = false;
                self.submitter.server_changed();
                self.plan_restart();
            }
        }
        Ok(())
    }
}
