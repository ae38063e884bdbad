//! Pages about pictures, videos and their files.

use farm_tests::pictures::Png;
use farm_tests::scenes::{SLOW, SLOW_STRIPS};
use farm_tests::{folder, house, names_in};
use tempfile::TempDir;

use super::walk::{are_there, copy, walk};

#[test]
fn a_first_picture() {
    let folder = folder();
    let replaced = [
        ("3840x2160", "384x216"),
        ("submitter serve", "submitter serve --listen 127.0.0.1:0"),
    ];
    let (said, ran) = walk("docs/first-picture.md", &folder, "", &replaced);
    assert!(ran == 2 && said.contains("dusk"), "{said}");
    are_there(
        &folder,
        &["first.png", "magma.png", "large.png", "deeper.png"],
    );
}

#[test]
fn videos() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("worlds")).expect("a folder");
    copy(
        "worlds/4-local.penvm",
        folder.path(),
        "worlds/4-local.penvm",
    );
    let place = "re = \"-0.7436438870371587\"\nim = \"0.13182590420531197\"\nzoom = \"4000\"\niterations = 300\n";
    std::fs::write(folder.path().join("place.toml"), place).expect("a place");
    let small = "--size 96x54 --fps 8";
    let replaced = [
        (
            "--to 1e11 --iterations 10000",
            &*format!("--to 64 --iterations 300 {small}"),
        ),
        (
            "--size 1920x1080 --fps 60 --ease 2",
            &*format!("{small} --ease 1"),
        ),
        ("--rotate 180", &*format!("--rotate 180 {small}")),
        ("--preview", "--preview --size 320x180"),
        (
            "--world worlds/4-local.penvm",
            &*format!("--world worlds/4-local.penvm {small}"),
        ),
        ("--to 1e50 --size 640x360", "--to 64 --size 64x36"),
    ]
    .map(|(word, by)| (word, by.to_owned()));
    let replaced: Vec<(&str, &str)> = replaced.iter().map(|(word, by)| (*word, &**by)).collect();
    // The last of the first block is the first's file again: a video that is there already is made anew.
    let before = "export FARM_STATE=$PWD/state\n";
    let (_, ran) = walk("docs/zoom.md", &folder, before, &replaced);
    assert_eq!(ran, 2);
    are_there(
        &folder,
        &["dive.mp4", "out.webm", "quick.mp4", "keys", "frames"],
    );
}

#[test]
fn deep_places() {
    let folder = folder();
    copy("tests/data/locations/place.kfr", folder.path(), "place.kfr");
    let replaced = [
        (
            "--re RE --im IM --zoom 1e30",
            "--re -0.7436438870371587 --im 0.13182590420531197 --zoom 1e11",
        ),
        ("--re RE --im IM", "--re 0 --im 1"),
        ("--zoom ZOOM --iterations N", "--zoom 20 --iterations 300"),
        ("--zoom ZOOM", "--zoom 1.34e8"),
        ("766x434", "64x36"),
        ("--iterations 263010", "--iterations 3000"),
        ("1024x1024", "64x64"),
        ("1920x1080", "96x54"),
        ("--zoom 2e12 -o", "--zoom 2e12 --size 96x54 -o"),
    ];
    let (_, ran) = walk("docs/deep-zoom.md", &folder, "", &replaced);
    assert_eq!(ran, 5);
    are_there(&folder, &["deep.png", "mini.png", "around.png", "mini.kfr"]);
}

#[test]
fn files_of_every_kind() {
    let folder = folder();
    for file in ["place.kfr", "place.f3.toml"] {
        copy(&format!("tests/data/locations/{file}"), folder.path(), file);
    }
    let before = "submitter render --re -0.7436 --im 0.1318 --zoom 30 --size 96x54 -q -o place.exr -o spiral.png\n";
    let replaced = [
        ("1920x1080", "96x54"),
        ("--rotate 33", "--rotate 33 --size 96x54"),
    ];
    let (said, ran) = walk("docs/files.md", &folder, before, &replaced);
    assert!(ran == 5 && said.contains("96 x 54"), "{said}");
    are_there(
        &folder,
        &[
            "place.png",
            "deeper.png",
            "stretched.png",
            "mini.toml",
            "again.png",
            "other.png",
            "x.exr",
        ],
    );
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("a picture");
    assert!(
        read("again.png") == read("spiral.png"),
        "a picture made again from itself"
    );
}

#[test]
fn colours() {
    let folder = folder();
    copy(
        "docs/colour/colours.toml",
        folder.path(),
        "docs/colour/colours.toml",
    );
    let replaced = [
        ("--zoom 400", "--zoom 400 --size 96x54"),
        ("--density 256", "--density 16"),
    ];
    let (_, ran) = walk("docs/colour.md", &folder, "", &replaced);
    assert_eq!(ran, 3);
    are_there(&folder, &["v.png", "w.png", "x.png"]);
    // The page shows what its commands make.
    are_shown(&folder, "docs/colour", 9);
}

#[test]
fn a_gallery() {
    let folder = folder();
    copy(
        "docs/gallery/gallery.toml",
        folder.path(),
        "docs/gallery/gallery.toml",
    );
    let replaced = [("3840x2400", "96x60")];
    let (_, ran) = walk("docs/gallery.md", &folder, "", &replaced);
    assert_eq!(ran, 2);
    are_there(&folder, &["dusk.png"]);
    are_shown(&folder, "docs/gallery", 8);
}

#[test]
fn formulas() {
    let folder = folder();
    let (said, ran) = walk("docs/formulas.md", &folder, "", &[]);
    assert!(ran == 2 && said.contains("burning-ship"), "{said}");
    are_there(&folder, &["ship.png", "hybrid.png", "julia.png"]);
}

/// What can be continued is a render that was interrupted before.
#[test]
fn pictures() {
    let folder = folder();
    let before = format!(
        "export FARM_JOURNAL=$PWD/journals\n\
         submitter render {SLOW} {SLOW_STRIPS} --threads 1 -q -o long.png & slow=$!\n\
         until [ \"$(ls journals/*/plan.json 2>/dev/null)\" ]; do sleep 0.02; done\n\
         kill -INT $slow; wait $slow || [ $? = 130 ]\n"
    );
    let replaced = [
        ("--density 4096", "--density 64"),
        ("--density 20000", "--density 800"),
        ("--density 256", "--density 16"),
        ("--zoom 20", "--zoom 20 --size 96x54"),
        ("resume JOB", "resume $(ls journals)"),
    ];
    let (said, ran) = walk("docs/pictures.md", &folder, &before, &replaced);
    assert!(ran == 3 && said.contains("of 48 strips"), "{said}");
    let made = [
        "mandelbrot.png",
        "view.png",
        "valley.png",
        "valley.npy",
        "valley.exr",
        "x.npy",
        "long.png",
    ];
    are_there(&folder, &made);
    assert_eq!(names_in(&folder.path().join("journals")), [""; 0]);
}

#[test]
fn a_picture_painted_anew() {
    let folder = folder();
    let replaced = [("--density 4096", "--density 64")];
    let (_, ran) = walk("docs/benchmarks.md", &folder, "", &replaced);
    assert_eq!(ran, 1);
    are_there(&folder, &["x.exr", "y.png"]);
}

/// That the pictures of a page are those that its commands made, to the last pixel.
#[track_caller]
fn are_shown(folder: &TempDir, page: &str, number: usize) {
    let made = folder.path().join(page);
    let names: Vec<String> = names_in(&made)
        .into_iter()
        .filter(|name| name.ends_with(".png"))
        .collect();
    assert_eq!(names.len(), number, "{names:?}");
    for name in names {
        let [now, shown] = [made.join(&name), house::top().join(page).join(&name)].map(Png::read);
        assert!(
            now.pixels == shown.pixels,
            "{page}/{name} is another picture by now; make it again"
        );
    }
}
