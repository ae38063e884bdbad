//! Formulas as options, in files and in sequences.

use farm_tests::pictures::{Npy, Png};
use farm_tests::programs::Run;
use farm_tests::{digest, folder, names_in, submitter};
use serde_json::{Value, json};

const C: [&str; 2] = ["-0.8000000000000000000000000001", "0.156"];
const HYBRID: &str = "sqr add / absx absy pow3 add";

/// A small render of counts by formula and c.
fn render(what: &str, formula: Option<&str>) -> Run {
    let line = format!("render -q --size 48x32 --iterations 200 --measure iterations {what}");
    let run = submitter(&line);
    match formula {
        Some(formula) => run.arg("--formula").arg(formula),
        None => run,
    }
}

#[test]
fn every_formula_that_is_listed_can_be_asked_for() {
    let list = submitter("formulas --json").ok().json();
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), 16);
    for entry in list {
        let text = |key: &str| entry[key].as_str().expect(key);
        let plan = |formula: &str| {
            let run = submitter("plan --json --density 8").arg("--formula");
            run.arg(formula).ok().json()
        };
        let (named, written) = (plan(text("name")), plan(text("operations")));
        assert_eq!(named, written);
        let is_plain = text("name") == "mandelbrot";
        let said = (!is_plain).then(|| text("name"));
        assert_eq!(named["formula"].as_str(), said);
        for (at, side) in ["xmin", "xmax", "ymin", "ymax"].into_iter().enumerate() {
            assert_eq!(
                named["view"]["bounds"][side], entry["bounds"][at],
                "{named}"
            );
        }
    }
}

#[test]
fn each_is_shown_by_a_small_picture() {
    let shown = submitter("formulas").ok().stdout;
    let lines: Vec<String> = (shown.lines())
        .map(|line| line.chars().take(24).collect())
        .collect();
    let pictures: Vec<&[String]> = lines.chunks(12).collect();
    assert_eq!(pictures.len(), 16, "{shown}");
    for (at, picture) in pictures.iter().enumerate() {
        assert!(picture.concat().contains('█'), "{shown}");
        assert!(!pictures[..at].contains(picture), "two alike: {shown}");
    }
    assert!(shown.contains("perpendicular-buffalo") && shown.contains("absx absy sqr add"));
    let folder = folder();
    submitter("formulas -o all.png").within(&folder).ok();
    let gallery = Png::read(folder.path().join("all.png"));
    assert_eq!((gallery.width, gallery.height), (960, 960));
}

#[test]
fn files_say_the_formula_and_make_the_picture_again() {
    let folder = folder();
    let julia = format!("--julia {} {}", C[0], C[1]);
    let outputs = "-o a.npy -o a.png -o a.exr -o a.toml";
    render(
        &format!("--re 0 --im 0 --zoom 1 {julia} {outputs}"),
        Some(HYBRID),
    )
    .within(&folder)
    .ok();
    let counts = digest(folder.path().join("a.npy"));
    for file in ["a.png", "a.exr", "a.toml"] {
        let said = submitter(&format!("info --json {file}"))
            .within(&folder)
            .ok()
            .json();
        assert_eq!(said["location"]["formula"], HYBRID, "{said}");
        assert_eq!(said["location"]["julia"], json!(C), "{said}");
        let shown = submitter(&format!("info {file}"))
            .within(&folder)
            .ok()
            .stdout;
        assert!(shown.contains(HYBRID) && shown.contains(C[0]), "{shown}");
        render(&format!("--location {file} -o b.npy"), None)
            .within(&folder)
            .ok();
        assert_eq!(digest(folder.path().join("b.npy")), counts, "{file}");
    }
    // Control: what is typed wins, and is another picture.
    let plain = render("--location a.toml -o b.npy", Some("mandelbrot"));
    plain.within(&folder).ok();
    assert_ne!(digest(folder.path().join("b.npy")), counts);
    // What Kalles Fraktaler has goes there and comes back.
    render(
        "--re -1.755 --im -0.03 --zoom 20 -o ship.kfr -o ship.npy",
        Some("burning-ship"),
    )
    .within(&folder)
    .ok();
    render("--location ship.kfr -o again.npy", None)
        .within(&folder)
        .ok();
    let [first, again] = ["ship.npy", "again.npy"].map(|file| Npy::read(folder.path().join(file)));
    assert_eq!(first.u32s(), again.u32s());
}

#[test]
fn key_frames_are_of_the_formula() {
    let folder = folder();
    let line = "zoom -q --re -1.755 --im -0.03 --from 4 --to 16 --size 64x36 --iterations 200 --fps 2 --keep keys -o f/%d.png";
    submitter(line)
        .arg("--formula")
        .arg("burning-ship")
        .within(&folder)
        .ok();
    let described = names_in(&folder.path().join("keys"));
    let described = described
        .iter()
        .filter(|name| name.ends_with(".json") || name.ends_with(".toml"));
    let texts: Vec<String> = described
        .map(|name| std::fs::read_to_string(folder.path().join("keys").join(name)).expect("a text"))
        .collect();
    assert!(
        texts.iter().any(|text| text.contains("burning-ship")),
        "{texts:?}"
    );
    let ship = digest(folder.path().join("f/0.png"));
    submitter(&line.replace("--keep keys", ""))
        .within(&folder)
        .ok();
    assert_ne!(
        digest(folder.path().join("f/0.png")),
        ship,
        "control: z^2 + c"
    );
    submitter("zoom -q --reuse keys --fps 2 --size 64x36 -o f/%d.png")
        .within(&folder)
        .ok();
    assert_eq!(digest(folder.path().join("f/0.png")), ship);
}

#[test]
fn batches_have_formulas_too() {
    let folder = folder();
    let batch = format!(
        "[defaults]\nsize = \"48x32\"\niterations = 200\nmeasure = \"iterations\"\nre = 0\nim = 0\nzoom = 1\n\
         [[job]]\nformula = \"{HYBRID}\"\njulia = [{}, {}]\noutput = \"a.npy\"\n\
         [[job]]\nformula = \"{HYBRID}\"\njulia = [\"{}\", \"{}\"]\noutput = \"b.npy\"\n",
        C[0], C[1], C[0], C[1]
    );
    std::fs::write(folder.path().join("batch.toml"), &batch).expect("a file");
    submitter("batch -q batch.toml").within(&folder).ok();
    let line = format!("--re 0 --im 0 --zoom 1 --julia {} {} -o c.npy", C[0], C[1]);
    render(&line, Some(HYBRID)).within(&folder).ok();
    let [a, b, c] =
        ["a", "b", "c"].map(|name| digest(folder.path().join(name).with_extension("npy")));
    assert_eq!([a, b], [c, c]);
    let dry = submitter("batch --dry-run batch.toml")
        .within(&folder)
        .ok()
        .stdout;
    assert!(dry.contains(C[0]), "every digit: {dry}");
}

/// What is refused before any work: the command, a formula, and what its one line says.
const REFUSED: [(&str, Option<&str>, &str); 12] = [
    (
        "render -o a.png",
        Some("burnig-ship"),
        "did you mean 'burning-ship'?",
    ),
    ("plan", Some("sqr add /"), "phase 2 of the formula is empty"),
    ("render -o a.png", Some("absx absy add"), "has no power"),
    (
        "zoom --re 0 --im 0 --to 5",
        Some("pow40 add"),
        "the largest is 32",
    ),
    ("render -o a.png", Some("sqr"), "adds no c"),
    ("render -o a.png --julia 1", None, "--julia"),
    ("render -o a.png --julia one 2", None, "'one'"),
    ("render -o a.png --julia 0 0 --z0 1 0", None, "start values"),
    (
        "render -o a.kfr",
        Some("sqr rot 30 add"),
        "no .kfr says sqr rot{30} add",
    ),
    (
        "render -o a.kfr --julia 0 1",
        None,
        "no .kfr says a Julia set",
    ),
    (
        "locate --re 0 --im 0 --zoom 1",
        Some("add sqr"),
        "of add sqr",
    ),
    (
        "locate --re 0 --im 0 --zoom 1 --julia 0 1",
        None,
        "a Julia set",
    ),
];

#[test]
fn what_is_no_formula_is_refused_in_a_line() {
    for (line, formula, says) in REFUSED {
        let folder = folder();
        let run = submitter(line);
        let run = match formula {
            Some(formula) => run.arg("--formula").arg(formula),
            None => run,
        };
        let done = run.within(&folder).run();
        assert_eq!(done.code, Some(2), "{done:?}");
        let [said] = done.words()[..] else {
            panic!("one line: {done:?}")
        };
        assert!(said.contains(says), "'{says}' in: {said}");
        assert_eq!(names_in(folder.path()), [""; 0], "{done:?}");
    }
    // A c beyond the escape radius is worth a word.
    let outside = submitter("plan --json --julia 300 0 --density 1")
        .ok()
        .json();
    let warned = |plan: &Value| plan["warnings"].to_string().contains("escape radius");
    assert!(warned(&outside), "{outside}");
    assert!(!warned(&submitter("plan --json --julia 0 1").ok().json()));
}
