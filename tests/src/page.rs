//! Pages of the documentation whose commands are run word for word.
//!
//! Each block of shell commands says above itself whether it is run: `<!-- run -->`, `<!-- run in the background -->`
//! or `<!-- not run: WHY -->`. A block that says nothing is a failure, so that no command is forgotten.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::processes::programs::{Finished, Run, Running};
use crate::tools::{build_folder, tools};

/// What is done with a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockUse {
    /// It is run to its end, which has to be a success.
    Run,
    /// It is started, and goes on.
    Background,
    /// It is not run, for this reason.
    NotRun(String),
}

/// Shell commands of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What is done with them.
    pub usage: BlockUse,
    /// The commands.
    pub commands: String,
    /// Where they begin in the page.
    pub line: usize,
}

/// The text of a page, by its path from the project's top.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn read(path: &str) -> String {
    let path = crate::house::top().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of shell commands in a page.
///
/// # Errors
/// The line of a block that does not say whether it is run.
pub fn blocks(page: &str) -> Result<Vec<Block>, usize> {
    let mut blocks = Vec::new();
    let mut usage = None;
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        // Blocks of lists stand to the right.
        let (before, line) = line.split_at(line.len() - line.trim_start().len());
        let said = (line.strip_prefix("<!-- ")).and_then(|rest| rest.strip_suffix(" -->"));
        match (line, said) {
            ("```sh", _) => {
                let commands: Vec<&str> = (lines.by_ref())
                    .map(|(_, line)| line.strip_prefix(before).unwrap_or(line))
                    .take_while(|line| *line != "```")
                    .collect();
                blocks.push(Block {
                    usage: usage.take().ok_or(at + 1)?,
                    commands: commands.join("\n") + "\n",
                    line: at + 1,
                });
            }
            (_, Some("run")) => usage = Some(BlockUse::Run),
            (_, Some("run in the background")) => usage = Some(BlockUse::Background),
            (_, Some(said)) => {
                let why = said.strip_prefix("not run: ").ok_or(at + 1)?;
                usage = Some(BlockUse::NotRun(why.to_owned()));
            }
            ("", None) => {}
            // Whatever else stands between takes the word from a block.
            _ => usage = None,
        }
    }
    Ok(blocks)
}

/// A shell that reads a page: what a block exports and defines is there for those after it.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    /// What was run so far, of which only definitions matter to the next block.
    definitions: String,
    replaced: Vec<(String, String)>,
    running: Vec<Running>,
}

impl Reader {
    /// One that works in `folder`, and reads each `word` as its replacement.
    #[must_use]
    pub fn new(folder: &Path, replaced: &[(&str, &str)]) -> Self {
        let owned = |&(word, by): &(&str, &str)| (word.to_owned(), by.to_owned());
        Self {
            folder: folder.to_owned(),
            definitions: String::new(),
            replaced: replaced.iter().map(owned).collect(),
            running: Vec::new(),
        }
    }

    fn shell(&self, commands: &str) -> Run {
        let commands = (self.replaced.iter()).fold(commands.to_owned(), |text, (word, by)| {
            text.replace(word, by)
        });
        Run::any("bash")
            .args(["-euo", "pipefail", "-c"])
            .arg(commands)
            .env("PATH", &path())
            .env("MPLBACKEND", "Agg")
            .within(&self.folder)
    }

    /// Runs commands to their end.
    ///
    /// # Panics
    /// When one of them fails.
    pub fn run(&mut self, commands: &str) -> Finished {
        let done = self.shell(&format!("{}{commands}", self.definitions)).ok();
        let defines = |line: &&str| {
            line.starts_with("export ") || line.starts_with("umask ") || line.contains("() {")
        };
        for line in commands.lines().filter(defines) {
            self.definitions.push_str(line);
            self.definitions.push('\n');
        }
        done
    }

    /// Starts commands that go on until this is dropped, the last of them in the place of the shell.
    pub fn start(&mut self, commands: &str, limit: Duration) -> &mut Running {
        let run = self.shell(&format!("{}exec {commands}", self.definitions));
        self.running.push(run.limit(limit).start());
        self.running.last_mut().expect("just started")
    }

    /// What was started, in order.
    pub fn running(&mut self) -> &mut Vec<Running> {
        &mut self.running
    }
}

/// Where programs are found: those of this build, the tests' own tools, and whatever the system has.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let tools = tools().join("bin");
    format!("{}:{}:{path}", build_folder().display(), tools.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_say_whether_they_are_run() {
        let page = "# A\n<!-- run -->\n```sh\na\nb\n```\n\n<!-- not run: no disk -->\n\n```sh\nc\n```\n```yaml\nd\n```\n<!-- run in the background -->\n```sh\ne\n```\n";
        let block = |usage, commands: &str, line| Block {
            usage,
            commands: commands.to_owned(),
            line,
        };
        assert_eq!(
            blocks(page),
            Ok(vec![
                block(BlockUse::Run, "a\nb\n", 3),
                block(BlockUse::NotRun("no disk".to_owned()), "c\n", 10),
                block(BlockUse::Background, "e\n", 17),
            ])
        );
        let of_a_list = "1. A\n   <!-- run -->\n   ```sh\n   a\n     b\n   ```\n";
        assert_eq!(
            blocks(of_a_list),
            Ok(vec![block(BlockUse::Run, "a\n  b\n", 3)])
        );
        assert_eq!(blocks("```sh\na\n```\n"), Err(1));
        assert_eq!(blocks("<!-- run -->\nwords\n```sh\na\n```\n"), Err(3));
        assert_eq!(blocks("<!-- runs -->\n```sh\na\n```\n"), Err(1));
    }

    #[test]
    fn what_a_block_defines_is_there_for_the_next() {
        let folder = crate::files::folder();
        let mut reader = Reader::new(folder.path(), &[("WORD", "said")]);
        reader.run("export A=1\nf() { echo \"WORD $A\"; }\n");
        assert_eq!(reader.run("f\n").stdout, "said 1\n");
    }
}
