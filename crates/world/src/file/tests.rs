//! World files as they are read, and what is refused.

use std::path::Path;

use super::fields::*;
use super::world::*;
use super::yaml::Wrong;
use crate::network::target::{Here, targets};

pub(crate) fn parsed(text: &str) -> Result<World, Wrong> {
    World::parse(text, Path::new("worlds/test.penvm"))
}

const WORLD: &str = "\
meta:
  name: cluster
  description: Two kinds of machines
networks:
  default:
    targets: a-[1-3] b
    boot-concurrency: 0
  small:
    targets: b
templates:
  all:
    targets: a-[1-3], b
    scheme: ssh
    host: $target.example
    user: render
    fsdata-ids: x y
  odd:
    targets: a-[1,3]
    port: 2222
    farm: {backend: gpu}
targets:
  b:
    scheme: local
    ncores: 2
    memory: 16G
farm:
  redis: rediss://farm.example
";

#[test]
fn a_world_is_read() {
    let world = parsed(WORLD).unwrap();
    assert_eq!(world.name, "cluster");
    assert_eq!(world.farm.redis.as_deref(), Some("rediss://farm.example"));
    let network = world.network(None).unwrap();
    assert_eq!(network.targets, ["a-1", "a-2", "a-3", "b"]);
    assert_eq!(network.boot_concurrency, 0);
    assert_eq!(world.network(Some("small")).unwrap().boot_concurrency, 1);
    assert_eq!(world.templates[1].settings.port, Some(2222));
    assert_eq!(world.targets[0].1.scheme, Some(Scheme::Local));
    let error = world.network(Some("large")).unwrap_err().to_string();
    assert!(
        error.ends_with("no network 'large'; there are: default, small"),
        "{error}"
    );
}

#[test]
fn the_older_form_and_a_world_without_networks_are_read() {
    let world = parsed("name: w\ndescription:\n\ntargets:\n  localhost:\n    scheme: local\n");
    let world = world.unwrap();
    assert_eq!((world.name.as_str(), &world.description), ("w", &None));
    assert_eq!(world.network(None).unwrap().targets, ["localhost"]);
    assert_eq!(parsed("targets: {x: }").unwrap().name, "test");
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let change = |from: &str, to: &str| parsed(&WORLD.replace(from, to)).unwrap_err().to_string();
    for (from, to, says) in [
        (
            "boot-concurrency",
            "boot-concurency",
            "line 7: 'boot-concurency' is no key of a network; did you mean 'boot-concurrency'?",
        ),
        (
            "networks:",
            "network:",
            "line 4: 'network' is no key of a world; did you mean 'networks'?",
        ),
        (
            "scheme: ssh",
            "shceme: ssh",
            "line 13: 'shceme' is no key of a template; did you mean 'scheme'?",
        ),
        (
            "scheme: ssh",
            "scheme: telnet",
            "line 13: 'scheme' is 'telnet', not local or ssh",
        ),
        (
            "port: 2222",
            "port: 70000",
            "line 19: 'port' is '70000', not a number from 1 to 65535",
        ),
        (
            "concurrency: 0",
            "concurrency: all",
            "line 7: 'boot-concurrency' is 'all', not a number from 0 to 4096",
        ),
        (
            "a-[1-3] b",
            "a-[1-4] b",
            "line 5: network 'default' has a target 'a-4' that neither templates nor targets describe; did you mean 'a-1'?",
        ),
        ("a-[1-3] b", "a-[3-1] b", "line 6: 'a-[3-1]': 3 is over 1"),
        ("a-[1-3] b", "", "line 6: 'targets' is missing"),
        (
            "backend: gpu",
            "backend: tpu",
            "line 20: 'backend' is 'tpu', not auto, cpu or gpu",
        ),
        (
            "backend: gpu",
            "redsi: x",
            "line 20: 'redsi' is no key of 'farm'; did you mean 'redis'?",
        ),
        (
            "memory: 16G",
            "memory: much",
            "line 25: 'memory' is 'much', not a size such as 16G",
        ),
        (
            "  b:\n",
            "  b-[0-3]:\n",
            "line 22: 'b-[0-3]' is a range; settings of several targets belong under templates",
        ),
        (
            "host: $target.example",
            "host: -oProxyCommand=x",
            "line 14: 'host' is '-oProxyCommand=x', which begins with '-'",
        ),
        (
            "user: render",
            "user: [a]",
            "line 15: 'user' is a list, not a text",
        ),
        (
            "rediss://farm.example",
            "redis://:secret@farm",
            "line 27: 'redis' holds a password; keep it in a file and name that with 'redis-password-file'",
        ),
        (
            "rediss://farm.example",
            "redis+sentinel://farm/main?sentinel_pass=secret",
            "line 27: 'redis' holds a password; keep it in a file and name that with 'redis-password-file'",
        ),
    ] {
        assert!(WORLD.contains(from), "{from}");
        assert_eq!(change(from, to), says, "{to}");
    }
    assert!(parsed("").unwrap_err().reason.contains("is nothing"));
    assert!(parsed("x").unwrap_err().reason.contains("is a text"));
}

/// As the documentation of the notebook's library has it.
const CLUSTER: &str = "\
meta:
  name: app
  description: Single machine cluster.
  version: 1
networks:
  default:
    targets: '@machs head'
  own:
    targets: mach-[0-1]
    boot-concurrency: 2
groups:
  machs:
    targets: mach-[0-7]
  heads:
    targets: head
templates:
  mach:
    boot-concurrency: 8
    targets: mach-[0-7]
    ncores: 1
    memory: 4GB
    scheme: ssh
    host: myhost
    fshome-id: home
    fsdata-id: data
    ssl-profile: default
targets:
  head: {fsdata-id: data}
";

#[test]
fn groups_and_what_templates_say_of_boots_are_read() {
    let world = parsed(CLUSTER).unwrap();
    let network = world.network(None).unwrap();
    assert_eq!(network.targets.len(), 9);
    assert_eq!(
        (&*network.targets[0], &*network.targets[1]),
        ("head", "mach-0")
    );
    assert_eq!(network.boot_concurrency, 8);
    assert_eq!(world.network(Some("own")).unwrap().boot_concurrency, 2);
    // A target of two groups boots once, and groups may come by ranges.
    let both = CLUSTER.replace("'@machs head'", "'@g[0-1] head'").replace(
        "  heads:",
        "  g0: {targets: mach-3}\n  g1: {targets: 'mach-[2-3]'}\n  heads:",
    );
    let world = parsed(&both).unwrap();
    assert_eq!(
        world.network(None).unwrap().targets,
        ["head", "mach-3", "mach-2"]
    );
    let unnamed = "templates: {t: {targets: 'a-[0-3]', boot-concurrency: 0}}";
    let world = parsed(unnamed).unwrap();
    assert_eq!(world.network(None).unwrap().boot_concurrency, 0);
    for (from, to, says) in [
        (
            "@machs",
            "@mach",
            "network 'default' has a group 'mach' that is none; did you mean 'machs'?",
        ),
        (
            "targets: head\n",
            "targets: '@machs'\n",
            "names have at most",
        ),
        ("targets: head\n", "target: head\n", "'targets' is missing"),
        (
            "boot-concurrency: 8",
            "boot-concurrency: x",
            "line 18: 'boot-concurrency' is 'x'",
        ),
        (
            "fsdata-id: data}",
            "fsdata-di: data}",
            "did you mean 'fsdata-id'?",
        ),
        (
            "fsdata-id: data}",
            "boot-concurrency: 1}",
            "no key of a target",
        ),
    ] {
        assert!(CLUSTER.contains(from), "{from}");
        let error = parsed(&CLUSTER.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn many_names_are_looked_up_and_limited() {
    let world = |templates: usize| -> String {
        let template = |at| format!("  t{at}: {{targets: 'n-[0-4095]', ncores: 1}}\n");
        let all: String = (0..templates).map(template).collect();
        format!("templates:\n{all}")
    };
    // A search through all of them took ten seconds and more.
    let began = std::time::Instant::now();
    let many = parsed(&world(200)).unwrap();
    let network = many.network(None).unwrap();
    let here = Here {
        cores: 2,
        programs: None,
    };
    let targets = targets(&many, network, here).unwrap();
    assert_eq!(targets.len(), 4096);
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
    let error = parsed(&world(257)).unwrap_err();
    assert!(
        error.reason.contains("names, repeated ones included"),
        "{error}"
    );
    assert_eq!(error.line, 258);
}

#[test]
fn settings_that_would_grow_with_their_targets_are_refused() {
    let long = "x".repeat(500_000);
    for settings in [
        format!("farm: {{options: [{long}]}}"),
        format!("farm: {{environment: {{A: {long}}}}}"),
        format!("user: {long}"),
    ] {
        let text = format!("templates:\n  t:\n    targets: n-[0-4095]\n    {settings}\n");
        let world = parsed(&text).unwrap();
        let here = Here {
            cores: 2,
            programs: None,
        };
        let error = targets(&world, world.network(None).unwrap(), here);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("settings of its targets"), "{error}");
    }
}
