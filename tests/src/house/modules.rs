//! The modules of a crate as its sources declare them, and where each path in them leads.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;
use super::tokens::{group_end, is_name, shipped, tokens};

/// Keywords before the name of an item.
const ITEMS: [&str; 10] = [
    "struct",
    "enum",
    "union",
    "trait",
    "type",
    "fn",
    "const",
    "static",
    "macro_rules",
    "mod",
];
/// Words between such a keyword and the name.
const BETWEEN: [&str; 6] = ["mut", "!", "unsafe", "extern", "async", "fn"];

/// One module: a file, or a part of one in braces.
#[derive(Debug, Default)]
pub struct Module {
    /// Path of the file that holds it.
    pub file: String,
    /// The module around it, by its index; `None` for the crate's root.
    pub parent: Option<usize>,
    /// Modules inside it, by name.
    pub children: BTreeMap<String, usize>,
    /// Names of modules inside it whose files were not found where they usually lie.
    pub unread: BTreeSet<String>,
    /// Names of the items that it defines.
    pub defined: BTreeSet<String>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// Paths of two names and more that its code holds outside of imports.
    pub paths: Vec<Vec<String>>,
}

/// One name of a `use`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its path.
    pub path: Vec<String>,
    /// The name under which it is known; `None` for everything inside (`*`).
    pub name: Option<String>,
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Out of the crate.
    Outside,
    /// To a module.
    Module(usize),
    /// To something that this module defines.
    Item(usize),
}

/// All modules of one crate; the first is its root.
#[derive(Debug, Default)]
pub struct Modules {
    /// Modules, each after the one around it.
    pub all: Vec<Module>,
}

impl Modules {
    /// Reads a crate from its root file on. Files that are missing are left out, as are modules for tests.
    #[must_use]
    pub fn read(root: &Source, sources: &BTreeMap<&str, &Source>) -> Self {
        let mut modules = Self::default();
        let folder = root.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let code = shipped(&tokens(&root.text));
        modules.add(&root.path, folder, None, &code, sources);
        modules
    }

    /// Adds the module whose tokens are `code`, and those inside it; `folder` is where their files lie.
    fn add(
        &mut self,
        file: &str,
        folder: &str,
        parent: Option<usize>,
        code: &[&str],
        sources: &BTreeMap<&str, &Source>,
    ) -> usize {
        let own = self.all.len();
        self.all.push(Module {
            file: file.to_owned(),
            parent,
            ..Module::default()
        });
        let mut depth = 0_usize;
        let mut at = 0;
        while at < code.len() {
            match code[at..] {
                ["use", next, ..] if next != "<" => {
                    let end = code[at..].iter().position(|token| *token == ";");
                    let end = end.map_or(code.len(), |length| at + length);
                    imports(&code[at + 1..end], &[], &mut self.all[own].imports);
                    at = end;
                    continue;
                }
                ["mod", name, "{", ..] => {
                    let end = group_end(code, at + 2);
                    let inside = format!("{folder}/{name}");
                    let body = &code[at + 3..end.saturating_sub(1).max(at + 3)];
                    let child = self.add(file, &inside, Some(own), body, sources);
                    self.all[own].children.insert(name.to_owned(), child);
                    at = end;
                    continue;
                }
                ["mod", name, ";", ..] if depth == 0 => {
                    let inside = format!("{folder}/{name}");
                    let found = [format!("{inside}.rs"), format!("{inside}/mod.rs")]
                        .into_iter()
                        .find_map(|path| sources.get(path.as_str()));
                    if let Some(source) = found {
                        let body = shipped(&tokens(&source.text));
                        let child = self.add(&source.path, &inside, Some(own), &body, sources);
                        self.all[own].children.insert(name.to_owned(), child);
                    } else {
                        self.all[own].unread.insert(name.to_owned());
                    }
                    at += 3;
                    continue;
                }
                [keyword, ref rest @ ..] if depth == 0 && ITEMS.contains(&keyword) => {
                    let name = rest.iter().find(|token| !BETWEEN.contains(token));
                    let name = name.filter(|name| is_name(name));
                    self.all[own]
                        .defined
                        .extend(name.map(|name| (*name).to_owned()));
                }
                ["{" | "(" | "[", ..] => depth += 1,
                ["}" | ")" | "]", ..] => depth = depth.saturating_sub(1),
                _ => {}
            }
            let begins = at == 0 || !["::", "."].contains(&code[at - 1]);
            let path = if begins { path_at(&code[at..]) } else { vec![] };
            if path.len() > 1 {
                // Its last names may begin no other path.
                self.all[own].paths.push(path);
            }
            at += 1;
        }
        own
    }

    /// Where a path in a module leads.
    #[must_use]
    pub fn resolve(&self, from: usize, path: &[String]) -> Target {
        self.follow(from, path, &mut BTreeSet::new())
    }

    fn follow(&self, from: usize, path: &[String], seen: &mut BTreeSet<(usize, String)>) -> Target {
        let mut place = from;
        for (at, name) in path.iter().enumerate() {
            place = match name.as_str() {
                "crate" => 0,
                "self" => place,
                "super" => self.all[place].parent.unwrap_or(0),
                _ => match self.inside(place, name, seen) {
                    Some(Target::Module(module)) => module,
                    Some(target) => return target,
                    // The first name of a path may be another crate; after `crate::` it is what a macro made.
                    None if at == 0 => return Target::Outside,
                    None => return Target::Item(place),
                },
            };
        }
        Target::Module(place)
    }

    /// What a name means in a module.
    fn inside(
        &self,
        place: usize,
        name: &str,
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Option<Target> {
        let module = &self.all[place];
        if let Some(child) = module.children.get(name) {
            return Some(Target::Module(*child));
        }
        if module.unread.contains(name) {
            return Some(Target::Outside);
        }
        if module.defined.contains(name) {
            return Some(Target::Item(place));
        }
        if !seen.insert((place, name.to_owned())) {
            return None;
        }
        let named = |import: &&Import| import.name.as_deref() == Some(name);
        if let Some(import) = module.imports.iter().find(named) {
            return Some(self.follow(place, &import.path, seen));
        }
        let globs = module.imports.iter().filter(|import| import.name.is_none());
        for import in globs {
            if let Target::Module(other) = self.follow(place, &import.path, seen)
                && let Some(target) = self.inside(other, name, seen)
            {
                return Some(target);
            }
        }
        None
    }
}

/// The names of a path at the beginning of `code`, without what follows in brackets.
fn path_at(code: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 0;
    while code.get(at).is_some_and(|token| is_name(token)) {
        names.push(code[at].to_owned());
        if code.get(at + 1) != Some(&"::") {
            break;
        }
        at += 2;
    }
    names
}

/// Every name of a `use`, whose tokens are `tree`, below `before`.
fn imports(tree: &[&str], before: &[String], found: &mut Vec<Import>) {
    let mut path = before.to_vec();
    let mut at = 0;
    while at < tree.len() {
        match tree[at] {
            "::" => at += 1,
            "*" => {
                found.push(Import { path, name: None });
                return;
            }
            "{" => {
                let end = group_end(tree, at);
                for branch in branches(&tree[at + 1..end.saturating_sub(1).max(at + 1)]) {
                    imports(branch, &path, found);
                }
                return;
            }
            "as" => {
                let name = tree.get(at + 1).map(|name| (*name).to_owned());
                found.push(Import { path, name });
                return;
            }
            name => {
                // `a::{self}` is `a`.
                if name != "self" || path.is_empty() {
                    path.push(name.to_owned());
                }
                at += 1;
            }
        }
    }
    let name = path.last().cloned();
    found.push(Import { path, name });
}

/// The parts of a list that commas outside of brackets separate.
fn branches<'a, 'b>(list: &'a [&'b str]) -> Vec<&'a [&'b str]> {
    let mut parts = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at < list.len() {
        match list[at] {
            "{" => at = group_end(list, at),
            "," => {
                parts.push(&list[begin..at]);
                at += 1;
                begin = at;
            }
            _ => at += 1,
        }
    }
    parts.push(&list[begin..]);
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_of_imports_are_taken_apart() {
        let code = tokens("a::{self, b::{c, d as e}, f::*}, ");
        let mut found = Vec::new();
        imports(&code[..code.len() - 1], &[], &mut found);
        let found: Vec<_> = found
            .iter()
            .map(|import| format!("{} = {:?}", import.path.join("::"), import.name.as_deref()))
            .collect();
        let expected = [
            "a = Some(\"a\")",
            "a::b::c = Some(\"c\")",
            "a::b::d = Some(\"e\")",
            "a::f = None",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn paths_are_followed_through_what_passes_names_on() {
        let sources = [
            ("x/src/lib.rs", "pub mod a; pub use a::Deep; mod b;"),
            ("x/src/a/mod.rs", "mod c; pub use c::*; pub use std::fmt;"),
            (
                "x/src/a/c.rs",
                "pub struct Deep; pub(crate) const fn made() {}",
            ),
            (
                "x/src/b.rs",
                "use crate::a; fn f() { a::made(); super::Deep::g(); a::fmt::x(); Vec::new() }",
            ),
        ];
        let sources = sources.map(|(path, text)| Source {
            path: path.to_owned(),
            text: text.to_owned(),
        });
        let by_path = sources.iter().map(|source| (source.path.as_str(), source));
        let modules = Modules::read(&sources[0], &by_path.collect());
        let file = |name: &str| {
            let mut places = modules.all.iter();
            places
                .position(|module| module.file.ends_with(name))
                .unwrap()
        };
        let b = &modules.all[file("/b.rs")];
        let targets: Vec<Target> = (b.paths.iter())
            .map(|path| modules.resolve(file("/b.rs"), path))
            .collect();
        let deep = Target::Item(file("/c.rs"));
        assert_eq!(targets, [deep, deep, Target::Outside, Target::Outside]);
    }
}
