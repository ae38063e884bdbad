//! The rights of the farm's two Redis users: what this crate's own code sends, and no more.
//!
//! Rights are given in selectors, one for each kind of key, so that the right to a command never meets a key that it
//! is not meant for: a worker may `SET` a result and cannot `SET` a spec; it may `XADD` to the announcements and
//! cannot `XADD` to the queue. A script is called with all its keys at once, which takes the right to read and to
//! write each of them; what it does inside is held against the other selectors, command by command.
//!
//! What a worker may not do: make or change jobs, queue strips, read results, see other keys and channels, and any
//! command about the server. Nobody needs `EVAL`, `KEYS`, `CONFIG` or `FLUSHALL`.

use sha2::{Digest, Sha256};

use crate::protocol::signing::hex;
use crate::redis::connect::Secret;

/// Which of the two users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Computes strips.
    Worker,
    /// Makes jobs, collects them, and does what operators ask.
    Submitter,
}

/// Keys, each with how they may be used, and the commands that may be used on them.
struct Grant {
    keys: &'static [&'static str],
    commands: &'static [&'static str],
}

/// Without keys.
const WORKER_ROOT: &[&str] = &["ping", "publish", "subscribe", "time"];
const WORKER: &[Grant] = &[
    Grant {
        keys: &[
            "~mf:{*}:q",
            "~mf:{*}:r:*",
            "~mf:{*}:bits",
            "~mf:{*}:got",
            "~mf:{*}:done",
            "~mf:{*}:dead",
            "~mf:{*}:why",
            "~mf:{*}:crew",
            "~mf:workers",
        ],
        commands: &["evalsha"],
    },
    Grant {
        keys: &["%R~mf:jobs"],
        commands: &["zrevrange"],
    },
    Grant {
        keys: &["%R~mf:{*}:spec", "%R~mf:orbit:*"],
        commands: &["getrange"],
    },
    Grant {
        keys: &["~mf:{*}:q"],
        commands: &[
            "exists",
            "pttl",
            "xack",
            "xclaim",
            "xdel",
            "xgroup|delconsumer",
            "xlen",
            "xpending",
            "xrange",
            "xreadgroup",
        ],
    },
    Grant {
        keys: &["%W~mf:{*}:r:*"],
        commands: &["exists", "pexpire", "set", "unlink"],
    },
    Grant {
        keys: &["~mf:{*}:bits"],
        commands: &["getbit", "pexpire", "setbit"],
    },
    Grant {
        keys: &["%R~mf:{*}:got"],
        commands: &["getbit"],
    },
    Grant {
        keys: &["%W~mf:{*}:done", "%W~mf:{*}:dead"],
        commands: &["pexpire", "xadd"],
    },
    Grant {
        keys: &["~mf:{*}:why"],
        commands: &["hdel", "hget", "hset", "pexpire"],
    },
    Grant {
        keys: &["~mf:{*}:crew", "~mf:workers"],
        commands: &[
            "pexpire",
            "zadd",
            "zcard",
            "zrem",
            "zremrangebyscore",
            "zscore",
        ],
    },
    Grant {
        keys: &["%W~mf:worker:*"],
        commands: &["set", "unlink"],
    },
    Grant {
        keys: &["%R~mf:bad"],
        commands: &["hget"],
    },
    Grant {
        keys: &["~mf:orders"],
        commands: &["hdel", "hget"],
    },
];

/// Without keys.
const SUBMITTER_ROOT: &[&str] = &[
    "info",
    "ping",
    "publish",
    "script|exists",
    "script|load",
    "time",
];
const SUBMITTER: &[Grant] = &[
    Grant {
        keys: &["~mf:{*}:*", "~mf:orbit:*", "~mf:workers", "~mf:bad"],
        commands: &["evalsha", "exists", "pexpire", "unlink"],
    },
    Grant {
        keys: &["~mf:jobs", "~mf:all"],
        commands: &["pexpire", "zadd", "zrange", "zrem", "zrevrange"],
    },
    Grant {
        keys: &["~mf:{*}:spec"],
        commands: &["getrange", "set"],
    },
    Grant {
        keys: &["~mf:orbit:*"],
        commands: &["sadd", "scard", "set", "srem"],
    },
    Grant {
        keys: &["~mf:{*}:state"],
        commands: &["hget", "hincrby", "hmget", "hset", "hsetnx"],
    },
    Grant {
        keys: &["~mf:{*}:q"],
        commands: &["xadd", "xgroup|create", "xlen", "xpending", "xrange"],
    },
    Grant {
        keys: &["%R~mf:{*}:r:*"],
        commands: &["getrange"],
    },
    Grant {
        keys: &["~mf:{*}:bits", "~mf:{*}:got"],
        commands: &["setbit"],
    },
    Grant {
        keys: &["~mf:{*}:done", "~mf:{*}:dead"],
        commands: &["xdel", "xrange", "xread"],
    },
    Grant {
        keys: &["~mf:{*}:why"],
        commands: &["hdel", "hget", "hrandfield"],
    },
    Grant {
        keys: &["%R~mf:workers"],
        commands: &["zcount", "zrangebyscore"],
    },
    Grant {
        keys: &["%R~mf:worker:*"],
        commands: &["mget"],
    },
    Grant {
        keys: &["~mf:orders"],
        commands: &["hmget", "hset", "pexpire"],
    },
    Grant {
        keys: &["~mf:bad"],
        commands: &["hdel", "hget", "hgetall", "hlen", "hset"],
    },
];

/// The rules of a user, as `ACL SETUSER NAME` and lines of an `aclfile` take them: everything anew, and on.
///
/// The password is in it as Redis keeps it, by its SHA-256. Without one a placeholder stands there which Redis refuses.
#[must_use]
pub fn rules(role: Role, password: Option<&Secret>) -> String {
    let password = match password {
        Some(password) => hex(&Sha256::digest(password.expose().as_bytes())),
        None => "<SHA256-OF-PASSWORD>".to_owned(),
    };
    let (root, grants) = match role {
        Role::Worker => (WORKER_ROOT, WORKER),
        Role::Submitter => (SUBMITTER_ROOT, SUBMITTER),
    };
    // What may be done without keys, and with the one channel.
    let mut rules = format!("reset on #{password} resetchannels &mf:ctl -@all");
    for command in root {
        rules.push_str(" +");
        rules.push_str(command);
    }
    for grant in grants {
        rules.push_str(" (");
        rules.push_str(&grant.keys.join(" "));
        for command in grant.commands {
            rules.push_str(" +");
            rules.push_str(command);
        }
        rules.push(')');
    }
    rules
}

/// Every command that a role's rules allow on some keys, with `|` before a subcommand.
#[must_use]
pub fn commands(role: Role) -> Vec<&'static str> {
    let (root, grants) = match role {
        Role::Worker => (WORKER_ROOT, WORKER),
        Role::Submitter => (SUBMITTER_ROOT, SUBMITTER),
    };
    let granted = grants.iter().flat_map(|grant| grant.commands);
    let mut all: Vec<_> = root.iter().chain(granted).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hashed_and_placeholders_are_no_hashes() {
        let secret = Secret::new("secret");
        let rules = super::rules(Role::Worker, Some(&secret));
        let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        assert!(rules.starts_with(&format!("reset on #{hash} ")), "{rules}");
        assert!(!rules.contains("secret"));
        assert!(super::rules(Role::Submitter, None).contains(" #<"));
    }

    #[test]
    fn nobody_may_run_what_no_farm_needs() {
        for role in [Role::Worker, Role::Submitter] {
            let commands = commands(role);
            for never in [
                "eval",
                "keys",
                "scan",
                "flushall",
                "config|get",
                "acl|setuser",
                "get",
            ] {
                assert!(!commands.contains(&never), "{role:?}: {never}");
            }
        }
        assert!(!commands(Role::Worker).contains(&"script|load"));
    }

    #[test]
    fn whatever_a_script_does_one_of_the_users_may_do() {
        for script in crate::redis::scripts::ALL {
            let calls = script.text().split("redis.").skip(1);
            let mut called = calls.filter_map(|call| call.split('\'').nth(1));
            let may_all = |role: Role| {
                let commands = commands(role);
                called.clone().all(|name| {
                    let name = name.to_ascii_lowercase();
                    commands
                        .iter()
                        .any(|command| command.split('|').next() == Some(&name))
                })
            };
            let may = may_all(Role::Worker) || may_all(Role::Submitter);
            assert!(may, "{}", script.text());
            assert!(called.next().is_some(), "control: it calls something");
        }
    }
}
