//! Alerts and the dashboard: Prometheus' own checker takes them and their stories, and all that they ask for is among the
//! figures of a worker.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use farm_tests::programs::{Finished, Run};
use farm_tests::scenes::QUICK;
use farm_tests::{Server, Worker, folder, submitter, tools};
use serde_json::Value;

use super::setup::{deploy, text, yaml};

fn promtool() -> PathBuf {
    let path = tools::tools().with_file_name("prometheus/usr/bin/promtool");
    assert!(
        path.is_file(),
        "{} is missing (./tests/run fetches it)",
        path.display()
    );
    path
}

fn check(command: [&str; 2], file: &Path) -> Finished {
    Run::any(promtool()).args(command).arg(file).run()
}

/// Names of figures in a text.
fn figures(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = text.split(|c| !is_name(c));
    names
        .filter(|name| name.starts_with("farm_worker_"))
        .map(str::to_owned)
        .collect()
}

/// All that the dashboard asks Prometheus.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&text("monitoring/grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().expect("what it shows");
        targets.iter().map(|target| &target["expr"])
    });
    let expressions = targets.map(|expr| expr.as_str().expect("an expression").to_owned());
    expressions.collect()
}

#[test]
fn alerts_come_when_they_should_and_not_before() {
    let rules = deploy("monitoring/alerts.yaml");
    let good = check(["check", "rules"], &rules);
    assert_eq!(good.code, Some(0), "{good:?}");
    let stories = deploy("monitoring/alerts-test.yaml");
    let good = check(["test", "rules"], &stories);
    assert_eq!(good.code, Some(0), "{good:?}");
    // Each has a story in which it comes.
    let told = yaml("monitoring/alerts-test.yaml");
    let told = told["tests"].as_array().expect("stories").iter();
    let told: BTreeSet<&str> = told
        .flat_map(|story| story["alert_rule_test"].as_array().expect("alerts"))
        .filter(|alert| !alert["exp_alerts"].as_array().expect("a list").is_empty())
        .map(|alert| alert["alertname"].as_str().expect("a name"))
        .collect();
    let alerts = yaml("monitoring/alerts.yaml");
    let rules = alerts["groups"][0]["rules"].as_array().expect("rules");
    for rule in rules {
        let name = rule["alert"].as_str().expect("a name");
        assert!(told.contains(name), "{name}");
    }
    // Controls: a rule that is none, and one that comes too early.
    let folder = folder();
    let with = |from: &str, to: &str| {
        let changed = text("monitoring/alerts.yaml").replacen(from, to, 1);
        assert_ne!(changed, text("monitoring/alerts.yaml"));
        std::fs::write(folder.path().join("alerts.yaml"), changed).expect("a file");
    };
    std::fs::copy(stories, folder.path().join("stories.yaml")).expect("a file");
    with("== 0", "== (");
    let wrong = check(["check", "rules"], &folder.path().join("alerts.yaml"));
    assert_ne!(wrong.code, Some(0));
    with("for: 5m", "for: 1m");
    let early = check(["test", "rules"], &folder.path().join("stories.yaml"));
    assert_ne!(early.code, Some(0));
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_figures_that_workers_have() {
    let server = Server::start();
    let mut worker = Worker::start_with(
        &server,
        "shown",
        "--backend cpu --threads 1 --metrics 127.0.0.1:0",
    );
    worker.until_it_says("metrics at http://");
    // Some figures are there as soon as a job was seen.
    let out = folder();
    let line = format!("render -q {QUICK} --backend cpu --redis {}", server.url());
    submitter(&line)
        .arg("-o")
        .arg(out.path().join("x.npy"))
        .ok();
    let said = worker.said();
    let address = said.split("metrics at http://").nth(1);
    let address = address.and_then(|rest| rest.split('/').next());
    let mut stream = TcpStream::connect(address.expect("an address")).expect("metrics");
    stream
        .write_all(b"GET /metrics HTTP/1.0\r\n\r\n")
        .expect("a question");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, shown) = answer.split_once("\r\n\r\n").expect("a body");

    let asked = expressions();
    assert!(asked.len() > 12, "{}", asked.len());
    let mut wanted = figures(&text("monitoring/alerts.yaml"));
    wanted.extend(asked.iter().flat_map(|expression| figures(expression)));
    let there = figures(shown);
    let missing: Vec<&String> = wanted.difference(&there).collect();
    assert!(missing.is_empty(), "{missing:?}:\n{shown}");
    // Each is an expression of Prometheus' language.
    let folder = folder();
    let rules = folder.path().join("rules.yaml");
    let quoted = |expression: &String| {
        let plain = expression.replace("$instance", ".*");
        let quoted = serde_json::to_string(&plain).expect("a text");
        format!(
            "      - {{record: \"shown:by:panel\", expr: {quoted}, labels: {{n: \"{}\"}}}}\n",
            plain.len()
        )
    };
    let lines: BTreeSet<String> = asked.iter().map(quoted).collect();
    let lines: String = lines.into_iter().collect();
    std::fs::write(&rules, format!("groups:\n  - name: x\n    rules:\n{lines}")).expect("a file");
    let parsed = check(["check", "rules"], &rules);
    assert_eq!(parsed.code, Some(0), "{parsed:?}");
}
