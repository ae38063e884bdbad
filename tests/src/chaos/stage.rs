//! One farm of a run: its server, workers and submitter, what is done to them, and how it is undone.

use std::time::{Duration, Instant};

use farm_queue::JobId;
use rustix::process::Signal;
use tempfile::TempDir;

use super::Settings;
use super::crew::{Member, Submitter};
use super::dice::Dice;
use super::fault::Kind;
use super::watch::Watch;
use crate::aof::boundaries;
use crate::programs::submitter;
use crate::proxy::Network;
use crate::server::{Persistence, Server};

/// Workers of a farm.
pub const WORKERS: usize = 4;
/// A submitter that is younger is not killed: its journal is not on the disk yet, so that nobody could know
/// of its job.
const SUBMITTER_AGE: Duration = Duration::from_millis(1800);

/// A farm on which things go wrong.
#[derive(Debug)]
pub struct Stage {
    /// Its server.
    pub server: Server,
    /// Its workers.
    pub crew: Vec<Member>,
    /// Its submitter.
    pub submitter: Submitter,
    /// Where the submitter writes.
    pub folder: TempDir,
    /// Measures it.
    pub watch: Watch,
    job: Option<JobId>,
    dice: Dice,
    server_is_up: bool,
    undo: Vec<(Instant, Undo)>,
    /// When it is looked next whether the job is paused.
    next_look: Instant,
}

/// What puts an end to a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undo {
    /// Wakes a frozen worker, if it is still that process.
    Wake {
        member: usize,
        generation: usize,
    },
    /// Heals the network of a worker, or of the submitter (after the last worker).
    Heal(usize),
    Restart(Comeback),
    Memory,
    Policy,
    Resume,
}

/// With what a dead server comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comeback {
    Log,
    Nothing,
    /// Its log without its last records.
    Torn(usize),
}

impl Stage {
    /// A farm, of which `pretenders` workers only take their time.
    #[must_use]
    pub fn set(scene: &str, pretenders: usize, dice: Dice) -> Self {
        let server = Server::start_keeping(Persistence::EverySec, &[]);
        let crew = (0..WORKERS)
            .map(|number| Member::new(number, server.port(), number >= WORKERS - pretenders))
            .collect();
        Self {
            crew,
            submitter: Submitter::new(server.port(), scene),
            folder: crate::folder(),
            watch: Watch::new(&server),
            job: None,
            dice,
            server_is_up: true,
            undo: Vec::new(),
            next_look: Instant::now(),
            server,
        }
    }

    /// Starts what should run and does not, undoes what is over, and looks on.
    ///
    /// # Errors
    /// What a program said that broke by a fault of its own.
    pub fn tend(&mut self, settings: &Settings) -> Result<(), String> {
        let now = Instant::now();
        while let Some(at) = self.undo.iter().position(|(due, _)| *due <= now) {
            let (_, undo) = self.undo.swap_remove(at);
            self.undo(undo);
        }
        for member in &mut self.crew {
            member.tend(settings)?;
        }
        if self.job.is_none() {
            let jobs: Vec<String> = self
                .ask(&["ZRANGE", "mf:jobs", "0", "-1"])
                .unwrap_or_default();
            self.job = jobs.first().and_then(|name| JobId::parse(name));
        }
        self.unpause(now);
        // As people do: sometimes by name, sometimes with the same command again.
        let by_name = self.dice.once_in(2);
        let job = self.job.as_ref().map(JobId::as_str);
        (self.submitter).tend(self.folder.path(), job.filter(|_| by_name));
        if let Some(job) = self.job.as_ref().filter(|_| self.server_is_up) {
            self.watch.look(&self.server, job);
        }
        Ok(())
    }

    /// The job, once it is known.
    #[must_use]
    pub fn job(&self) -> Option<&JobId> {
        self.job.as_ref()
    }

    /// Lets nothing be wrong any more, after the job's end; whether the server may have lost that end: what it has
    /// of the job then is nobody's, and has to vanish by itself.
    pub fn calm(&mut self) -> bool {
        let mut lost = false;
        for (_, undo) in std::mem::take(&mut self.undo) {
            lost |= matches!(undo, Undo::Restart(Comeback::Torn(_)));
            self.undo(undo);
        }
        lost
    }

    fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> Option<T> {
        self.server_is_up.then(|| self.server.try_ask(words))?
    }

    /// Does one thing of this kind; false where there is nothing to do it to now.
    pub fn strike(&mut self, kind: Kind) -> bool {
        self.try_strike(kind).is_some()
    }

    fn try_strike(&mut self, kind: Kind) -> Option<()> {
        let job = self.job.clone()?;
        match kind {
            Kind::WorkerKilled => {
                let member = self.someone()?;
                let name = self.crew[member].name();
                self.watch.dies(&self.server, &job, &name);
                self.crew[member].signal(Signal::KILL);
            }
            Kind::WorkerFrozen => {
                let member = self.someone()?;
                self.crew[member].signal(Signal::STOP);
                let generation = self.crew[member].generation();
                self.later(5.0, 20.0, Undo::Wake { member, generation });
            }
            Kind::WorkerTerminated => {
                let member = self.someone()?;
                self.crew[member].signal(Signal::TERM);
            }
            Kind::WorkerDrained => {
                let member = self.someone()?;
                let name = self.crew[member].name();
                self.operate(&format!("workers drain {name}"))?;
            }
            Kind::RedisKilled => self.kill_server(Comeback::Log)?,
            Kind::RedisEmptied => self.kill_server(Comeback::Nothing)?,
            Kind::RedisTorn => {
                let lost = 1 + self.dice.below(60);
                self.kill_server(Comeback::Torn(lost))?;
            }
            Kind::Flushed => {
                self.watch.disturbed();
                self.ask::<()>(&["FLUSHALL"])?;
            }
            Kind::ScriptsFlushed => self.ask::<()>(&["SCRIPT", "FLUSH"])?,
            Kind::GroupDestroyed => {
                self.watch.disturbed();
                let queue = format!("mf:{{{job}}}:q");
                let destroyed: i64 = self.ask(&["XGROUP", "DESTROY", &queue, "w"])?;
                (destroyed == 1).then_some(())?;
            }
            Kind::OutOfMemory => {
                self.watch.disturbed();
                self.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"])?;
                self.later(0.5, 4.0, Undo::Memory);
            }
            Kind::Evicting => {
                self.watch.disturbed();
                self.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"])?;
                let full = self.server.figure("used_memory").to_string();
                self.ask::<()>(&["CONFIG", "SET", "maxmemory", &full])?;
                self.later(0.5, 3.0, Undo::Policy);
            }
            Kind::NetworkCut => self.network(Network::Cut),
            Kind::NetworkHalfOpen => self.network(Network::Deaf),
            Kind::NetworkSilent => self.network(Network::Hole),
            Kind::NetworkSlow => {
                let rate = self.dice.pick(&[2 << 10, 16 << 10, 64 << 10]);
                let late = self.dice.seconds(0.0, 0.3);
                self.network(Network::Slow { rate, late });
            }
            Kind::NetworkReset => self.network(Network::Reset),
            Kind::NetworkTorn => {
                let most = self.dice.pick(&[100, 1000, 5000]);
                self.network(Network::Limit(most));
            }
            Kind::Planted => self.plant(&job)?,
            Kind::SubmitterKilled => self.kill_submitter()?,
            Kind::SubmitterAndRedis => {
                self.server_is_up.then_some(())?;
                self.kill_submitter()?;
                self.watch.disturbed();
                self.ask::<()>(&["FLUSHALL"])?;
            }
            Kind::Paused => {
                self.watch.disturbed();
                self.operate(&format!("jobs pause {job}"))?;
                self.later(1.0, 5.0, Undo::Resume);
            }
        }
        Some(())
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Wake { member, generation } => {
                if self.crew[member].generation() == generation {
                    self.crew[member].signal(Signal::CONT);
                }
            }
            Undo::Heal(client) => match self.crew.get(client) {
                Some(member) => member.proxy.set(Network::Pass),
                None => self.submitter.proxy.set(Network::Pass),
            },
            Undo::Restart(comeback) => {
                match comeback {
                    Comeback::Log => {}
                    Comeback::Nothing => self.server.forget(),
                    Comeback::Torn(lost) => {
                        let log = self.server.log();
                        let ends = boundaries(&log.bytes());
                        log.truncate(ends[ends.len().saturating_sub(1 + lost)]);
                    }
                }
                self.server.restart();
                self.server_is_up = true;
            }
            Undo::Memory => {
                let _ = self.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
            }
            Undo::Policy => {
                let _ = self.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
                let _ = self.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
            }
            Undo::Resume => {
                let job = self.job.as_ref().map(ToString::to_string);
                let _ = self.operate(&format!("jobs resume {}", job.unwrap_or_default()));
            }
        }
    }

    /// Whoever paused a job resumes it, again where the server lost that since, or was not there to hear it.
    fn unpause(&mut self, now: Instant) {
        let waits = self.undo.iter().any(|(_, undo)| *undo == Undo::Resume);
        if waits || now < self.next_look {
            return;
        }
        self.next_look = now + Duration::from_secs(1);
        let state = (self.job.as_ref()).map(|job| format!("mf:{{{job}}}:state"));
        let state: Option<String> = state.and_then(|state| self.ask(&["HGET", &state, "state"]));
        if state.as_deref() == Some("paused") {
            self.undo.push((now, Undo::Resume));
        }
    }

    fn later(&mut self, from: f64, to: f64, undo: Undo) {
        let due = Instant::now() + self.dice.seconds(from, to);
        self.undo.push((due, undo));
    }

    /// A worker that runs.
    fn someone(&mut self) -> Option<usize> {
        let running: Vec<usize> = (0..WORKERS)
            .filter(|member| self.crew[*member].is_running())
            .collect();
        (!running.is_empty()).then(|| self.dice.pick(&running))
    }

    fn kill_server(&mut self, comeback: Comeback) -> Option<()> {
        self.server_is_up.then_some(())?;
        self.watch.disturbed();
        self.server.kill();
        self.server_is_up = false;
        self.later(0.1, 2.5, Undo::Restart(comeback));
        Some(())
    }

    fn kill_submitter(&mut self) -> Option<()> {
        let is_old = self.submitter.is_running() && self.submitter.age() > SUBMITTER_AGE;
        is_old.then_some(())?;
        self.watch.disturbed();
        let away = self.dice.seconds(0.1, 2.0);
        self.submitter.kill(away);
        Some(())
    }

    /// Somebody's network: all of it, or one connection.
    fn network(&mut self, network: Network) {
        let client = self.dice.below(WORKERS + 1);
        let one = self.dice.once_in(3).then(|| self.dice.below(8));
        let proxy = match self.crew.get(client) {
            Some(member) => &member.proxy,
            None => {
                // What a submitter does not hear of it cannot mend.
                self.watch.disturbed();
                &self.submitter.proxy
            }
        };
        match one {
            Some(number) => {
                proxy.set_one(number, network);
            }
            None => proxy.set(network),
        }
        if network != Network::Reset {
            // Now and then longer than a lease.
            let most = if self.dice.once_in(4) { 20.0 } else { 6.0 };
            self.later(0.5, most, Undo::Heal(client));
        }
    }

    /// An operator's command; `None` where it fails, as it may while the server is ill.
    fn operate(&self, line: &str) -> Option<()> {
        let url = self.server.url();
        let done = self.server_is_up.then(|| {
            submitter(&format!("{line} --redis {url}"))
                .limit(Duration::from_secs(20))
                .run()
        })?;
        (done.code == Some(0)).then_some(())
    }

    /// Garbage under one of the job's keys. Never where there is no such key: what is left of a job that
    /// has ended would be ours.
    fn plant(&mut self, job: &JobId) -> Option<()> {
        let key = |part: &str| format!("mf:{{{job}}}:{part}");
        let stream = self.dice.pick(&["q", "done", "dead"]);
        let fields: &[&str] = match self.dice.below(4) {
            0 => &["hello", "world"],
            1 => &["v", "2", "s", "4294967295"],
            2 => &["v", "9", "s", "0"],
            _ => &["v", "2", "s", "0"],
        };
        if self.dice.once_in(2) {
            let stream = key(stream);
            let mut words = vec!["XADD", &stream, "NOMKSTREAM", "*"];
            words.extend(fields);
            return self.ask::<Option<String>>(&words)?.map(drop);
        }
        // Or a committed buffer that is damaged before it is collected, where there is one.
        let results: Vec<String> = self.ask(&["KEYS", &key("r:*")])?;
        let result = (!results.is_empty()).then(|| self.dice.below(results.len()))?;
        let result = &results[result];
        match self.dice.below(3) {
            0 => self.ask::<Option<String>>(&["SET", result, "GIF89a", "XX", "KEEPTTL"])?,
            1 => self
                .ask::<i64>(&["DEL", result])
                .map(|gone| gone.to_string()),
            _ => self.ask::<Option<String>>(&["SET", result, "", "XX", "KEEPTTL"])?,
        }
        .map(drop)
    }
}
