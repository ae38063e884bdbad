//! What is said, and where: data on stdout, words on stderr, a bar on a terminal only.

use farm_tests::programs::Run;
use farm_tests::scenes::LONG;
use farm_tests::terminal::show;
use farm_tests::{Server, Worker, folder, submitter};

const ESCAPE: char = '\u{1b}';

#[test]
fn without_a_terminal_there_is_one_line_and_no_bar() {
    let folder = folder();
    let done = submitter("render --density 64 --backend cpu -o x.png")
        .within(&folder)
        .ok();
    assert_eq!(done.stdout, "");
    let [summary] = done.words()[..] else {
        panic!("one line: {done:?}")
    };
    assert!(!done.stderr.contains(['\r', ESCAPE]), "{done:?}");
    for part in ["x.png", "160 x 192", "Mpx", " s, "] {
        assert!(summary.contains(part), "'{part}' in {summary}");
    }
}

#[test]
fn quiet_says_nothing_and_json_one_line() {
    let folder = folder();
    let done = submitter("render --density 16 --backend cpu -q")
        .within(&folder)
        .ok();
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", ""));
    let done = submitter("render --density 16 --backend cpu -q --json")
        .within(&folder)
        .ok();
    assert_eq!(done.stderr, "");
    assert_eq!(done.json()["width"], 40);
}

#[test]
fn a_terminal_sees_strips_speed_and_time_left() {
    let (server, folder) = (Server::start(), folder());
    // It takes its time over each strip: the bar has something to show on any machine.
    let _worker = Worker::steady(&server, "worker");
    let line = format!("render {LONG} --json -o x.npy --redis {}", server.url());
    let shown = show(submitter(&line).within(&folder));
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for part in [" strips", " Mpx/s", " left", "1 worker"] {
        assert!(shown.screen.contains(part), "'{part}' in {shown:?}");
    }
    let count = |part: &str| shown.screen.matches(part).count();
    assert!(count(" Mpx/s") >= 2, "a bar that moves: {shown:?}");
    assert!(!shown.stdout.contains("strips  "), "{shown:?}");
    serde_json::from_str::<serde_json::Value>(&shown.stdout).expect("one JSON object");
    // When it is done the bar is gone and the summary stays, as the last line.
    let last = shown
        .screen
        .rsplit("\r\n")
        .find(|line| !line.trim().is_empty());
    assert!(
        last.is_some_and(|line| line.contains("128 x 192")),
        "{shown:?}"
    );
}

#[test]
fn no_color_is_kept() {
    let folder = folder();
    // A view too deep for doubles, so that there is a warning, too.
    let run = submitter(&format!("render {LONG} -o x.npy --log debug")).within(&folder);
    let shown = show(run.env("NO_COLOR", "1"));
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let colours = shown.screen.split(ESCAPE).skip(1).filter(|rest| {
        let sequence: String = rest
            .chars()
            .take_while(|c| !c.is_ascii_alphabetic())
            .collect();
        let is_style = rest[sequence.len()..].starts_with('m');
        is_style && !matches!(sequence.as_str(), "[" | "[0")
    });
    assert_eq!(colours.count(), 0, "{shown:?}");
}

#[test]
fn logs_without_a_terminal_are_plain() {
    let server = Server::start();
    let worker = Worker::start(&server, "plain");
    let said = worker.said();
    assert!(said.contains("ready") && !said.contains(ESCAPE), "{said}");
}

#[test]
fn help_has_examples_and_goes_to_stdout() {
    for (program, args) in [
        ("submitter", "--help"),
        ("submitter", "render --help"),
        ("farm-worker", "--help"),
    ] {
        let done = Run::program(program).args(args.split(' ')).ok();
        assert_eq!(done.stderr, "", "{program} {args}");
        assert!(
            done.stdout.contains("Examples:"),
            "{program} {args}: {}",
            done.stdout
        );
    }
    for program in ["submitter", "farm-worker"] {
        let done = Run::program(program).arg("--version").ok();
        assert!(done.stdout.starts_with(program), "{done:?}");
    }
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = submitter(&format!("completions {shell}")).ok();
        assert!(done.stdout.contains("escape-radius"), "{shell}");
        assert_eq!(done.stderr, "");
    }
}

#[test]
fn a_view_too_deep_for_doubles_is_warned_of() {
    let folder = folder();
    let deep =
        "--arithmetic f64 --re -0.75 --im 0.1 --zoom 1e9 --size 32x24 --backend cpu -o x.png";
    let done = submitter(&format!("render {deep}")).within(&folder).ok();
    assert!(
        done.words()[0].starts_with("submitter: warning: "),
        "{done:?}"
    );
    // Not where they are enough, nor where the program chooses.
    for good in [
        deep.replace("1e9", "1e3"),
        deep.replace("--arithmetic f64", ""),
    ] {
        let done = submitter(&format!("render {good}")).within(&folder).ok();
        assert!(!done.stderr.contains("warning"), "{done:?}");
    }
}
