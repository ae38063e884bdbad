//! Minibrots: located, shown, and done soon.

use farm_tests::oracle::Oracle;
use farm_tests::pictures::Npy;
use farm_tests::{folder, submitter};

use super::setup::values;

#[test]
fn minibrots_are_located_and_shown() {
    for name in ["mini-1e16", "mini-1e164"] {
        let oracle = Oracle::load(name);
        let folder = folder();
        // What a search has no use for is a picture's size and radius.
        let place: Vec<&str> = oracle.args.split(" --size").collect();
        let iterations: Vec<&str> = oracle.args.split("--iterations ").collect();
        let iterations = iterations[1].split(' ').next().expect("a number");
        let search = format!("locate -q {} --iterations {iterations}", place[0]);
        submitter(&format!("{search} -o x.toml"))
            .within(&folder)
            .ok();
        let found = submitter(&format!("{search} --json")).ok().json();
        assert!(found["minibrot"]["period"].as_u64() > Some(1), "{found}");
        let line = "render -q --location x.toml --size 96x64 --measure iterations -o x.npy";
        submitter(&format!("{line} --backend cpu"))
            .within(&folder)
            .ok();
        let counts = Npy::read(folder.path().join("x.npy")).u32s();
        let inside = counts.iter().filter(|count| **count == 0).count();
        // A view that it fills, with some room around it.
        assert!(
            counts.len() / 20 < inside && inside < counts.len() / 2,
            "{name}: {inside} of {} inside",
            counts.len()
        );
    }
    // Where none is, that is said.
    let none = submitter("locate -q --re 1 --im 1 --zoom 100").run();
    assert_eq!(none.code, Some(1), "{none:?}");
    assert_eq!(none.words().len(), 1, "{none:?}");
    assert!(none.stderr.contains("no nucleus"), "{none:?}");
}

#[test]
fn minibrots_are_located_from_files_and_into_files() {
    let folder = folder();
    let at = "--re -1.7549 --im 0 --zoom 1000";
    let run = |line: &str| submitter(line).within(&folder);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let place = "Re: -1.7549\r\nIm: 0\r\nZoom: 1000\r\nIterations: 500\r\n";
    std::fs::write(folder.path().join("place.kfr"), place).expect("a file");
    run(&format!("locate -q {at} -o typed.kfr")).ok();
    run("locate -q --location place.kfr -o found.kfr").ok();
    assert_eq!(read("typed.kfr"), read("found.kfr"));
    let found = run("info found.kfr --json").ok().json();
    let location = &found["location"];
    assert_eq!(location["format"], "kfr", "{found}");
    // 20 periods of 3 and a thousand.
    assert_eq!(location["iterations"], 1060, "{found}");
    // A view around the minibrot, whose nucleus is at -1.7549.
    let re = location["re"].as_str().unwrap_or_default();
    assert!(re.starts_with("-1.769154"), "{found}");
    // The file's zoom gives way to another: that view is of the whole set.
    run("locate -q --location place.kfr --zoom 0.5 -o whole.kfr").ok();
    assert_ne!(read("whole.kfr"), read("found.kfr"));
    // A picture's minibrot is shown as the picture is.
    let paint = "--size 96x64 --palette magma --cycles 2";
    run(&format!("render -q {at} {paint} -o place.png")).ok();
    run("locate -q --location place.png -o mini.toml").ok();
    let mini = read("mini.toml");
    for kept in ["width = 96", "palette = \"magma\"", "period = 3"] {
        assert!(mini.contains(kept), "'{kept}' in {mini}");
    }
    assert!(!mini.contains("range"), "{mini}");
    // Its nucleus stands beside the view: the point of period 3, whose third step is 0 again.
    let json = run(&format!("locate -q {at} --json")).ok().json();
    for found in [&run("info mini.toml --json").ok().json()["location"], &json] {
        let part = |key: &str| -> f64 {
            let text = found["minibrot"][key].as_str().unwrap_or_default();
            text.parse().unwrap_or(f64::NAN)
        };
        let c = part("re");
        assert_eq!(part("im").abs(), 0.0, "{found}");
        let third = (c * c + c).powi(2) + c;
        assert!(third.abs() < 1e-12 && (c + 1.7549).abs() < 1e-4, "{found}");
    }
    run("render -q --location mini.toml --backend cpu -o mini.png").ok();
    for line in ["locate", "locate --location place.kfr --re 1 --im 1"] {
        let refused = run(line).run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
    }
    let none = run("locate --location none.kfr").run();
    assert_eq!((none.code, none.words().len()), (Some(2), 1), "{none:?}");
}

#[test]
fn minibrots_are_done_soon_at_any_iteration_limit() {
    // Control: a billion of these steps take seconds, and each pixel inside would make ten of them.
    for name in ["mini-1e16", "mini-1e317"] {
        let args = Oracle::load(name).args;
        let (before, after) = args.split_once("--iterations ").expect("a limit");
        let (limit, after) = after.split_once(' ').unwrap_or((after, ""));
        let few = values(&args, "iterations", "");
        let args = format!("{before}--iterations 10000000000 {after}");
        let many = values(&args, "iterations", "");
        let limit: f64 = limit.parse().expect("a number");
        let inside = many.iter().filter(|count| **count == 0.0).count();
        assert!(inside > many.len() / 50, "{name}: {inside}");
        for (few, many) in few.iter().zip(&many) {
            let expected = if *many > limit { 0.0 } else { *many };
            assert_eq!(*few, expected, "{name}");
        }
    }
}
