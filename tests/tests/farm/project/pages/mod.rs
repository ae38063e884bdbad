//! Pages of the documentation, every command of them as a reader types it, but for sizes that take less time.

mod farms;
mod pictures;
mod walk;

use farm_tests::page::{self, BlockUse};
use farm_tests::{house, names_in};

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
