//! One farm of a run: its servers, workers and submitters, what is done to them, and how it is undone.

use std::time::{Duration, Instant};

use farm_queue::JobId;
use rustix::process::Signal;
use tempfile::TempDir;

use super::crew::{Member, Role, Submitter};
use super::dice::Dice;
use super::fault::Kind;
use super::realm::Realm;
use super::run::Settings;
use super::scene::Scene;
use super::watch::Watch;
use crate::processes::programs::submitter;
use crate::servers::proxy::{Network, Proxy};

/// Workers of a farm.
pub const WORKERS: usize = 4;
/// A submitter that is younger is not killed: its journal is not on the disk yet, so that nobody could know
/// of its job.
const SUBMITTER_AGE: Duration = Duration::from_millis(1800);
/// How often the list of jobs is asked for, and whether one is paused.
const LOOK: Duration = Duration::from_millis(500);
/// The key of farms that have one.
const KEY: &str = "a key of twenty-eight letters";

/// A farm on which things go wrong.
#[derive(Debug)]
pub struct Stage {
    /// Its servers.
    pub realm: Realm,
    /// Its workers.
    pub crew: Vec<Member>,
    /// Its submitters.
    pub submitters: Vec<Submitter>,
    /// Where the submitters write.
    pub folder: TempDir,
    /// Measures it.
    pub watch: Watch,
    /// Options of programs that are let in.
    access: Vec<String>,
    /// Jobs on the list, when it was last read and not empty.
    jobs: Vec<JobId>,
    dice: Dice,
    undo: Vec<(Instant, Undo)>,
    next_look: Instant,
}

/// What puts an end to a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Undo {
    /// Wakes a frozen worker, if it is still that process.
    Wake {
        member: usize,
        generation: usize,
    },
    /// Heals the network of a worker, or of a submitter (after the last worker).
    Heal(usize),
    Resume(JobId),
}

impl Stage {
    /// A farm, of which `pretenders` workers only take their time.
    #[must_use]
    pub fn set(scene: &Scene, settings: &Settings, dice: Dice) -> Self {
        let realm = Realm::new();
        let port = realm.server().port();
        let folder = crate::files::folder();
        let mut access = Vec::new();
        if scene.signed {
            let path = folder.path().join("farm.key");
            crate::files::write_secret(&path, KEY);
            access = vec![
                "--farm-key-file".to_owned(),
                path.to_string_lossy().into_owned(),
            ];
        }
        let role = |number| match WORKERS - number {
            1 if scene.faulty => Role::Faulty,
            // They have no key.
            _ if scene.signed => Role::Worker,
            place if place <= settings.pretenders && settings.lie => Role::Faulty,
            place if place <= settings.pretenders => Role::Slow,
            _ => Role::Worker,
        };
        let crew = (0..WORKERS).map(|number| Member::new(number, port, role(number)));
        let pictures = scene.pictures.iter().enumerate();
        Self {
            crew: crew.collect(),
            submitters: pictures
                .map(|(number, picture)| Submitter::new(number, port, picture, scene.options))
                .collect(),
            folder,
            watch: Watch::new(realm.server()),
            access,
            jobs: Vec::new(),
            dice,
            undo: Vec::new(),
            next_look: Instant::now(),
            realm,
        }
    }

    fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        let workers = self.crew.iter().map(|member| &member.proxy);
        workers.chain(self.submitters.iter().map(|submitter| &submitter.proxy))
    }

    /// Starts what should run and does not, undoes what is over, and looks on.
    ///
    /// # Errors
    /// What a program said that broke by a fault of its own.
    pub fn tend(&mut self, settings: &Settings) -> Result<(), String> {
        let now = Instant::now();
        self.note_ills(now);
        while let Some(at) = self.undo.iter().position(|(due, _)| *due <= now) {
            let (_, undo) = self.undo.swap_remove(at);
            self.undo(undo);
        }
        if let Some(port) = self.realm.tend(now) {
            self.proxies().for_each(|proxy| proxy.lead_to(port));
        }
        for member in &mut self.crew {
            member.tend(settings.strip_secs, &self.access)?;
        }
        if now >= self.next_look {
            self.next_look = now + LOOK;
            self.look_for_jobs(now);
        }
        for submitter in &mut self.submitters {
            // As people do: sometimes by name, sometimes with the same command again.
            let by_name = self.dice.once_in(2);
            submitter.tend(self.folder.path(), by_name, &self.access);
        }
        if self.realm.is_up() {
            self.watch.look(self.realm.server());
        }
        // Those that were started just now, too.
        self.note_ills(Instant::now());
        Ok(())
    }

    /// Notes for each submitter whether its server or its network is ill.
    fn note_ills(&mut self, now: Instant) {
        for (number, submitter) in self.submitters.iter_mut().enumerate() {
            let heal = Undo::Heal(WORKERS + number);
            if self.realm.is_ill(now) || self.undo.iter().any(|(_, undo)| *undo == heal) {
                submitter.ill_at = Some(now);
            }
        }
    }

    fn look_for_jobs(&mut self, now: Instant) {
        // Of all: those that are paused are not on the list of those to work on.
        let jobs: Option<Vec<String>> = self.realm.ask(&["ZRANGE", "mf:all", "0", "-1"]);
        let jobs = jobs.unwrap_or_default();
        let jobs: Vec<JobId> = jobs.iter().filter_map(|name| JobId::parse(name)).collect();
        // Whoever paused a job resumes it, again where the server lost that since, or was not there to hear it.
        for job in &jobs {
            let resume = Undo::Resume(job.clone());
            let key = format!("mf:{{{job}}}:state");
            let state = || self.realm.ask::<Option<String>>(&["HGET", &key, "state"]);
            if !self.undo.iter().any(|(_, undo)| *undo == resume)
                && state().flatten().as_deref() == Some("paused")
            {
                self.undo.push((now, resume));
            }
        }
        if !jobs.is_empty() {
            self.jobs = jobs;
        }
    }

    /// Whether there is a job to do something to.
    #[must_use]
    pub fn has_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// Lets nothing be wrong any more, after the last job's end.
    pub fn calm(&mut self) {
        for (_, undo) in std::mem::take(&mut self.undo) {
            self.undo(undo);
        }
        self.realm.calm();
    }

    /// Does one thing of this kind; false where there is nothing to do it to now.
    pub fn strike(&mut self, kind: Kind) -> bool {
        self.try_strike(kind).is_some()
    }

    fn try_strike(&mut self, kind: Kind) -> Option<()> {
        let job = (!self.jobs.is_empty()).then(|| self.dice.below(self.jobs.len()))?;
        let job = self.jobs[job].clone();
        match kind {
            Kind::WorkerKilled => {
                let member = self.someone()?;
                let name = self.crew[member].name();
                self.watch.dies(self.realm.server(), &self.jobs, &name);
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
            Kind::GroupDestroyed => {
                self.watch.disturbed();
                let queue = format!("mf:{{{job}}}:q");
                let destroyed: i64 = self.realm.ask(&["XGROUP", "DESTROY", &queue, "w"])?;
                (destroyed == 1).then_some(())?;
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
                // The last one in the midst of a large buffer.
                let most = self.dice.pick(&[100, 1000, 5000, 1 << 20]);
                self.network(Network::Limit(most));
            }
            Kind::Planted => self.plant(&job)?,
            Kind::SubmitterKilled => self.kill_submitter()?,
            Kind::SubmitterAndRedis => {
                self.realm.is_up().then_some(())?;
                self.kill_submitter()?;
                self.realm.ask::<()>(&["FLUSHALL"])?;
            }
            Kind::Paused => {
                self.watch.disturbed();
                self.operate(&format!("jobs pause {job}"))?;
                self.later(1.0, 5.0, Undo::Resume(job));
            }
            of_the_server => {
                let is_borne_at_once = kind == Kind::ScriptsFlushed;
                if !is_borne_at_once {
                    self.watch.disturbed();
                }
                self.realm.strike(of_the_server, &mut self.dice)?;
            }
        }
        // Some last a moment only.
        self.note_ills(Instant::now());
        Some(())
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Wake { member, generation } => {
                if self.crew[member].generation() == generation {
                    self.crew[member].signal(Signal::CONT);
                }
            }
            Undo::Heal(client) => {
                if let Some(proxy) = self.proxies().nth(client) {
                    proxy.set(Network::Pass);
                }
            }
            Undo::Resume(job) => {
                let _ = self.operate(&format!("jobs resume {job}"));
            }
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

    fn kill_submitter(&mut self) -> Option<()> {
        let number = self.dice.below(self.submitters.len());
        let submitter = &mut self.submitters[number];
        let is_old = submitter.is_running() && submitter.age() > SUBMITTER_AGE;
        is_old.then_some(())?;
        self.watch.disturbed();
        let away = self.dice.seconds(0.1, 2.0);
        submitter.kill(away);
        Some(())
    }

    /// Somebody's network: all of it, or one connection.
    fn network(&mut self, network: Network) {
        let client = self.dice.below(WORKERS + self.submitters.len());
        let one = self.dice.once_in(3).then(|| self.dice.below(8));
        if let Some(submitter) = client.checked_sub(WORKERS) {
            // What a submitter does not hear of it cannot mend.
            self.watch.disturbed();
            self.submitters[submitter].ill_at = Some(Instant::now());
        }
        match (self.proxies().nth(client), one) {
            (Some(proxy), Some(number)) => {
                proxy.set_one(number, network);
            }
            (Some(proxy), None) => proxy.set(network),
            (None, _) => {}
        }
        if network != Network::Reset {
            // Now and then longer than a lease.
            let most = if self.dice.once_in(4) { 20.0 } else { 6.0 };
            self.later(0.5, most, Undo::Heal(client));
        }
    }

    /// An operator's command; `None` where it fails, as it may while the server is ill.
    fn operate(&self, line: &str) -> Option<()> {
        let url = self.realm.server().url();
        let done = self.realm.is_up().then(|| {
            submitter(&format!("{line} --redis {url}"))
                .args(&self.access)
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
            return self.realm.ask::<Option<String>>(&words)?.map(drop);
        }
        // Or a committed buffer that is damaged before it is collected, where there is one.
        let results: Vec<String> = self.realm.ask(&["KEYS", &key("r:*")])?;
        let result = (!results.is_empty()).then(|| self.dice.below(results.len()))?;
        let result = &results[result];
        let set = |value| self.realm.ask(&["SET", result, value, "XX", "KEEPTTL"]);
        match self.dice.below(3) {
            0 => set("GIF89a")?,
            1 => (self.realm.ask::<i64>(&["DEL", result])).map(|gone| gone.to_string()),
            _ => set("")?,
        }
        .map(drop)
    }
}
