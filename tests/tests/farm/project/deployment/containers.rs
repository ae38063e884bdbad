//! Files for containers: compose's own tool takes them, every container is confined, and the images are what they say.

use std::io::Write;
use std::path::{Path, PathBuf};

use farm_tests::programs::{Finished, Run};
use farm_tests::{folder, house, tools};

use super::setup::{deploy, text, words, yaml};

/// Runs compose's own tool over files of `deploy/`.
fn compose_config(files: &[&Path], environment: &[(&str, &str)]) -> Finished {
    // Through a shell, because there may be no docker at all.
    let newer = Run::any("sh").args(["-c", "docker compose version"]).run();
    let run = if newer.code == Some(0) {
        Run::any("docker").arg("compose")
    } else {
        Run::any("docker-compose")
    };
    let run = (files.iter()).fold(run, |run, file| run.arg("-f").arg(file));
    let run = (environment.iter()).fold(run, |run, (name, value)| run.env(name, value));
    run.args(["config", "-q"]).run()
}

#[test]
fn compose_takes_its_files() {
    let compose = deploy("compose.yaml");
    let render = [("FARM_RENDER_GID", "105")];
    for files in [
        vec![compose.clone()],
        vec![compose.clone(), deploy("compose.dri.yaml")],
        vec![compose.clone(), deploy("compose.nvidia.yaml")],
    ] {
        let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let done = compose_config(&files, &render);
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    // Controls: a key that is none, and a number that nobody gave.
    let folder = folder();
    let wrong = folder.path().join("compose.yaml");
    let changed = text("compose.yaml").replace("healthcheck:", "healthchekc:");
    std::fs::write(&wrong, changed).expect("a file");
    assert_ne!(compose_config(&[&wrong], &render).code, Some(0));
    let done = compose_config(&[&compose, &deploy("compose.dri.yaml")], &[]);
    assert!(
        done.code != Some(0) && done.stderr.contains("FARM_RENDER_GID"),
        "{done:?}"
    );
}

#[test]
fn every_container_is_confined() {
    let compose = yaml("compose.yaml");
    let services = compose["services"].as_object().expect("services");
    assert_eq!(services.len(), 3);
    for (name, service) in services {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(
            service["security_opt"],
            serde_json::json!(["no-new-privileges:true"])
        );
        assert!(
            service["user"]
                .as_str()
                .is_some_and(|user| user.contains("FARM_UID"))
        );
        assert!(service.get("privileged").is_none(), "{name}");
        for secret in words(&service["secrets"]) {
            assert_ne!(secret, "ca.key", "{name}");
            assert_eq!(
                compose["secrets"][secret]["file"],
                format!("./secrets/{secret}")
            );
        }
    }
    let has = |service: &str, secret: &str| {
        words(&compose["services"][service]["secrets"]).contains(&secret)
    };
    assert!(!has("worker", "submitter.pw") && !has("submitter", "worker.pw"));
    // Only Redis is reached from outside.
    assert!(compose["services"]["worker"].get("ports").is_none());
}

#[test]
fn the_dockerfile_is_sound() {
    let hadolint = tools::tools().join("bin/hadolint");
    let lint = |file: &Path| Run::any(&hadolint).arg("--no-color").arg(file).run();
    let done = lint(&deploy("Dockerfile"));
    assert_eq!(done.code, Some(0), "{done:?}");
    let dockerfile = text("Dockerfile");
    // The toolchain is the one that the project asks for.
    let manifest = std::fs::read_to_string(house::top().join("Cargo.toml")).expect("the manifest");
    let version = manifest
        .split("rust-version = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let version = version.expect("a version");
    assert!(
        dockerfile.contains(&format!("FROM rust:{version}-")),
        "{version}"
    );
    // Both images run as nobody, and compose builds those that there are.
    let stages: Vec<&str> = dockerfile.split("\nFROM ").skip(1).collect();
    let stage = |name: &str| {
        let head = format!(" AS {name}");
        let found = stages.iter().find(|stage| {
            stage
                .lines()
                .next()
                .is_some_and(|line| line.ends_with(&head))
        });
        *found.unwrap_or_else(|| panic!("no stage '{name}'"))
    };
    let compose = yaml("compose.yaml");
    for name in ["worker", "submitter"] {
        assert!(stage(name).contains("\nUSER 65534:65534\n"), "{name}");
        let build = &compose["services"][name]["build"];
        assert_eq!(
            (&build["target"], &build["dockerfile"]),
            (&name.into(), &"deploy/Dockerfile".into())
        );
    }
    // Whatever the build needs is let through: every member of the workspace, and the manifests.
    let ignored = text("Dockerfile.dockerignore");
    let members = manifest
        .split("members = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    for member in members.expect("members").split('"').skip(1).step_by(2) {
        let top = member.split('/').next().unwrap_or_default();
        assert!(
            ignored.lines().any(|line| line == format!("!{top}")),
            "{top}"
        );
    }
    // Control.
    let folder = folder();
    let wrong = folder.path().join("Dockerfile");
    let mut file = std::fs::File::create(&wrong).expect("a file");
    writeln!(file, "FROM debian\nRUN cd /tmp && apt-get install x").expect("two lines");
    assert_ne!(lint(&wrong).code, Some(0));
}
