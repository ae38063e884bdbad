//! `docs/notebook.md` as a reader follows it: its commands word for word, and what they make.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use farm_tests::page::{self, BlockUse, Reader};
use farm_tests::pictures::Npy;
use farm_tests::programs::Run;
use farm_tests::{digest, folder, house, names_in};

const PAGE: &str = "docs/notebook.md";

/// Pixels of a picture with 8 bits each of red, green, blue and opacity, as matplotlib writes it.
fn png(path: &Path) -> Vec<u8> {
    let file = BufReader::new(File::open(path).expect("a picture"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let kind = reader.output_color_type();
    assert_eq!(kind, (png::ColorType::Rgba, png::BitDepth::Eight));
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut bytes).expect("all of its rows");
    bytes
}

/// How many of the pixels in a rectangle are nearly this colour.
fn near(picture: &[u8], colour: [u8; 3]) -> usize {
    let pixels = picture.as_chunks::<4>().0.iter();
    pixels
        .filter(|pixel| (0..3).all(|at| pixel[at].abs_diff(colour[at]) < 6))
        .count()
}

#[test]
fn every_command_of_the_page_works() {
    let folder = folder();
    for name in ["worlds", "docs"] {
        let place = folder.path().join(name);
        Run::any("cp")
            .arg("-r")
            .arg(house::top().join(name))
            .arg(place)
            .ok();
    }
    let state = folder.path().join("state");
    let mut reader = Reader::new(folder.path(), &[]);
    reader.run(&format!("export FARM_STATE={}\n", state.display()));
    let text = page::read(PAGE);
    let blocks = page::blocks(&text).expect("every block says whether it is run");
    let mut said = String::new();
    for block in &blocks {
        match &block.usage {
            BlockUse::NotRun(why) => assert!(why.contains("main_job.rs"), "line {}", block.line),
            BlockUse::Background => panic!("line {}: nothing of this page goes on", block.line),
            BlockUse::Run => said += &reader.run(&block.commands).stdout,
        }
    }
    assert!(
        said.contains("SPEED-UP") && said.contains("have the same bytes"),
        "{said}"
    );
    // Arrays of the notebook's sizes and kind, one picture whatever the number of workers.
    let array = |name: &str| Npy::read(folder.path().join(name));
    let (small, large) = (array("small.npy"), array("large.npy"));
    assert_eq!((small.width, small.height, &*small.kind), (640, 768, "<f8"));
    assert_eq!((large.width, large.height), (1280, 1536));
    let one = digest(folder.path().join("workers-1.npy"));
    for n in 2..=4 {
        assert_eq!(
            digest(folder.path().join(format!("workers-{n}.npy"))),
            one,
            "{n} workers"
        );
    }
    assert_ne!(one, digest(folder.path().join("large.npy")), "control");
    let chart = std::fs::read_to_string(folder.path().join("scale.svg")).expect("a chart");
    assert!(chart.starts_with("<svg"), "{chart}");
    // The pictures: plasma's two ends are there, and most of them is blank, as most points escape.
    for name in ["pictures.png", "workers.png"] {
        let picture = png(&folder.path().join(name));
        let all = picture.len() / 4;
        let (ends, blank) = (
            near(&picture, [13, 8, 135]) + near(&picture, [240, 249, 33]),
            near(&picture, [255, 255, 255]),
        );
        assert!(ends > 100, "{name}: {ends} pixels of plasma's ends");
        assert!(
            blank > all / 2 && blank < all,
            "{name}: {blank} of {all} are blank"
        );
    }
    // Nothing is left of the world, but how long its boot took.
    let mut left = names_in(&state);
    left.retain(|name| !name.ends_with(".last.json"));
    assert!(left.is_empty(), "{left:?}");
}
