//! Farms on which something goes wrong every few seconds. A binary of its own, so that nothing else runs beside. More of
//! them are part of `tests/long/run`.

use std::time::Duration;

use farm_tests::Run;
use serde_json::Value;

/// Longest time of all farms together, on a loaded machine.
const LIMIT: Duration = Duration::from_secs(900);

fn chaos(line: &str) -> (Option<i32>, Value, String) {
    let done = Run::program("chaos")
        .args(line.split_whitespace())
        .limit(LIMIT)
        .run();
    (done.code, done.json(), done.stderr)
}

#[test]
fn some_farms_on_which_everything_goes_wrong() {
    // Faults come while a picture is rendered: three quick farms can be done before there were ten.
    let (code, report, said) = chaos("--runs 6 --seed 1 --parallel 3 --faults-for 15 --json");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(report["runs"], 6, "{report}");
    assert_eq!(
        report["scenes"].as_object().map(|all| all.len()),
        Some(5),
        "{report}"
    );
    assert_eq!(
        report["submitters_ended"]["0 done"], report["pictures"],
        "{report}"
    );
    assert_eq!(report["pictures_differing"], 0, "{report}");
    assert_eq!(report["keys_left"], 0, "{report}");
    let faults = report["faults"].as_u64().expect("a number");
    assert!(faults > 9, "things did go wrong: {report}");
}

#[test]
fn control_a_picture_that_differs_is_seen_and_its_seed_named() {
    let (code, report, said) =
        chaos("--runs 1 --seed 7 --faults-for 0 --pretenders 4 --lie --json");
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(report["pictures_differing"], 1, "{report}");
    assert_eq!(report["failed"][0]["seed"], 7, "{report}");
    assert!(said.contains("--seed 7"), "{said}");
}
