//! A farm whose Redis has the users of `submitter redis-acl`, and an administrator.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use farm_tests::programs::{Run, Running};
use farm_tests::{Server, digest, folder, submitter, write_secret};
use tempfile::TempDir;

pub(super) const ADMIN: &str = "the-admins-w0rd";

pub(super) const WORKER: (&str, &str) = ("farm-worker", "the-workers-w0rd");

pub(super) const SUBMITTER: (&str, &str) = ("farm-submitter", "the-submitters-w0rd");

/// Long enough for any of these tests.
pub(super) const LIFE: Duration = Duration::from_secs(180);

/// A server with the farm's users, and passwords in files.
pub(super) struct Farm {
    pub(super) server: Server,
    pub(super) folder: TempDir,
}

impl Farm {
    pub(super) fn start() -> Self {
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

    pub(super) fn options(&self, (user, _): (&str, &str), role: &str) -> String {
        let file = self.folder.path().join(role);
        let url = self.server.url_with(None);
        format!(
            "--redis {url} --redis-user {user} --redis-password-file {}",
            file.display()
        )
    }

    pub(super) fn worker(&self, name: &str) -> Running {
        let options = self.options(WORKER, "worker");
        let mut worker = Run::program("farm-worker")
            .args(format!("--backend cpu --threads 1 --name {name} {options}").split_whitespace())
            .limit(LIFE)
            .start();
        worker.until_it_says("ready");
        worker
    }

    /// A worker whose device misbehaves: see the program `pretender`.
    pub(super) fn pretend(&self, name: &str, options: &str) -> Running {
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
    pub(super) fn operate(&self, command: &str) -> String {
        let options = self.options(SUBMITTER, "submitter");
        submitter(&format!("{command} {options}")).ok().stdout
    }

    /// That nothing was refused on the way but what everybody's start may be: a worker asks what server it has, and
    /// whether it may send scripts.
    pub(super) fn assert_nothing_was_refused(&self) {
        let known = [(WORKER.0, "info"), (WORKER.0, "script|load")];
        let known = known.map(|(user, object)| (user.to_owned(), object.to_owned()));
        let refused = self.refused();
        assert!(refused.is_subset(&BTreeSet::from(known)), "{refused:?}");
    }

    pub(super) fn render(&self, scene: &str) -> Run {
        let options = self.options(SUBMITTER, "submitter");
        submitter(&format!("render {scene} -q -o x.npy --json {options}"))
            .within(&self.folder)
            .limit(LIFE)
    }

    pub(super) fn picture(&self) -> u64 {
        digest(self.folder.path().join("x.npy"))
    }

    /// Whether a user may send these words, and what the server says if not.
    pub(super) fn may(&self, user: &str, words: &[&str]) -> Result<(), String> {
        let mut ask = vec!["ACL", "DRYRUN", user];
        ask.extend(words);
        match self.server.ask::<String>(&ask).as_str() {
            "OK" => Ok(()),
            refused => Err(refused.to_owned()),
        }
    }

    /// What the server refused so far: who wanted which command, key or channel.
    pub(super) fn refused(&self) -> BTreeSet<(String, String)> {
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
