//! A farm under the access list that `submitter redis-acl` prints: it works, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use farm_queue::JobId;
use farm_queue::redis::acl::{Role, commands};
use farm_tests::job::quiet;
use farm_tests::programs::{Run, Running};
use farm_tests::scenes::{LONG, QUICK};
use farm_tests::{Server, digest, folder, submitter, write_secret};
use rustix::process::Signal;
use tempfile::TempDir;

const ADMIN: &str = "the-admins-w0rd";
const WORKER: (&str, &str) = ("farm-worker", "the-workers-w0rd");
const SUBMITTER: (&str, &str) = ("farm-submitter", "the-submitters-w0rd");
/// How a worker takes its time, so that there is some to do something in the midst of a job.
const STEADY: &str = "--mode slow --secs 0.15";
/// Long enough for any of these tests.
const LIFE: Duration = Duration::from_secs(180);
/// What a server lets everybody do who has not even logged in.
const FOR_EVERYBODY: [&str; 4] = ["auth", "hello", "quit", "reset"];

/// A server with the farm's users, and passwords in files.
struct Farm {
    server: Server,
    folder: TempDir,
}

impl Farm {
    fn start() -> Self {
        let server = Server::start_with(&["--requirepass", ADMIN]);
        let folder = folder();
        let mut print = submitter("redis-acl");
        for (role, (_, password)) in [("worker", WORKER), ("submitter", SUBMITTER)] {
            let file = folder.path().join(role);
            write_secret(&file, password);
            print = print.arg(format!("--{role}-password-file")).arg(file);
        }
        let printed = print.ok();
        assert_eq!(printed.stderr, "");
        assert_eq!(printed.stdout.lines().count(), 2, "{printed:?}");
        assert!(!printed.stdout.contains("w0rd"), "{printed:?}");
        for line in printed.stdout.lines() {
            // As redis-cli sends a line: word by word.
            let words: Vec<&str> = line.split(' ').collect();
            server.ask::<()>(&words);
        }
        Self { server, folder }
    }

    fn options(&self, (user, _): (&str, &str), role: &str) -> String {
        let file = self.folder.path().join(role);
        let url = self.server.url_with(None);
        format!(
            "--redis {url} --redis-user {user} --redis-password-file {}",
            file.display()
        )
    }

    fn worker(&self, name: &str) -> Running {
        let options = self.options(WORKER, "worker");
        let mut worker = Run::program("farm-worker")
            .args(format!("--backend cpu --threads 1 --name {name} {options}").split_whitespace())
            .limit(LIFE)
            .start();
        worker.until_it_says("ready");
        worker
    }

    /// A worker whose device misbehaves: see the program `pretender`.
    fn pretend(&self, name: &str, options: &str) -> Running {
        let (user, password) = WORKER;
        let url = self.server.url_with(None);
        let url = url.replace("redis://", &format!("redis://{user}:{password}@"));
        let mut worker = Run::program("pretender")
            .args(["--redis", &url, "--name", name])
            .args(options.split_whitespace())
            .limit(LIFE)
            .start();
        worker.until_it_says("ready");
        worker
    }

    /// An operator's command, with the submitter's password; it has to succeed.
    fn operate(&self, command: &str) -> String {
        let options = self.options(SUBMITTER, "submitter");
        submitter(&format!("{command} {options}")).ok().stdout
    }

    /// That nothing was refused on the way but what everybody's start may be: a worker asks what server it has, and
    /// whether it may send scripts.
    fn assert_nothing_was_refused(&self) {
        let known = [(WORKER.0, "info"), (WORKER.0, "script|load")];
        let known = known.map(|(user, object)| (user.to_owned(), object.to_owned()));
        let refused = self.refused();
        assert!(refused.is_subset(&BTreeSet::from(known)), "{refused:?}");
    }

    fn render(&self, scene: &str) -> Run {
        let options = self.options(SUBMITTER, "submitter");
        submitter(&format!("render {scene} -q -o x.npy --json {options}"))
            .within(&self.folder)
            .limit(LIFE)
    }

    fn picture(&self) -> u64 {
        digest(self.folder.path().join("x.npy"))
    }

    /// Whether a user may send these words, and what the server says if not.
    fn may(&self, user: &str, words: &[&str]) -> Result<(), String> {
        let mut ask = vec!["ACL", "DRYRUN", user];
        ask.extend(words);
        match self.server.ask::<String>(&ask).as_str() {
            "OK" => Ok(()),
            refused => Err(refused.to_owned()),
        }
    }

    /// What the server refused so far: who wanted which command, key or channel.
    fn refused(&self) -> BTreeSet<(String, String)> {
        let log: Vec<BTreeMap<String, redis::Value>> = self.server.ask(&["ACL", "LOG", "128"]);
        let text = |entry: &BTreeMap<String, redis::Value>, field: &str| {
            let value = entry.get(field).cloned().unwrap_or(redis::Value::Nil);
            redis::from_redis_value::<String>(value).unwrap_or_default()
        };
        log.iter()
            .map(|entry| (text(entry, "username"), text(entry, "object")))
            .collect()
    }
}

#[test]
fn a_whole_farm_works_under_its_access_list() {
    let scene = format!("{LONG} --workers 2");
    let expected = quiet(&scene);
    let farm = Farm::start();
    // Before anybody who may send scripts: it says so once, and waits.
    let first = farm.pretend("first", STEADY);
    assert!(first.said().contains("waiting for a submitter"));
    let second = farm.pretend("second", STEADY);
    let running = farm.render(&scene).start();
    let job = farm.server.job();
    let working = |name: &str| {
        let pending = farm.server.pending(&job);
        pending.iter().any(|strip| strip.owner.starts_with(name))
    };
    farm.server
        .until("both work", || working("first") && working("second"));
    (farm.server).ask::<()>(&["HSET", "mf:bad", "other", "1 1 accused long ago"]);
    for command in [
        "jobs list",
        "jobs show J --json",
        "jobs pause J",
        "jobs resume J",
        "jobs priority J 2",
        "jobs retry J",
        "workers list",
        "workers forgive other",
    ] {
        farm.operate(&command.replace('J', job.as_str()));
    }
    // One gives back what it has and comes again, one dies.
    first.signal(Signal::TERM);
    assert_eq!(first.wait().code, Some(0));
    let third = farm.pretend("third", STEADY);
    second.signal(Signal::KILL);
    let _ = second.wait();
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(farm.picture(), expected);
    // A job that is interrupted is cleared away.
    let stopped = farm.render(&scene).start();
    let job = farm.server.job();
    farm.server
        .until("it is worked on", || !farm.server.pending(&job).is_empty());
    stopped.signal(Signal::INT);
    assert_eq!(stopped.wait().code, Some(130));
    let cancelled = farm.render(&scene).start();
    farm.operate(&format!("jobs cancel {}", farm.server.job()));
    assert_ne!(cancelled.wait().code, Some(0));
    farm.operate("workers drain third");
    assert_eq!(third.wait().code, Some(0));
    // The dead one's sign of life is left, and the cancelled job's end, and orders that ran out of workers.
    let left = farm.server.keys("*");
    let stays = |key: &&String| {
        key.starts_with("mf:worker")
            || key.ends_with(":state")
            || ["mf:all", "mf:orders"].contains(&key.as_str())
    };
    assert_eq!(left.iter().filter(|key| !stays(key)).count(), 0, "{left:?}");
    farm.assert_nothing_was_refused();
}

#[test]
fn audits_quarantines_and_dead_letters_work_under_it() {
    let scene = format!("{QUICK} --backend cpu --strip-rows 8");
    let expected = quiet(&scene);
    let farm = Farm::start();
    // One that lies is found out, while the job is paused and goes on.
    let liar = farm.pretend("liar", "--mode lie");
    let running = farm.render(&format!("{scene} --audit 100")).start();
    let job = farm.server.job();
    farm.server.until_committed(&job, 3);
    let good = farm.pretend("good", STEADY);
    let real = farm.worker("real");
    farm.operate(&format!("jobs pause {job}"));
    farm.operate(&format!("jobs resume {job}"));
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.json()["audited"].as_u64() > Some(0), "{done:?}");
    assert_eq!(farm.picture(), expected);
    let accused = || farm.server.ask::<Vec<String>>(&["HKEYS", "mf:bad"]);
    assert_eq!(accused(), ["liar"]);
    farm.operate("workers forgive liar");
    // It came before anybody who may send scripts, and could not be listed at once.
    farm.server.until("it is listed", || {
        farm.operate("workers list").contains("liar")
    });
    farm.operate("workers drain liar");
    assert_eq!(liar.wait().code, Some(0));
    farm.operate("workers drain real");
    assert_eq!(real.wait().code, Some(0));
    // One that fails where others do not.
    let bad = farm.pretend("bad", "--mode fail");
    let expected = quiet(LONG);
    let done = farm.render(LONG).start().wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(farm.picture(), expected);
    assert_eq!(accused(), ["bad"]);
    // Alone it ends the job.
    farm.operate("workers forgive bad");
    farm.operate("workers drain good");
    assert_eq!(good.wait().code, Some(0));
    let scene = format!("{QUICK} --backend cpu --strip-rows 110");
    let failed = farm.render(&scene).start().wait();
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("bad: "), "{failed:?}");
    let listed = farm.operate("jobs list --json");
    assert!(listed.contains("failed"), "{listed}");
    farm.operate("workers drain bad");
    assert_eq!(bad.wait().code, Some(0));
    farm.assert_nothing_was_refused();
}

#[test]
fn a_server_that_forgot_the_scripts_is_told_again() {
    let expected = quiet(LONG);
    let farm = Farm::start();
    let mut worker = farm.pretend("worker", STEADY);
    let running = farm.render(LONG).start();
    let job = farm.server.job();
    for _ in 0..3 {
        farm.server.until("a strip is under way", || {
            !farm.server.pending(&job).is_empty()
        });
        farm.server.ask::<()>(&["SCRIPT", "FLUSH"]);
        farm.server.until("they are there again", || {
            let memory: String = farm.server.ask(&["INFO", "memory"]);
            let count = memory.lines().find_map(|line| {
                line.strip_prefix("number_of_cached_scripts:")?
                    .parse::<u32>()
                    .ok()
            });
            count.is_some_and(|count| count > 10)
        });
    }
    let done = running.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(farm.picture(), expected);
    assert!(worker.is_running(), "{}", worker.said());
}

#[test]
fn every_command_outside_the_list_is_refused() {
    let farm = Farm::start();
    let all: Vec<String> = farm.server.ask(&["COMMAND", "LIST"]);
    let containers: BTreeSet<&str> = (all.iter())
        .filter_map(|name| Some(name.split_once('|')?.0))
        .collect();
    assert!(all.len() > 300, "the server names its commands");
    for (user, role) in [(WORKER.0, Role::Worker), (SUBMITTER.0, Role::Submitter)] {
        let granted = commands(role);
        let mut refused = 0;
        for name in &all {
            if containers.contains(name.as_str()) || FOR_EVERYBODY.contains(&name.as_str()) {
                continue;
            }
            let info: Vec<Vec<redis::Value>> = farm.server.ask(&["COMMAND", "INFO", name]);
            // Its second field, below zero where it is only the least.
            let least = match info.first().and_then(|fields| fields.get(1)) {
                Some(redis::Value::Int(words)) => words.unsigned_abs() as usize,
                _ => panic!("{name}: {info:?}"),
            };
            let mut words: Vec<&str> = name.split('|').collect();
            // As many as it wants; it is refused before anybody looks at them.
            while words.len() < least {
                words.push("1");
            }
            if granted.contains(&name.as_str()) {
                continue;
            }
            let answer = farm.may(user, &words);
            assert!(
                matches!(&answer, Err(said) if said.contains("no permissions to run")),
                "{user} {words:?}: {answer:?}"
            );
            refused += 1;
        }
        assert!(refused > 250, "{user}: {refused} were refused");
        for name in &granted {
            assert!(all.iter().any(|known| known == name), "{name} is none");
        }
    }
}

/// What somebody with a worker's password might try, on a job's keys; `J` is the job.
const ATTACKS: &[&str] = &[
    // Work of one's own.
    "XADD mf:{J}:q * v 1 s 1",
    "ZADD mf:jobs 1 x",
    "ZADD mf:all 1 x",
    "ZREM mf:jobs J",
    "SET mf:{J}:spec x",
    "SET mf:{J}:spec x XX GET",
    "SET mf:{J}:q x",
    "XGROUP CREATE mf:{J}:q x 0",
    "XGROUP DESTROY mf:{J}:q w",
    "XGROUP SETID mf:{J}:q w 0",
    "XTRIM mf:{J}:q MAXLEN 0",
    "HSET mf:{J}:state state cancelled",
    "HGET mf:{J}:state state",
    "HSET mf:orders x drain",
    "HSET mf:bad x x",
    "HDEL mf:bad x",
    // Results of others, and what was collected.
    "GET mf:{J}:r:0",
    "GETRANGE mf:{J}:r:0 0 -1",
    "GETDEL mf:{J}:r:0",
    "GETEX mf:{J}:r:0",
    "SET mf:{J}:r:0 x GET",
    "STRLEN mf:{J}:r:0",
    "COPY mf:{J}:r:0 mf:{J}:r:1",
    "RENAME mf:{J}:r:0 mf:{J}:spec",
    "DUMP mf:{J}:r:0",
    "SORT mf:workers STORE mf:{J}:spec",
    "XREAD STREAMS mf:{J}:done 0",
    "XRANGE mf:{J}:done - +",
    "XDEL mf:{J}:done 1-1",
    "SETBIT mf:{J}:got 1 1",
    "GET mf:worker:x",
    // Jobs of others.
    "UNLINK mf:{J}:q",
    "UNLINK mf:{J}:spec",
    "DEL mf:{J}:q",
    "PEXPIRE mf:{J}:q 1",
    "PEXPIRE mf:{J}:spec 1",
    // Other keys and channels.
    "SET other x",
    "GET other",
    "EXISTS other",
    "GETRANGE other 0 -1",
    "EVALSHA 0123456789012345678901234567890123456789 1 other",
    "EVALSHA 0123456789012345678901234567890123456789 1 mf:{J}:spec",
    "SUBSCRIBE other",
    "PSUBSCRIBE *",
    "PUBLISH other x",
    // The server.
    "EVAL x 0",
    "FCALL x 0",
    "FUNCTION LOAD x",
    "SCRIPT LOAD x",
    "SCRIPT FLUSH",
    "KEYS *",
    "SCAN 0",
    "FLUSHALL",
    "FLUSHDB",
    "CONFIG GET *",
    "CONFIG SET maxmemory 1",
    "ACL SETUSER farm-worker allcommands",
    "ACL LIST",
    "CLIENT KILL ID 1",
    "CLIENT LIST",
    "CLIENT PAUSE 1000",
    "MONITOR",
    "DEBUG SLEEP 1",
    "SHUTDOWN",
    "REPLICAOF x 1",
    "MODULE LIST",
    "INFO",
    "SELECT 1",
    "SWAPDB 0 1",
    "RESTORE mf:{J}:spec 0 x",
    "MIGRATE h 1 k 0 1",
];

/// What a submitter's password does not open either.
const SUBMITTER_ATTACKS: &[&str] = &[
    "SET other x",
    "GET other",
    "UNLINK other",
    "SET mf:workers x",
    "SUBSCRIBE other",
    "PUBLISH other x",
    "XREADGROUP GROUP w me STREAMS mf:{J}:q >",
    "XCLAIM mf:{J}:q w me 0 1-1",
    "EVAL x 0",
    "EVALSHA 0123456789012345678901234567890123456789 1 other",
    "SCRIPT FLUSH",
    "KEYS *",
    "FLUSHALL",
    "CONFIG GET *",
    "ACL LIST",
    "DEBUG SLEEP 1",
    "MONITOR",
    "SHUTDOWN",
    "SELECT 1",
];

#[test]
fn passwords_open_what_they_are_for_and_nothing_else() {
    let farm = Farm::start();
    let job = JobId::generate().to_string();
    for (user, attacks) in [(WORKER.0, ATTACKS), (SUBMITTER.0, SUBMITTER_ATTACKS)] {
        for attack in attacks {
            let line = attack.replace('J', &job);
            // "J" is no letter of any command's own words above but in these two.
            let line = line.replace(&format!("{job}OIN"), "JOIN");
            let words: Vec<&str> = line.split(' ').collect();
            let answer = farm.may(user, &words);
            assert!(answer.is_err(), "{user}: {line}");
            // Control: it is a whole command, which somebody with all rights may send.
            assert_eq!(farm.may("default", &words), Ok(()), "{line}");
        }
    }
    // And not only on paper: a worker's password and the submitter's scripts, which the server knows.
    let keys: Vec<String> = ["q", "bits", "got", "spec", "state", "r:0"]
        .iter()
        .map(|part| format!("mf:{{{job}}}:{part}"))
        .collect();
    farm.server
        .ask::<()>(&["XADD", &keys[0], "1-1", "v", "1", "s", "0"]);
    farm.server.ask::<()>(&["SET", &keys[5], "a result"]);
    let lua = |text: &str| farm.server.ask::<String>(&["SCRIPT", "LOAD", text]);
    let enqueue = lua(include_str!(
        "../../../crates/farm-queue/src/redis/lua/enqueue.lua"
    ));
    let create = lua(include_str!(
        "../../../crates/farm-queue/src/redis/lua/create.lua"
    ));
    let spy = lua("return redis.call('GET', KEYS[1])");
    let as_worker = |words: &[&str]| {
        let answer = farm
            .server
            .ask_as::<redis::Value>(WORKER.0, WORKER.1, words);
        let said = answer.expect_err("it is refused");
        assert!(
            ["NOPERM", "permission", "can't access", "can't run"]
                .iter()
                .any(|words| said.contains(words)),
            "{said}"
        );
    };
    as_worker(&[
        "EVALSHA", &enqueue, "3", &keys[0], &keys[1], &keys[2], "1", "7", "", "",
    ]);
    as_worker(&[
        "EVALSHA", &create, "3", &keys[3], &keys[0], &keys[4], "x", "1000", "w", "1", "running", "",
    ]);
    as_worker(&["EVALSHA", &spy, "1", &keys[5]]);
    as_worker(&["GET", &keys[5]]);
    as_worker(&["FLUSHALL"]);
    assert_eq!(farm.server.ask::<u64>(&["XLEN", &keys[0]]), 1);
    assert_eq!(farm.server.keys("mf:*").len(), 2, "nothing was made");
}

#[test]
fn lines_for_an_access_file_and_placeholders() {
    let printed = submitter("redis-acl --aclfile --worker-user w --submitter-user s").ok();
    let lines: Vec<&str> = printed.stdout.lines().collect();
    assert!(lines[0].starts_with("user w reset on #<"), "{printed:?}");
    assert!(lines[1].starts_with("user s reset on #<"), "{printed:?}");
    assert_eq!(
        printed.words().len(),
        2,
        "both are said to lack one: {printed:?}"
    );
    // A server refuses the placeholder, and starts with the file once it is replaced.
    let folder = folder();
    let file = folder.path().join("users.acl");
    let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let good = printed.stdout.replace("<SHA256-OF-PASSWORD>", hash);
    std::fs::write(&file, format!("user default on nopass ~* &* +@all\n{good}")).expect("a file");
    let server = Server::start_with(&["--aclfile", &file.display().to_string()]);
    let users: Vec<String> = server.ask(&["ACL", "USERS"]);
    assert_eq!(users, ["default", "s", "w"]);
    server
        .ask_as::<String>("w", "secret", &["PING"])
        .expect("its password opens");
    std::fs::write(
        &file,
        format!("user default on nopass ~* &* +@all\n{}", printed.stdout),
    )
    .expect("a file");
    let reload = server.ask_as::<String>("w", "secret", &["PING"]).is_ok();
    assert!(reload, "control: as it was");
    let refused = std::panic::catch_unwind(|| server.ask::<()>(&["ACL", "LOAD"]));
    assert!(refused.is_err(), "placeholders are no hashes");
    for wrong in [
        "--worker-user s --submitter-user s",
        "--worker-user default",
    ] {
        let done = submitter(&format!("redis-acl {wrong}")).run();
        assert_eq!(done.code, Some(2), "{done:?}");
        assert_eq!((done.stdout.as_str(), done.words().len()), ("", 1));
    }
}
