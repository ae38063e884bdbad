//! A page as its reader walks it.

use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::page::{self, BlockUse, Reader};
use farm_tests::programs::Finished;
use farm_tests::{house, names_in};
use tempfile::TempDir;

const LIFE: Duration = Duration::from_secs(240);

/// Reads a page and runs its commands; what they said, and how many blocks there were.
pub(super) fn walk(
    page: &str,
    folder: &TempDir,
    before: &str,
    replaced: &[(&str, &str)],
) -> (String, usize) {
    let text = page::read(page);
    let blocks = page::blocks(&text)
        .unwrap_or_else(|line| panic!("{page}, line {line}: it does not say whether it is run"));
    let mut reader = Reader::new(folder.path(), replaced);
    reader.run(before);
    let (mut said, mut ran) = (String::new(), 0);
    for block in &blocks {
        match &block.usage {
            BlockUse::NotRun(why) => assert!(why.len() > 5, "{page}, line {}", block.line),
            BlockUse::Background => {
                let started = reader.start(&block.commands, LIFE);
                // Redis says on stdout that it is there, the page its address, and a worker that it is ready on stderr.
                let begun = Instant::now();
                let is_there = |said: &str| {
                    ["Ready to accept connections", "ready", "/?token="]
                        .iter()
                        .any(|words| said.contains(words))
                };
                while !is_there(&started.written()) && !is_there(&started.said()) {
                    assert!(started.is_running(), "{page}: {}", started.said());
                    assert!(begun.elapsed() < LIFE, "{page}: {}", started.said());
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            BlockUse::Run => {
                let Finished { stdout, .. } = reader.run(&block.commands);
                said += &stdout;
                ran += 1;
            }
        }
    }
    (said, ran)
}

#[track_caller]
pub(super) fn are_there(folder: &TempDir, files: &[&str]) {
    for file in files {
        let path = folder.path().join(file);
        assert!(path.exists(), "{file} in {:?}", names_in(folder.path()));
    }
}

pub(super) fn copy(from: &str, folder: &Path, name: &str) {
    let to = folder.join(name);
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    std::fs::copy(house::top().join(from), to).expect("a file");
}
