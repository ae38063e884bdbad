//! The servers of a farm: the one that its programs use, what ails it and until when, and the one that follows it.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::dice::Dice;
use super::fault::Kind;
use crate::servers::aof::boundaries;
use crate::servers::server::{Persistence, Server, free_port};

/// More than a server is usually told: it says soon that it is busy, and a replica has its data at once.
const OPTIONS: [&str; 4] = [
    "--busy-reply-threshold",
    "200",
    "--repl-diskless-sync-delay",
    "0",
];
/// How long a replica may take to be ready.
const READY: Duration = Duration::from_secs(15);
/// How long a server that was followed stays as a replica: connections that still lead there find out what it is.
const RETIRED: Duration = Duration::from_secs(4);
/// How soon everybody finds the one that followed.
const CHANGE: Duration = Duration::from_secs(1);
/// How soon it is told again what it could not hear.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a script may take to be killed.
const KILLED: Duration = Duration::from_secs(10);
/// Where servers on this machine are.
const HERE: &str = "127.0.0.1";

/// With what a dead server comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comeback {
    Log,
    Nothing,
    /// Its log without its last records.
    Torn(usize),
}

/// What ails the server for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ill {
    Dead(Comeback),
    Full,
    Evicting,
    Demoted,
    Busy,
    Unsaved,
    Replicaless,
}

/// A replica that is to follow the server.
#[derive(Debug)]
struct Heir {
    server: Server,
    until: Instant,
    by_failover: bool,
    /// It had all data once.
    is_ready: bool,
    /// The server was told to let it follow.
    is_called: bool,
}

/// The servers of one farm.
#[derive(Debug)]
pub struct Realm {
    server: Server,
    is_up: bool,
    ills: Vec<(Instant, Ill)>,
    script: Option<JoinHandle<()>>,
    heir: Option<Heir>,
    retired: Vec<(Instant, Server)>,
    /// How often it may have lost what was written last, and nothing else.
    pub lapses: u64,
}

fn start() -> Server {
    Server::start_keeping(Persistence::EverySec, &OPTIONS)
}

impl Realm {
    /// One server, well.
    #[must_use]
    pub fn new() -> Self {
        Self {
            server: start(),
            is_up: true,
            ills: Vec::new(),
            script: None,
            heir: None,
            retired: Vec::new(),
            lapses: 0,
        }
    }

    /// The server that programs are to use.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Whether it is there.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.is_up
    }

    /// Whether anything ails it, or another one has just taken its place.
    #[must_use]
    pub fn is_ill(&self, now: Instant) -> bool {
        let is_called = self.heir.as_ref().is_some_and(|heir| heir.is_called);
        let just = now + RETIRED - CHANGE;
        !self.is_up
            || is_called
            || !self.ills.is_empty()
            || self.retired.iter().any(|(due, _)| *due > just)
    }

    /// Asks it one thing; `None` where it is not there, or refuses.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> Option<T> {
        self.is_up.then(|| self.server.try_ask(words))?
    }

    /// Ends what has lasted long enough; the port of the server that follows, when one does.
    pub fn tend(&mut self, now: Instant) -> Option<u16> {
        while let Some(at) = self.ills.iter().position(|(due, _)| *due <= now) {
            let (_, ill) = self.ills.swap_remove(at);
            if !self.heal(ill) {
                self.ills.push((now + AGAIN, ill));
            }
        }
        self.retired.retain(|(due, _)| *due > now);
        self.follow(now)
    }

    /// Lets nothing be wrong any more.
    pub fn calm(&mut self) {
        let begun = Instant::now();
        while let Some((_, ill)) = self.ills.pop() {
            if !self.heal(ill) {
                assert!(begun.elapsed() < READY, "{ill:?} for good");
                self.ills.insert(0, (begun, ill));
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // One that was called may follow at any time.
        let called = self.heir.as_ref().is_some_and(|heir| heir.is_called);
        if called {
            let _ = self.ask::<()>(&["FAILOVER", "ABORT"]);
        }
        self.heir = None;
        self.retired.clear();
    }

    /// Does to it one thing of this kind; `None` where that cannot be done now.
    pub fn strike(&mut self, kind: Kind, dice: &mut Dice) -> Option<()> {
        let set = |option, value: &str| self.ask::<()>(&["CONFIG", "SET", option, value]);
        let (ill, most) = match kind {
            Kind::RedisKilled => return self.kill(Comeback::Log, dice),
            Kind::RedisEmptied => return self.kill(Comeback::Nothing, dice),
            Kind::RedisTorn => {
                let lost = 1 + dice.below(60);
                return self.kill(Comeback::Torn(lost), dice);
            }
            Kind::Flushed => return self.ask::<()>(&["FLUSHALL"]),
            Kind::ScriptsFlushed => return self.ask::<()>(&["SCRIPT", "FLUSH"]),
            Kind::Unblocked => return self.unblock(),
            Kind::RedisFollowed => return self.call_heir(dice),
            Kind::OutOfMemory => {
                set("maxmemory", "1")?;
                (Ill::Full, 4.0)
            }
            Kind::Evicting => {
                let full = self.ask::<String>(&["INFO", "memory"])?;
                let full = (full.lines()).find_map(|line| line.strip_prefix("used_memory:"))?;
                set("maxmemory-policy", "allkeys-lru")?;
                set("maxmemory", full.trim())?;
                (Ill::Evicting, 3.0)
            }
            Kind::RedisDemoted => {
                // What it has is old then, and servers may be told not to show it.
                let stale = dice.pick(&["yes", "no"]);
                set("replica-serve-stale-data", stale)?;
                self.ask::<()>(&["REPLICAOF", HERE, &free_port().to_string()])?;
                (Ill::Demoted, 4.0)
            }
            Kind::Busy => {
                (self.is_up && self.script.is_none()).then_some(())?;
                self.script = Some(self.server.occupy());
                (Ill::Busy, 4.0)
            }
            Kind::Unsaved => {
                // A folder is in the file's place.
                let _ = std::fs::remove_file(self.saved());
                std::fs::create_dir(self.saved()).ok()?;
                let _ = set("save", "3600 1");
                if self.ask::<String>(&["BGSAVE"]).is_none() {
                    self.ills.push((Instant::now(), Ill::Unsaved));
                    return None;
                }
                (Ill::Unsaved, 4.0)
            }
            Kind::ReplicasMissing => {
                set("min-replicas-to-write", "1")?;
                (Ill::Replicaless, 4.0)
            }
            _ => return None,
        };
        self.ills
            .push((Instant::now() + dice.seconds(0.5, most), ill));
        Some(())
    }

    /// Ends one; false where the server cannot be told so now: while it is busy it hears nothing else.
    fn heal(&mut self, ill: Ill) -> bool {
        // One that is dead forgets what it was told.
        let tell = |words: &[&str]| !self.is_up || self.ask::<()>(words).is_some();
        let set = |option, value| tell(&["CONFIG", "SET", option, value]);
        match ill {
            Ill::Dead(comeback) => {
                self.lapses += u64::from(matches!(comeback, Comeback::Torn(_)));
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
                self.is_up = true;
                true
            }
            Ill::Full => set("maxmemory", "0"),
            Ill::Evicting => set("maxmemory", "0") && set("maxmemory-policy", "noeviction"),
            Ill::Demoted => {
                tell(&["REPLICAOF", "NO", "ONE"]) && set("replica-serve-stale-data", "yes")
            }
            Ill::Busy => {
                self.end_script();
                true
            }
            Ill::Unsaved => {
                let _ = std::fs::remove_dir(self.saved());
                set("save", "")
            }
            Ill::Replicaless => set("min-replicas-to-write", "0"),
        }
    }

    /// Where it saves its data when it is asked to.
    fn saved(&self) -> std::path::PathBuf {
        self.server.folder().join("dump.rdb")
    }

    fn kill(&mut self, comeback: Comeback, dice: &mut Dice) -> Option<()> {
        self.is_up.then_some(())?;
        self.server.kill();
        self.is_up = false;
        let due = Instant::now() + dice.seconds(0.1, 2.5);
        self.ills.push((due, Ill::Dead(comeback)));
        Some(())
    }

    /// Ends the script that keeps the server busy; that of a server that died or was followed has ended, or does.
    fn end_script(&mut self) {
        let begun = Instant::now();
        while let Some(script) = self.script.take_if(|script| !script.is_finished()) {
            assert!(begun.elapsed() < KILLED, "a script that cannot be killed");
            let of_old = self.retired.iter().map(|(_, server)| server);
            for server in of_old.chain(self.is_up.then_some(&self.server)) {
                let _ = server.try_ask::<String>(&["SCRIPT", "KILL"]);
            }
            std::thread::sleep(Duration::from_millis(20));
            self.script = Some(script);
        }
        self.script = None;
    }

    /// Tells all that wait for an answer that nothing comes; `None` where nobody does.
    fn unblock(&self) -> Option<()> {
        let clients = self.ask::<String>(&["CLIENT", "LIST", "TYPE", "normal"])?;
        let of = |line: &str, name: &str| {
            let word = line.split(' ').find_map(|word| word.strip_prefix(name));
            word.unwrap_or_default().to_owned()
        };
        let waiting = (clients.lines()).filter(|line| of(line, "flags=").contains('b'));
        let told = waiting
            .filter(|line| {
                let words = ["CLIENT", "UNBLOCK", &of(line, "id="), "ERROR"];
                self.ask::<i64>(&words) == Some(1)
            })
            .count();
        (told > 0).then_some(())
    }

    fn call_heir(&mut self, dice: &mut Dice) -> Option<()> {
        (self.is_up && self.heir.is_none() && self.retired.is_empty()).then_some(())?;
        let server = start();
        let port = self.server.port().to_string();
        server.try_ask::<()>(&["REPLICAOF", HERE, &port])?;
        self.heir = Some(Heir {
            server,
            until: Instant::now() + READY,
            by_failover: dice.once_in(2),
            is_ready: false,
            is_called: false,
        });
        Some(())
    }

    /// Lets the heir follow when it can; its port then.
    fn follow(&mut self, now: Instant) -> Option<u16> {
        let heir = self.heir.as_mut()?;
        let port = heir.server.port().to_string();
        if now > heir.until {
            if heir.is_called {
                let _ = self.ask::<()>(&["FAILOVER", "ABORT"]);
            }
            self.heir = None;
            return None;
        }
        let info: String = heir.server.try_ask(&["INFO"])?;
        let says = |line: &str| info.lines().any(|said| said.trim() == line);
        // Its log, too, has to hold what it was given.
        let is_logged = says("aof_rewrite_in_progress:0") && says("aof_rewrite_scheduled:0");
        heir.is_ready |= is_logged && says("master_link_status:up");
        let follows = match (heir.is_ready, self.is_up) {
            (false, _) => false,
            _ if heir.is_called && says("role:master") => true,
            (true, true) if heir.by_failover => {
                if !heir.is_called {
                    let words = ["FAILOVER", "TO", HERE, &port, "TIMEOUT", "5000"];
                    heir.is_called = self.server.try_ask::<()>(&words).is_some();
                }
                false
            }
            // As whoever promotes does it, sooner or later.
            (true, is_up) => {
                heir.server.try_ask::<()>(&["REPLICAOF", "NO", "ONE"])?;
                self.lapses += 1;
                if is_up {
                    let _ = self.server.try_ask::<()>(&["REPLICAOF", HERE, &port]);
                }
                true
            }
        };
        follows.then_some(())?;
        let old = std::mem::replace(&mut self.server, self.heir.take()?.server);
        self.retired.push((now + RETIRED, old));
        // What ailed the other one is its own.
        self.end_script();
        self.ills.clear();
        self.is_up = true;
        Some(self.server.port())
    }
}

impl Default for Realm {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        // The script's thread ends with its server, and that with its handle.
        let _ = self.ask::<String>(&["SCRIPT", "KILL"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the server answers to a write.
    fn refused(server: &Server) -> String {
        let written = server.ask_as::<String>("default", "", &["SET", "a", "b"]);
        written.err().unwrap_or_default().to_ascii_uppercase()
    }

    #[test]
    fn each_ill_refuses_what_it_should_and_is_healed() {
        for (kind, word) in [
            (Kind::RedisDemoted, "READONLY"),
            (Kind::Busy, "BUSY"),
            (Kind::Unsaved, "MISCONF"),
            (Kind::ReplicasMissing, "NOREPLICAS"),
            (Kind::OutOfMemory, "OOM"),
        ] {
            let mut realm = Realm::new();
            assert_eq!(refused(realm.server()), "");
            assert_eq!(realm.strike(kind, &mut Dice::new(1)), Some(()));
            assert!(realm.is_ill(Instant::now()));
            let server = realm.server();
            server.until(word, || refused(server).contains(word));
            realm.calm();
            assert!(!realm.is_ill(Instant::now()));
            assert_eq!(refused(realm.server()), "", "{word}");
        }
    }

    #[test]
    fn what_a_busy_server_cannot_hear_it_is_told_again() {
        let mut realm = Realm::new();
        let dice = &mut Dice::new(1);
        assert_eq!(realm.strike(Kind::ReplicasMissing, dice), Some(()));
        assert_eq!(realm.strike(Kind::Busy, dice), Some(()));
        assert!(!realm.heal(Ill::Replicaless), "control: it does not hear");
        // Only the other one is over.
        for (due, ill) in &mut realm.ills {
            if *ill == Ill::Replicaless {
                *due = Instant::now();
            }
        }
        assert_eq!(realm.tend(Instant::now()), None);
        assert_eq!(realm.ills.len(), 2);
        realm.calm();
        assert_eq!(refused(realm.server()), "");
    }

    #[test]
    fn who_waits_is_told_that_nothing_comes() {
        let mut realm = Realm::new();
        let unblocked = |realm: &mut Realm| realm.strike(Kind::Unblocked, &mut Dice::new(1));
        assert_eq!(unblocked(&mut realm), None, "nobody waits");
        std::thread::scope(|scope| {
            let url = realm.server().url();
            let waiting = scope.spawn(move || {
                let mut connection = redis::Client::open(url)?.get_connection()?;
                let mut wait = redis::cmd("BLPOP");
                (wait.arg("list").arg(0)).query::<Option<Vec<String>>>(&mut connection)
            });
            let begun = Instant::now();
            while unblocked(&mut realm).is_none() {
                assert!(begun.elapsed() < READY, "nobody waits");
            }
            let told = waiting.join().expect("no panic").unwrap_err();
            assert_eq!(told.code(), Some("UNBLOCKED"), "{told}");
        });
    }

    #[test]
    fn another_one_follows_with_all_data_and_the_old_one_takes_no_writes() {
        for by_failover in [true, false] {
            let seed = (0..).find(|seed| Dice::new(*seed).once_in(2) == by_failover);
            let mut dice = Dice::new(seed.expect("a seed"));
            let mut realm = Realm::new();
            let old = realm.server().port();
            assert_eq!(refused(realm.server()), "");
            assert_eq!(realm.strike(Kind::RedisFollowed, &mut dice), Some(()));
            let begun = Instant::now();
            let port = loop {
                match realm.tend(Instant::now()) {
                    Some(port) => break port,
                    None => assert!(begun.elapsed() < READY, "nobody follows"),
                }
            };
            assert!(port != old && port == realm.server().port());
            assert_eq!(realm.ask::<String>(&["GET", "a"]).as_deref(), Some("b"));
            let (_, retired) = realm.retired.first().expect("the old one");
            retired.until("it is a replica", || refused(retired).contains("READONLY"));
            assert_eq!(refused(realm.server()), "");
            assert_eq!(realm.lapses, u64::from(!by_failover));
        }
    }

    #[test]
    fn one_that_is_ready_follows_a_dead_one() {
        let mut realm = Realm::new();
        let dice = &mut Dice::new(1);
        assert_eq!(refused(realm.server()), "");
        assert_eq!(realm.strike(Kind::RedisFollowed, dice), Some(()));
        let heir = &realm.heir.as_ref().expect("an heir").server;
        heir.until("it has all data", || {
            heir.try_ask::<Option<String>>(&["GET", "a"])
                .flatten()
                .is_some()
        });
        // Seen as ready, and not told to follow yet.
        realm.heir.as_mut().expect("an heir").is_ready = true;
        assert_eq!(realm.strike(Kind::RedisKilled, dice), Some(()));
        let port = realm.tend(Instant::now());
        assert_eq!(port, Some(realm.server().port()));
        assert!(realm.is_up());
        assert_eq!(realm.ask::<String>(&["GET", "a"]).as_deref(), Some("b"));
    }
}
