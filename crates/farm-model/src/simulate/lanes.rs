//! What workers do.

use std::time::Duration;

use farm_queue::LeaseState;

use super::events::{Answer, Ask, Event};
use super::process::Process;
use super::simulation::{POLL_WAITS, REBIRTH, Simulation, secs};
use crate::worker::Stage;

impl Simulation<'_> {
    pub(super) fn start_process(&mut self, worker: u32) {
        let lane = &mut self.lanes[worker as usize];
        lane.alive = true;
        lane.stands_still_until = Duration::ZERO;
        lane.adopts = false;
        let process = lane.machine.process;
        let crash = self.dice.until(self.settings.crashes_per_hour / 3600.0);
        let pause = self.dice.until(self.settings.pauses_per_hour / 3600.0);
        self.events.plan(self.now, Event::PresenceDue(process));
        self.plan_look(process, self.now);
        self.events
            .plan(self.now + secs(crash), Event::Crash(process));
        self.events
            .plan(self.now + secs(pause), Event::Pause(process));
    }

    /// Counts what a lane computed up to now.
    pub(super) fn stop_computing(&mut self, at: usize) {
        let lane = &self.lanes[at];
        if matches!(lane.machine.hand, Some((_, Stage::Leased))) {
            self.report.computed_secs += self.now.saturating_sub(lane.since).as_secs_f64();
        }
    }

    pub(super) fn crash_process(&mut self, process: Process) {
        if self.lane(process).is_none() {
            return;
        }
        self.count("crashes");
        self.stop_computing(process.worker as usize);
        let lane = &mut self.lanes[process.worker as usize];
        lane.alive = false;
        lane.machine.crash(Process {
            start: process.start + 1,
            ..process
        });
        self.idle.remove(&process.worker);
        self.events
            .plan(self.now + REBIRTH, Event::Start(process.worker));
    }

    pub(super) fn pause_process(&mut self, process: Process) {
        let until = self.now + self.settings.lease.mul_f64(4.0 * self.dice.uniform());
        let Some(lane) = self.lane(process) else {
            return;
        };
        lane.stands_still_until = until;
        self.count("pauses");
        let next = self.dice.until(self.settings.pauses_per_hour / 3600.0);
        self.events.plan(until + secs(next), Event::Pause(process));
    }

    pub(super) fn look_for_strip(&mut self, process: Process) {
        self.idle.remove(&process.worker);
        let now = self.now;
        let Some(lane) = self
            .lane(process)
            .filter(|lane| lane.machine.hand.is_none())
        else {
            return;
        };
        lane.looks += 1;
        let ask = if lane.adopts {
            Ask::Adopt
        } else {
            Ask::Look {
                claim: now >= lane.next_scan,
            }
        };
        self.ask(process, ask);
    }

    pub(super) fn plan_look(&mut self, process: Process, at: Duration) {
        let looks = self.lanes[process.worker as usize].looks;
        self.events.plan(at, Event::Poll(process, looks));
    }

    pub(super) fn hear_answer(&mut self, process: Process, answer: Answer) {
        let now = self.now;
        let (jitter, scan) = (0.75 + 0.25 * self.dice.uniform(), self.settings.lease / 4);
        let gentle = self.settings.gentle;
        let Some(lane) = self.lane(process) else {
            return;
        };
        match answer {
            Answer::Looked { taken: None, claim } => {
                if std::mem::take(&mut lane.adopts) {
                    self.look_for_strip(process);
                } else if claim {
                    lane.next_scan = now + scan.mul_f64(jitter);
                    self.ask(process, Ask::Look { claim: false });
                } else {
                    let (soon, later) = POLL_WAITS;
                    let wait = if gentle {
                        later.min(soon * (1 << lane.in_vain.min(10)))
                    } else {
                        ((now - lane.last_lease) / 2).clamp(soon, later)
                    };
                    lane.in_vain += 1;
                    self.idle.insert(process.worker);
                    self.plan_look(process, now + wait);
                }
            }
            Answer::Looked {
                taken: Some(taken), ..
            } => {
                let slot = taken.entry.slot;
                lane.machine.begin(Some(taken));
                lane.begun += 1;
                lane.in_vain = 0;
                (lane.since, lane.last_lease) = (now, now);
                let (begun, speed) = (lane.begun, lane.speed);
                let takes = f64::from(self.work[slot as usize]) / speed;
                self.idle.remove(&process.worker);
                self.events
                    .plan(now + secs(takes), Event::Computed(process, begun));
                let beat = now + self.settings.lease / 3;
                self.events.plan(beat, Event::BeatDue(process, begun));
            }
            Answer::Beaten(state) => {
                if state != LeaseState::Held && lane.machine.hand.is_some() {
                    self.stop_computing(process.worker as usize);
                    self.lanes[process.worker as usize]
                        .machine
                        .hear_heartbeat(state);
                    self.count("stopped");
                    self.look_for_strip(process);
                }
            }
            Answer::Delivered(committed) => {
                lane.machine.hear_commit(committed);
                self.look_for_strip(process);
            }
            Answer::TimedOut(Ask::Look { .. } | Ask::Adopt) => {
                lane.adopts = true;
                self.look_for_strip(process);
            }
            Answer::TimedOut(Ask::Deliver(taken)) => self.ask(process, Ask::Deliver(taken)),
            Answer::TimedOut(Ask::Beat(_) | Ask::Presence) => {}
        }
    }

    pub(super) fn finish_computing(&mut self, process: Process, begun: u64) {
        let at = process.worker as usize;
        if self.lanes[at].begun != begun || self.lanes[at].machine.hand.is_none() {
            return;
        }
        self.stop_computing(at);
        let machine = &mut self.lanes[at].machine;
        machine.compute();
        if let Some((taken, _)) = machine.hand.clone() {
            self.ask(process, Ask::Deliver(taken));
        }
    }

    pub(super) fn send_heartbeat(&mut self, process: Process, begun: u64) {
        let lane = &self.lanes[process.worker as usize];
        if lane.begun != begun {
            return;
        }
        if let Some((taken, Stage::Leased)) = lane.machine.hand.clone() {
            self.ask(process, Ask::Beat(taken));
            let next = self.now + self.settings.lease / 3;
            self.events.plan(next, Event::BeatDue(process, begun));
        }
    }
}
