//! Under the access list that `submitter redis-acl` prints nothing works but the farm.

use std::collections::BTreeSet;

use farm_queue::JobId;
use farm_queue::redis::acl::{Role, commands};

use super::setup::{Farm, SUBMITTER, WORKER};

/// What a server lets everybody do who has not even logged in.
const FOR_EVERYBODY: [&str; 4] = ["auth", "hello", "quit", "reset"];

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
        "../../../../../crates/farm-queue/src/redis/lua/enqueue.lua"
    ));
    let create = lua(include_str!(
        "../../../../../crates/farm-queue/src/redis/lua/create.lua"
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
