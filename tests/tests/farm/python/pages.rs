//! The shell commands of `docs/python.md`, word for word; `python/tests/test_pages.py` runs its blocks of Python.

use farm_tests::page::{self, BlockUse, Reader};
use farm_tests::tools::{build_folder, tools};
use farm_tests::{folder, house, names_in};

use super::environment::Environment;

#[test]
fn every_command_of_the_page_works() {
    // One build at a time: this one finds everything compiled.
    let _ = Environment::get();
    let folder = folder();
    let (top, build) = (house::top(), build_folder());
    let manifest = top.join("python/Cargo.toml");
    let manifest = manifest.to_string_lossy();
    let mut reader = Reader::new(folder.path(), &[("python/Cargo.toml", &manifest)]);
    let target = build.parent().unwrap_or(&build).display();
    let wheels = tools().with_file_name("wheels");
    reader.run(&format!(
        "export CARGO_TARGET_DIR={target}\nexport CARGO_NET_OFFLINE=true\nexport PIP_NO_INDEX=1\nexport PIP_FIND_LINKS={}\n",
        wheels.display()
    ));
    let text = page::read("docs/python.md");
    let blocks = page::blocks(&text).expect("every block says whether it is run");
    assert!(!blocks.is_empty());
    for block in &blocks {
        assert_eq!(block.usage, BlockUse::Run, "line {}", block.line);
        let said = reader.run(&block.commands).stdout;
        let mean: f64 = said
            .lines()
            .last()
            .unwrap_or_default()
            .parse()
            .expect("a mean");
        assert!(mean > 1.0, "{said}");
    }
    assert_eq!(names_in(folder.path()), ["env", "wheels"]);
}
