//! Worlds whose targets are behind ssh, or behind a network that breaks.

use std::process::Command;
use std::time::Duration;

use farm_tests::job::quiet;
use farm_tests::programs::{kill, path_of};
use farm_tests::scenes::QUICK;
use farm_tests::ssh::Sshd;
use farm_tests::world::{World, is_alive, pid, target, until};
use farm_tests::{Server, digest, folder, names_in};
use rustix::process::Signal;

/// Settings of targets behind `sshd`, with the files of their workers in `folder`.
fn behind(sshd: &Sshd, folder: &std::path::Path) -> String {
    format!(
        "backend: cpu, threads: 1, worker: {}, ssh-config: {}, folder: {}",
        path_of("farm-worker").display(),
        sshd.config().display(),
        folder.display()
    )
}

#[test]
fn two_targets_behind_ssh_boot_lose_one_and_shut_down() {
    let (sshd, there) = (Sshd::start(), folder());
    let world = World::of(&format!(
        "networks: {{default: {{targets: 'n[1-2]', boot-concurrency: 2}}}}\n\
         templates: {{t: {{targets: 'n[1-2]', scheme: ssh, host: good}}}}\n\
         farm: {{{}}}\n",
        behind(&sshd, there.path())
    ));
    let booted = world.boot();
    for name in ["n1", "n2"] {
        assert_eq!(target(&booted, name)["state"], "booted", "{booted}");
        assert_eq!(target(&booted, name)["host"], "good");
    }
    // Both by one tunnel: what is written down here is that, and the Redis.
    assert_eq!(world.pids().len(), 2);
    let command =
        std::fs::read(format!("/proc/{}/cmdline", pid(&booted, "n1"))).expect("a process");
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    let socket = command
        .split(' ')
        .find_map(|word| word.strip_prefix("unix://"));
    let socket = std::path::PathBuf::from(socket.expect("a socket"));
    assert!(socket.exists(), "{command}");

    let pictures = folder();
    let scene = format!("{QUICK} --strip-rows 16 --backend cpu");
    let line = format!("render -q {scene} --fallback never -o x.npy");
    world.render(&line).within(&pictures).ok();
    assert_eq!(digest(pictures.path().join("x.npy")), quiet(&scene));

    let lost = pid(&booted, "n2");
    kill(lost, Signal::KILL);
    until("it is gone", || !is_alive(lost));
    let status = world.status();
    assert_eq!(target(&status, "n1")["state"], "serving", "{status}");
    assert_eq!(target(&status, "n2")["state"], "dead", "{status}");
    let again = world.boot();
    assert_eq!(target(&again, "n1")["state"], "running", "{again}");
    assert_eq!(target(&again, "n2")["state"], "booted", "{again}");

    let workers = [pid(&again, "n1"), pid(&again, "n2")];
    world.shut_down();
    assert!(!workers.iter().any(|worker| is_alive(*worker)));
    assert_eq!(names_in(there.path()), [""; 0], "files of workers");
    assert!(!socket.exists() && !socket.parent().is_some_and(std::path::Path::exists));
}

#[test]
fn whatever_is_wrong_with_a_target_behind_ssh_is_one_clear_line() {
    let (sshd, there, server) = (Sshd::start(), folder(), Server::start());
    let hosts = ["good", "refused", "unknown", "locked", "hangs"];
    let mut targets = String::new();
    for host in hosts {
        targets += &format!("  {host}: {{scheme: ssh}}\n");
    }
    let world = World::of(&format!(
        "networks: {{default: {{targets: 'good refused unknown locked hangs missing', boot-concurrency: 0}}}}\n\
         targets:\n{targets}  missing: {{host: far.away, farm: {{worker: no-such-program}}}}\n\
         farm: {{boot-timeout: 8, redis: '{}', {}}}\n",
        server.url(),
        behind(&sshd, there.path())
    ));
    let booted = world.command("boot", "--json").run();
    assert_eq!(booted.code, Some(0), "{booted:?}");
    let report = booted.json();
    assert_eq!(target(&report, "good")["state"], "booted", "{report}");
    for (name, error) in [
        ("refused", "Connection refused"),
        ("unknown", "its host key is unknown"),
        ("locked", "Permission denied"),
        ("hangs", "did not answer within 8 s"),
        ("missing", "no program 'no-such-program' on far.away"),
    ] {
        let target = target(&report, name);
        assert_eq!(target["state"], "failed", "{report}");
        let said = target["error"].as_str().expect("why");
        assert!(said.contains(error) && !said.contains('\n'), "{said}");
    }
    assert!(booted.elapsed < Duration::from_secs(60), "{booted:?}");
    let status = world.status();
    assert_eq!(target(&status, "good")["state"], "serving", "{status}");
    assert_eq!(target(&status, "hangs")["state"], "down", "{status}");
    world.shut_down();
    assert_eq!(server.keys("*"), [""; 0]);
}

/// A network namespace with one way to this machine; removed on drop.
struct Namespace {
    name: String,
    /// Addresses of the way's two ends.
    here: String,
}

fn ip(words: &str) -> bool {
    let done = Command::new("ip").args(words.split(' ')).output();
    done.is_ok_and(|done| done.status.success())
}

impl Namespace {
    /// Makes one; `None` where that is not permitted.
    fn make() -> Option<Self> {
        let number = std::process::id() % 250;
        let name = format!("mf{}", std::process::id());
        let (near, far) = (format!("{name}a"), format!("{name}b"));
        let (here, there) = (format!("10.213.{number}.1"), format!("10.213.{number}.2"));
        if !ip(&format!("netns add {name}")) {
            return None;
        }
        let made = Self { name, here };
        let (name, here) = (&made.name, &made.here);
        let all = [
            format!("link add {near} type veth peer name {far} netns {name}"),
            format!("addr add {here}/30 dev {near}"),
            format!("link set {near} up"),
            format!("-n {name} addr add {there}/30 dev {far}"),
            format!("-n {name} link set {far} up"),
        ];
        all.iter().all(|words| ip(words)).then_some(made)
    }

    fn cut(&self, is_cut: bool) {
        let what = if is_cut { "down" } else { "up" };
        assert!(ip(&format!("-n {0} link set {0}b {what}", self.name)));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(&format!("link del {}a", self.name));
        let _ = ip(&format!("netns del {}", self.name));
    }
}

#[test]
fn a_worker_on_another_host_is_cut_off_and_rejoins() {
    let Some(namespace) = Namespace::make() else {
        eprintln!(
            "SKIPPED: a worker cut off by its network: this machine permits no network namespaces (ip netns add)"
        );
        return;
    };
    let addresses = format!("127.0.0.1 {}", namespace.here);
    let server = Server::start_with(&["--bind", &addresses, "--protected-mode", "no"]);
    let world = World::of(&format!(
        "targets:\n  far: {{scheme: local, farm: {{worker: ./far}}}}\n  near: {{scheme: local}}\n\
         farm: {{backend: cpu, threads: 1, insecure: true, redis: 'redis://{}:{}'}}\n",
        namespace.here,
        server.port()
    ));
    let worker = path_of("farm-worker");
    let command = format!(
        "exec ip netns exec {} {} \"$@\"",
        namespace.name,
        worker.display()
    );
    world.script("far", &command);
    let booted = world.boot();
    assert_eq!(target(&booted, "far")["state"], "booted", "{booted}");
    namespace.cut(true);
    until("the farm misses it", || {
        target(&world.status(), "far")["state"] == "cut-off"
    });
    assert_eq!(target(&world.status(), "near")["state"], "serving");
    namespace.cut(false);
    until("it is back", || {
        target(&world.status(), "far")["state"] == "serving"
    });
    let status = world.status();
    assert_eq!(pid(&status, "far"), pid(&booted, "far"), "the same process");
    world.shut_down();
    assert_eq!(server.keys("*"), [""; 0]);
}
