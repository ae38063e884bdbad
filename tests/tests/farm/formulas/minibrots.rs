//! Minibrots of other formulas: located, and shown.

use farm_tests::pictures::Npy;
use farm_tests::{folder, submitter};

/// Formula, where it is looked for, and the period.
const PLACES: [(&str, &str, u64); 4] = [
    (
        "multibrot-3",
        "--re 0.3406250193166066 --im 1.271229878418706 --zoom 1e10",
        15,
    ),
    ("burning-ship", "--re -1.0 --im -1.0 --zoom 1e10", 23),
    ("tricorn", "--re -1.7549 --im 0 --zoom 1000", 3),
    (
        "sqr add / pow3 add",
        "--re 0.5818862 --im -1.011138 --zoom 10",
        4,
    ),
];

#[test]
fn minibrots_of_formulas_are_located_and_shown() {
    for (formula, place, period) in PLACES {
        let folder = folder();
        let line = format!("locate -q {place} -o mini.toml");
        submitter(&line)
            .arg("--formula")
            .arg(formula)
            .within(&folder)
            .ok();
        let said = submitter("info --json mini.toml")
            .within(&folder)
            .ok()
            .json();
        let location = &said["location"];
        assert_eq!(location["minibrot"]["period"], period, "{said}");
        assert_eq!(location["minibrot"]["shape"], "minibrot", "{said}");
        assert_eq!(location["formula"], formula, "{said}");
        // It fills a good part of its view; where it is the whole set made smaller, nothing of it reaches the edge.
        let line = "render -q --location mini.toml --size 61x61 --measure iterations -o x.npy";
        submitter(line).within(&folder).ok();
        let picture = Npy::read(folder.path().join("x.npy"));
        let inside: Vec<usize> = (picture.u32s().iter().enumerate())
            .filter(|(_, count)| **count == 0)
            .map(|(at, _)| at)
            .collect();
        assert!(inside.len() > 40, "{formula}: {}", inside.len());
        if location["minibrot"]["turned"].is_number() {
            let is_within = |at: &usize| *at > 61 && *at < 60 * 61;
            assert!(inside.iter().all(is_within), "{formula}");
        }
    }
}

#[test]
fn a_view_is_turned_by_minibrots_that_are_turned() {
    let line = |upright: &str| format!("locate -q --json {} {upright}", PLACES[0].1);
    let turned = submitter(&line("--upright"))
        .arg("--formula")
        .arg("multibrot-3");
    let turned = turned.ok().json();
    let angle = turned["minibrot"]["turned"].as_f64().expect("an angle");
    let view = turned["rotate"]
        .as_f64()
        .or_else(|| turned["transform"]["rotate"].as_f64());
    assert_eq!(view, Some(angle), "{turned}");
    let refused = format!("locate {} --upright", PLACES[1].1);
    let refused = submitter(&refused)
        .arg("--formula")
        .arg("burning-ship")
        .run();
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("not the whole set turned"),
        "{refused:?}"
    );
}
