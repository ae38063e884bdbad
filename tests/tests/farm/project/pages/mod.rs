//! Pages of the documentation, every command of them as a reader types it, but for sizes that take less time.

mod farms;
mod pictures;

use std::path::Path;
use std::time::{Duration, Instant};

use farm_tests::page::{self, BlockUse, Reader};
use farm_tests::programs::Finished;
use farm_tests::{house, names_in};
use tempfile::TempDir;

const LIFE: Duration = Duration::from_secs(240);

/// Reads a page and runs its commands; what they said, and how many blocks there were.
fn walk(page: &str, folder: &TempDir, before: &str, replaced: &[(&str, &str)]) -> (String, usize) {
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
fn are_there(folder: &TempDir, files: &[&str]) {
    for file in files {
        let path = folder.path().join(file);
        assert!(path.exists(), "{file} in {:?}", names_in(folder.path()));
    }
}

fn copy(from: &str, folder: &Path, name: &str) {
    let to = folder.join(name);
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    std::fs::copy(house::top().join(from), to).expect("a file");
}

/// Every page, and the readme: no command is forgotten, and those that are not run say why.
#[test]
fn every_command_says_whether_it_is_run() {
    let pages = names_in(&house::top().join("docs")).into_iter();
    let pages = pages
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"));
    let (mut run, mut not_run) = (0, 0);
    for name in pages.chain(["README.md".to_owned()]) {
        let text = page::read(&name);
        let blocks = page::blocks(&text).unwrap_or_else(|line| {
            panic!("{name}, line {line}: it does not say whether it is run")
        });
        let of_programs = ["cargo ", "submitter ", "farm-worker ", "tests/", "./tests/"];
        let mut in_block = false;
        for (at, line) in text.lines().enumerate() {
            in_block ^= line.trim_start().starts_with("```");
            let command = line.strip_prefix("    ").unwrap_or_default();
            let is_loose = !in_block && of_programs.iter().any(|word| command.starts_with(word));
            assert!(
                !is_loose,
                "{name}, line {}: a command that is in no block",
                at + 1
            );
        }
        let is_not_run = |block: &&page::Block| matches!(block.usage, BlockUse::NotRun(_));
        not_run += blocks.iter().filter(is_not_run).count();
        run += blocks.len();
    }
    run -= not_run;
    assert!(
        run > 100 && not_run < run / 3,
        "{run} are run, {not_run} are not"
    );
}
